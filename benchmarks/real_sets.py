"""Real cutouts in ../shared/data, all sets in one form: pixels, bands, zero points, scale, truth, positions, folds.

    from real_sets import SETS, load_set, at_scale, training_part

    graded = load_set("cfhtls_graded")
    graded.pixels           # float32 (246, 121, 121, 3), NaN where there is no pixel
    graded.table            # id, kind, is_lens (<NA> where nobody knows), fold, ra_deg, dec_deg or image, x, y, ...
    at_scale(graded, pixel_scale_arcsec=0.2, size=101)    # as a detector takes them
    training_part(graded, held_out=[0])                   # rows that may be trained on if fold 0 is to be measured

Nothing is written. Folds are strips of the sky (right ascension; along the longer side where a field has no WCS), so
that objects that share pixels are in one fold but for those at a border; ``training_part`` leaves those out, and what
is measured loses none.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from field_sources import find_galaxies

from lensdetect.errors import InputError, unknown_name
from lensdetect.images.resampling import resample, source_size

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

#: Folds of each set, and the seed by which strips of right ascension are dealt to them.
NUM_FOLDS, SEED = 4, 20261126

#: Strips of right ascension that are dealt to folds, in degrees.
_STRIP_DEG = 0.5

#: Half the side of a cutout as detectors take them: objects nearer than twice this share pixels.
_HALF_SIDE_ARCSEC = 10.1

#: Side of what is cut out of a field, in arcsec: as the CFHTLS cutouts.
_CUT_ARCSEC = 22.5

#: Galaxies of a field nearer than this to its edge are left out.
_MARGIN_ARCSEC = 10.0

_SAME_SCALE = 0.02


@dataclass(frozen=True)
class RealSet:
    """Cutouts of one survey.

    Parameters
    ----------
    name : str
        Of ``SETS``.
    pixels : ndarray
        float32 ``(n, height, width, band)``, rows upward; NaN is no pixel.
    bands : tuple of str
        Of the last axis.
    zero_points_mag : tuple of float
        AB magnitude of one flux unit, one a band.
    pixel_scale_arcsec : float
        Side of a pixel.
    table : DataFrame
        One row a cutout: ``id``, ``kind``, ``is_lens`` (boolean, <NA> where there is no truth), ``fold``;
        ``ra_deg``, ``dec_deg`` where there is a WCS, else ``image``, ``x``, ``y`` in pixels where cut out of a field;
        and what else the set has.
    clipped : ndarray, optional
        bool ``(n, height, width)``: where the 8-bit picture was saturated in a band.
    """

    name: str
    pixels: np.ndarray
    bands: tuple[str, ...]
    zero_points_mag: tuple[float, ...]
    pixel_scale_arcsec: float
    table: pd.DataFrame
    clipped: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of cutouts."""
        return len(self.table)

    def take(self, rows: np.ndarray) -> RealSet:
        """Part of the set: a mask, or numbers of rows."""
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        clipped = None if self.clipped is None else self.clipped[rows]
        table = self.table.iloc[rows].reset_index(drop=True)
        return replace(self, pixels=self.pixels[rows], table=table, clipped=clipped)

    def in_bands(self, names: Iterable[str]) -> RealSet:
        """The same cutouts with some of the bands, in this order."""
        names = tuple(names)
        if not set(names) <= set(self.bands):
            raise InputError(f"bands of {self.name} must be some of {', '.join(self.bands)}, got {', '.join(names)}")
        places = [self.bands.index(name) for name in names]
        points = tuple(self.zero_points_mag[place] for place in places)
        return replace(self, pixels=self.pixels[..., places], bands=names, zero_points_mag=points)


def load_set(name: str, *, folder: Path = DATA) -> RealSet:
    """Read one set.

    Parameters
    ----------
    name : str
        Of ``SETS``.
    folder : path
        That of SOURCES.md.

    Returns
    -------
    RealSet

    Raises
    ------
    InputError
        If there is no such set, or not its files.
    """
    if name not in SETS:
        raise unknown_name("real set", name, SETS)
    if not (Path(folder) / name).is_dir():
        raise InputError(f"real set {name} must lie in {folder}, got no such folder: give the folder of SOURCES.md")
    found = SETS[name](Path(folder) / name)
    return replace(found, table=found.table.assign(is_lens=found.table["is_lens"].astype("boolean")))


def at_scale(found: RealSet, *, pixel_scale_arcsec: float, size: int) -> np.ndarray:
    """Cutouts with pixels of another scale, flux kept, NaN where the set has no pixels.

    Parameters
    ----------
    found : RealSet
    pixel_scale_arcsec : float
        Of the result; the search's own resampling, and none within 2 %.
    size : int
        Side of the result.

    Returns
    -------
    ndarray
        float32 ``(n, size, size, band)``
    """
    ratio = pixel_scale_arcsec / found.pixel_scale_arcsec
    if abs(ratio - 1) <= _SAME_SCALE:
        return fit(found.pixels, size)
    planes = np.moveaxis(fit(found.pixels, source_size(size, ratio)), -1, 1)
    planes = np.ascontiguousarray(planes)
    return np.ascontiguousarray(np.moveaxis(resample(planes, size=size, ratio=ratio), 1, -1))


def fit(pixels: np.ndarray, size: int) -> np.ndarray:
    """Middle of images ``(n, height, width, ...)`` at some size, NaN outside."""
    out = np.full((len(pixels), size, size, *pixels.shape[3:]), np.nan, np.float32)
    (to_y, from_y), (to_x, from_x) = (_middle(side, size) for side in pixels.shape[1:3])
    out[:, to_y, to_x] = pixels[:, from_y, from_x]
    return out


def _middle(have: int, want: int) -> tuple[slice, slice]:
    shift = want // 2 - have // 2
    return slice(max(shift, 0), min(have + shift, want)), slice(max(-shift, 0), min(have, want - shift))


def training_part(found: RealSet, *, held_out: Iterable[int]) -> np.ndarray:
    """Rows that may be trained on where some folds are to be measured.

    Parameters
    ----------
    found : RealSet
    held_out : iterable of int
        Folds to be measured.

    Returns
    -------
    ndarray of bool
        In another fold, and no pixel in common with an object of a fold that is held out.
    """
    held = found.table["fold"].isin(list(held_out)).to_numpy()
    return ~held & ~_share_pixels(found, held)


def _share_pixels(found: RealSet, held: np.ndarray) -> np.ndarray:
    """Whether each object is within a cutout's side of one that is held out, in the same image or sky."""
    image, x, y = _places_arcsec(found)
    away = np.maximum(np.abs(x[:, None] - x[held]), np.abs(y[:, None] - y[held]))
    return ((image[:, None] == image[held]) & (away < 2 * _HALF_SIDE_ARCSEC)).any(axis=1)


def _places_arcsec(found: RealSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = found.table
    if "x" in table:
        scale = found.pixel_scale_arcsec
        return table["image"].to_numpy(str), table["x"].to_numpy() * scale, table["y"].to_numpy() * scale
    if "ra_deg" in table:
        dec = table["dec_deg"].to_numpy()
        return np.zeros(len(table), str), table["ra_deg"].to_numpy() * 3600 * np.cos(np.radians(dec)), dec * 3600
    return table["id"].to_numpy(str), np.zeros(len(table)), np.zeros(len(table))


def deal_strips(strip: np.ndarray, *, num_folds: int = NUM_FOLDS, seed: int = SEED) -> np.ndarray:
    """Fold of each object: strips in random order, each to the fold that has the fewest objects.

    Parameters
    ----------
    strip : ndarray
        Strip, field or object that each belongs to; what is equal stays together.
    num_folds, seed : int

    Returns
    -------
    ndarray of int
    """
    strips, member, counts = np.unique(strip, return_inverse=True, return_counts=True)
    fold_of, filled = np.empty(len(strips), int), np.zeros(num_folds, int)
    for place in np.random.default_rng(seed).permutation(len(strips)):
        fold_of[place] = int(np.argmin(filled))
        filled[fold_of[place]] += counts[place]
    return fold_of[member]


def _by_right_ascension(ra_deg: pd.Series) -> np.ndarray:
    return deal_strips(np.floor(ra_deg.to_numpy() / _STRIP_DEG))


def _unpacked(bits: np.ndarray, width: int) -> np.ndarray:
    return np.unpackbits(bits, axis=-1, count=width).astype(bool)


def _cfhtls_graded(folder: Path) -> RealSet:
    """Objects that experts graded: lens, negative (lens-like) and ambiguous (no truth)."""
    table = pd.read_csv(folder / "objects.csv").rename(columns={"set": "kind"})
    truth = table["kind"].map({"lens": True, "negative": False})
    table = table.assign(is_lens=truth, fold=_by_right_ascension(table["ra_deg"]))
    with np.load(folder / "cutouts.npz") as file:
        pixels, clipped = _channels_last(file["gri"]), _unpacked(file["clipped"], file["gri"].shape[-1])
    return RealSet("cfhtls_graded", pixels, ("g", "r", "i"), (30.0,) * 3, 0.186, table, clipped)


def _channels_last(planes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(planes, 1, -1), dtype=np.float32)


def _cfhtls_fields(folder: Path) -> RealSet:
    """Galaxies of 22 fields without lenses; a field is in one fold."""
    with np.load(folder / "fields.npz") as file:
        names, pixels = file["name"], _channels_last(file["gri"])
        clipped = _unpacked(file["clipped"], pixels.shape[2])
    table = pd.concat(
        [_galaxies(image, 0.186).assign(image=str(name)) for name, image in zip(names, pixels, strict=True)],
        ignore_index=True,
    )
    place = {str(name): number for number, name in enumerate(names)}
    cuts = np.stack([_cut(pixels[place[row.image]], row.x, row.y, 0.186) for row in table.itertuples()])
    bits = np.stack([_cut(clipped[place[row.image]], row.x, row.y, 0.186) for row in table.itertuples()])
    number = table.groupby("image").cumcount().astype(str)
    table = table.assign(
        id=table["image"].str.rpartition("/")[2] + "_" + number,
        fold=deal_strips(table["image"].to_numpy(str)),
    )
    return RealSet("cfhtls_fields", cuts, ("g", "r", "i"), (30.0,) * 3, 0.186, table, bits == 1)


def _galaxies(image: np.ndarray, scale: float) -> pd.DataFrame:
    """Galaxies of a g, r, i image of zero point 30, away from its edges."""
    found = find_galaxies(image, zero_point_mag=30.0, faintest_i_mag=21.8)
    margin = _MARGIN_ARCSEC / scale
    height, width = image.shape[:2]
    inside = found["x"].between(margin, width - margin) & found["y"].between(margin, height - margin)
    return found[inside].assign(kind="galaxy", is_lens=False).reset_index(drop=True)


def _cut(image: np.ndarray, x: float, y: float, scale: float) -> np.ndarray:
    """Square around a pixel, NaN outside the image."""
    half = int(round(_CUT_ARCSEC / scale)) // 2
    side = 2 * half + 1
    out = np.full((side, side, *image.shape[2:]), np.nan, np.float32)
    corner = np.array([int(round(y)), int(round(x))]) - half
    low, high = np.maximum(corner, 0), np.minimum(corner + side, image.shape[:2])
    rows, columns = (slice(a, b) for a, b in zip(low, high, strict=True))
    into = tuple(slice(a - c, b - c) for a, b, c in zip(low, high, corner, strict=True))
    out[into] = image[rows, columns]
    return out


def _cfhtls_gri_field(folder: Path) -> RealSet:
    """Galaxies of one field, in one fold."""
    image = np.stack([_image(folder / f"CFHTLS-test_{band}.fits") for band in "gri"], axis=-1)
    # its one bright star is saturated
    saturated = image > 0.5 * image.max(axis=(0, 1))
    table = _galaxies(np.where(saturated, np.nan, image), 0.186)
    ra, dec = _sky(folder / "CFHTLS-test_i.fits", table["x"], table["y"])
    ids = [f"cfhtls_gri_{number}" for number in range(len(table))]
    table = table.assign(id=ids, ra_deg=ra, dec_deg=dec, image="CFHTLS-test", fold=0)
    cuts = np.stack([_cut(image, row.x, row.y, 0.186) for row in table.itertuples()])
    return RealSet("cfhtls_gri_field", cuts, ("g", "r", "i"), (30.0,) * 3, 0.186, table)


def _image(path: Path) -> np.ndarray:
    with fits.open(path) as file:
        data = next(hdu.data for hdu in file if hdu.data is not None)
    return np.asarray(data, np.float32)


def _sky(path: Path, x, y):
    """Right ascension and declination of pixels of an image."""
    with warnings.catch_warnings():
        # old headers spell RADESYS otherwise
        warnings.simplefilter("ignore", FITSFixedWarning)
        return WCS(fits.getheader(path)).celestial.all_pix2world(x, y, 0)


def _kids_field(folder: Path) -> RealSet:
    """Galaxies brighter than r = 22 of one field without WCS; folds are slices of its longer side."""
    scale = 0.339
    image = np.stack([_image(folder / f"field_{band}.fits.fz") for band in "ugri"], axis=-1)
    sources = pd.read_csv(folder / "sources_r22.csv")
    table = sources.rename(columns={"x_pix": "x", "y_pix": "y", "mag_r": "r_mag"})
    margin = _MARGIN_ARCSEC / scale
    height, width = image.shape[:2]
    inside = table["x"].between(margin, width - margin) & table["y"].between(margin, height - margin)
    table = table[(table["is_galaxy"] == 1) & inside].reset_index(drop=True)
    fold = np.minimum((table["y"] / height * NUM_FOLDS).astype(int), NUM_FOLDS - 1)
    ids = [f"kids_field_{x:.0f}_{y:.0f}" for x, y in zip(table["x"], table["y"], strict=True)]
    table = table.assign(id=ids, image="field", kind="galaxy", is_lens=False, fold=fold)
    cuts = np.stack([_cut(image, row.x, row.y, scale) for row in table.itertuples()])
    return RealSet("kids_field", cuts, ("u", "g", "r", "i"), (0.0,) * 4, scale, table)


def _des_griz(folder: Path) -> RealSet:
    """Red galaxies, and one arc system; cutouts of 50 pixels have NaN around them."""
    size = 91
    cubes = [_image(folder / "deeplenstronomy_46" / f"{band}.fits") for band in "griz"]
    pixels = [fit(np.stack(cubes, axis=-1), size)]
    ids = [f"des_46_{number}" for number in range(len(pixels[0]))]
    for path in sorted((folder / "krojas_lrg10" / "lens").glob("*.fits")):
        with fits.open(path) as file:
            planes = [hdu.data for hdu in file if hdu.data is not None]
        planes = np.stack([*planes[:3], np.full_like(planes[0], np.nan)], axis=-1)
        pixels.append(fit(planes[None], size))
        ids.append(path.stem)
    arcs = folder / "DESJ0330"
    pixels.append(fit(np.stack([_image(*arcs.glob(f"*_{band}_sci.fits")) for band in "griz"], axis=-1)[None], size))
    table = pd.DataFrame({"id": [*ids, "DESJ0330-5228"], "kind": [*["galaxy"] * len(ids), "lens"]})
    table = table.assign(is_lens=table["kind"] == "lens", fold=deal_strips(table["id"].to_numpy(str)))
    return RealSet("des_griz", np.concatenate(pixels), ("g", "r", "i", "z"), (30.0,) * 4, 0.263, table)


def _kids_r_unlabelled(folder: Path) -> RealSet:
    """Cutouts in r that nobody has given a truth."""
    paths = sorted((folder / "fits_cutouts").glob("*.fits"))
    pixels = np.stack([_image(path) for path in paths])[..., None]
    middle = pixels.shape[1] // 2
    ra, dec = np.array([_sky(path, middle, middle) for path in paths]).T
    table = pd.DataFrame({"id": [path.stem for path in paths], "kind": "unlabelled", "ra_deg": ra, "dec_deg": dec})
    table = table.assign(is_lens=pd.NA, fold=_by_right_ascension(table["ra_deg"]))
    return RealSet("kids_r_unlabelled", pixels, ("r",), (24.7,), 0.214, table)


def _kids_ugri(folder: Path) -> RealSet:
    """The lensed quasar SDSS J1226-0006, and two objects without a truth."""
    stems = {"KIDS_186.53375_-0.1005556": "lensed quasar", "KIDS_SLID_10058881_SID_8668": "unlabelled"}
    pixels = [fit(_stack_of(folder, f"{stem}_{{}}_sci.fits")[None], 101) for stem in stems]
    pixels.append(fit(_stack_of(folder, "KiDS-test_{}.fits")[None], 101))
    kinds = [*stems.values(), "unlabelled"]
    table = pd.DataFrame({"id": [*stems, "KiDS-test"], "kind": kinds, "fold": 0})
    table = table.assign(is_lens=table["kind"].map({"lensed quasar": True}))
    return RealSet("kids_ugri", np.concatenate(pixels), ("u", "g", "r", "i"), (0.0,) * 4, 0.2, table)


def _stack_of(folder: Path, form: str) -> np.ndarray:
    """u, g, r, i planes; one that has no file is NaN, and so are blank strips."""
    paths = [folder / form.format(band) for band in "ugri"]
    planes = [_image(path) if path.is_file() else None for path in paths]
    blank = np.full_like(next(plane for plane in planes if plane is not None), np.nan)
    found = np.stack([blank if plane is None else plane for plane in planes], axis=-1)
    return np.where(found == 0.0, np.nan, found).astype(np.float32)


SETS: dict[str, Callable[[Path], RealSet]] = {
    "cfhtls_graded": _cfhtls_graded,
    "kids_field": _kids_field,
    "cfhtls_fields": _cfhtls_fields,
    "cfhtls_gri_field": _cfhtls_gri_field,
    "des_griz": _des_griz,
    "kids_r_unlabelled": _kids_r_unlabelled,
    "kids_ugri": _kids_ugri,
}
