"""A finished search as a place to take objects, scores and pixels from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs.utils import proj_plane_pixel_scales

from lensdetect.artifact.conversion import PIXEL_SCALE_TOLERANCE, plan_conversion
from lensdetect.errors import InputError, LensdetectError, reason_of
from lensdetect.images.cutouts import open_tile
from lensdetect.images.headers import parse_wcs
from lensdetect.images.index import TileIndex, index_tiles
from lensdetect.images.tiles import Tile
from lensdetect.runs import read_json
from lensdetect.search.folder import MANIFEST_NAME
from lensdetect.search.pictures import cutout_name
from lensdetect.search.scores import score_pieces
from lensdetect.survey import Band, Survey, get_survey

#: Between the title of a detector and how many views of a cutout its logit is the mean of.
_VIEWS = ", mean of "
#: Cut at a time.
_BATCH = 128


@dataclass(frozen=True)
class Form:
    """What cutouts shall be: as much of a detector's card as that takes.

    Parameters
    ----------
    name : str
    bands : tuple of Band
    pixel_scale_arcsec : float
    size : int
        Side in pixels.
    """

    name: str
    bands: tuple[Band, ...]
    pixel_scale_arcsec: float
    size: int

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands, in array order."""
        return tuple(band.name for band in self.bands)


class SearchedSky:
    """What a search has left.

    Parameters
    ----------
    folder : path
        Output of ``lensdetect search``.
    tiles : sequence of path, optional
        Where the tiles are now, if they have moved since.
    survey : str or path, optional
        Of the tiles, where it is a user's own: its .toml file.

    Attributes
    ----------
    folder : Path
    survey : Survey
    detectors : list of str
        Titles of those that scored, as in "arcformer_small_subtracted-ground/1".
    prior : float or None
        Share of lenses among the objects, as the search was told; None where it was not.

    Raises
    ------
    InputError
        If the folder is none of a search, or the survey is not known.
    """

    def __init__(self, folder: Path | str, *, tiles: Sequence[Path | str] = (), survey: str | Path | None = None):
        self.folder = Path(folder)
        if not (self.folder / MANIFEST_NAME).is_file():
            raise InputError(
                f"a searched sky must be the output of lensdetect search, with {MANIFEST_NAME}, got {folder}"
            )
        manifest = read_json(self.folder / MANIFEST_NAME, remedy="search again")
        self.survey: Survey = get_survey(survey or str(manifest["survey"]))
        self.detectors: list[str] = [str(name).partition(_VIEWS)[0] for name, _ in manifest.get("detectors", [])]
        self.prior: float | None = manifest.get("prior")
        self._tiles = [Path(path) for path in tiles or manifest.get("tiles", [])]
        self._index: TileIndex | None = None
        self._candidates: pd.DataFrame | None = None

    @property
    def candidates(self) -> pd.DataFrame:
        """The candidates, best first."""
        if self._candidates is None:
            path = self.folder / "candidates.parquet"
            if not path.is_file():
                raise InputError(f"a finished search must have {path.name}, got none in {self.folder}: finish it")
            self._candidates = pd.read_parquet(path)
        return self._candidates

    def pieces(self) -> Iterator[pd.DataFrame]:
        """All objects with their scores, a piece at a time.

        Yields
        ------
        DataFrame
            In the columns of ``search.scores.score_columns``.

        Raises
        ------
        InputError
            If there are none, or a table is damaged.
        """
        paths = sorted((self.folder / "scores").glob("*.parquet"))
        if not paths:
            raise InputError(f"a finished search must have tables in scores/, got none in {self.folder}: search again")
        yield from score_pieces(paths)

    def objects(self, ids: Iterable[str]) -> pd.DataFrame:
        """Some objects.

        Parameters
        ----------
        ids : iterable of str
            Those that are no object of this search are left out.

        Returns
        -------
        DataFrame
            ``id``, ``ra_deg``, ``dec_deg``, ``tile``, ``logit``; of the rows of one
            id that with the highest logit.
        """
        wanted = {str(one) for one in ids}
        columns = ["id", "ra_deg", "dec_deg", "tile", "logit"]
        found = [piece.loc[piece["id"].isin(wanted), columns] for piece in self.pieces()]
        table = pd.concat(found, ignore_index=True)
        best = table.sort_values("logit", ascending=False, kind="stable", na_position="last")
        return best.drop_duplicates("id").reset_index(drop=True)

    def cut(self, objects: pd.DataFrame, form: Form) -> tuple[np.ndarray, list[str]]:
        """Pixels of some objects, as a detector takes them.

        What stands in ``cutouts/`` is taken from there, where it is of the
        detector's pixel scale and size; all else is cut from the tiles once more.

        Parameters
        ----------
        objects : DataFrame
            From ``objects``.
        form : Form or Card
            Card of the detector.

        Returns
        -------
        pixels : ndarray
            float32 ``(n, size, size, band)`` in the bands and flux unit of the form; NaN where there is no pixel.
        reasons : list of str
            Why there are no pixels of an object; empty where there are.

        Raises
        ------
        InputError
            If the search has no band that the detector takes.
        """
        used = [name for name in self.survey.band_names if name in form.band_names]
        if not used:
            raise InputError(
                f"the detector takes the bands {', '.join(form.band_names)}, survey {self.survey.name} has "
                f"{', '.join(self.survey.band_names)}: start from a detector for these bands"
            )
        pixels = np.full((len(objects), form.size, form.size, len(form.bands)), np.nan, np.float32)
        reasons = ["no cutout of it is kept, and its tile is not there"] * len(objects)
        files = self._cutout_files()
        left = []
        for row, one in enumerate(objects["id"]):
            cutout = _read_cutout(files.get(one), form)
            if cutout is None:
                left.append(row)
            else:
                pixels[row], reasons[row] = cutout, ""
        for row, cutout, reason in self._cut_from_tiles(objects.iloc[left], np.array(left, int), form, used):
            pixels[row], reasons[row] = cutout, reason
        return pixels, reasons

    def _cutout_files(self) -> dict[str, Path]:
        found = {
            row.id: self.folder / "cutouts" / cutout_name(row.rank, row.id)
            for row in self.candidates.itertuples(index=False)
        }
        return {one: path for one, path in found.items() if path.is_file()}

    def _cut_from_tiles(
        self, objects: pd.DataFrame, rows: np.ndarray, form: Form, used: list[str]
    ) -> Iterator[tuple[int, np.ndarray, str]]:
        empty = np.full((form.size, form.size, len(form.bands)), np.nan, np.float32)
        for name, part in objects.assign(_row=rows).groupby("tile", sort=True):
            try:
                found = self._cut_tile(self._tile(name), part, form, used)
                yield from ((row, cutout, "") for row, cutout in zip(part["_row"], found, strict=True))
            except (LensdetectError, OSError) as error:
                yield from ((row, empty, reason_of(error)) for row in part["_row"])

    def _cut_tile(self, tile: Tile, objects: pd.DataFrame, form: Form, used: list[str]) -> np.ndarray:
        survey = self.survey.with_bands(used)
        conversion = plan_conversion(form, bands=used, zero_points_mag=[band.zero_point_mag for band in survey.bands])
        out = np.full((len(objects), form.size, form.size, len(form.bands)), np.nan, np.float32)
        x_pix, y_pix = tile.pixels(objects["ra_deg"].to_numpy(), objects["dec_deg"].to_numpy())
        with open_tile(tile, survey, scale_arcsec=form.pixel_scale_arcsec) as images:
            for start in range(0, len(objects), _BATCH):
                part = slice(start, start + _BATCH)
                conversion.fill(out[part], images.cut(x_pix[part], y_pix[part], size=form.size).pixels)
        return out

    def _tile(self, name: str) -> Tile:
        if self._index is None:
            if not self._tiles:
                raise InputError("the search does not say where its tiles are: name them with --tiles")
            self._index = index_tiles(self._tiles, self.survey)
        return self._index[name]


def _read_cutout(path: Path | None, form: Form) -> np.ndarray | None:
    """A cutout of a search in the form that a card asks for; None where it is of another, or cannot be read."""
    if path is None:
        return None
    try:
        with fits.open(path, memmap=False) as file:
            planes, header = np.asarray(file[0].data, np.float32), file[0].header
    except Exception:  # a damaged file raises of everything; the tile has the pixels too
        return None
    bands = {header[f"BAND{n}"]: (n - 1, header[f"MAGZP{n}"]) for n in range(1, planes.shape[0] + 1)}
    scale_arcsec = float(np.mean(proj_plane_pixel_scales(parse_wcs(header.tostring()).celestial))) * 3600.0
    same_scale = abs(scale_arcsec / form.pixel_scale_arcsec - 1.0) <= PIXEL_SCALE_TOLERANCE
    used = [name for name in bands if name in form.band_names]
    if planes.shape[1:] != (form.size, form.size) or not same_scale or not used:
        return None
    conversion = plan_conversion(form, bands=used, zero_points_mag=[bands[name][1] for name in used])
    out = np.full((1, form.size, form.size, len(form.bands)), np.nan, np.float32)
    conversion.fill(out, np.stack([planes[bands[name][0]] for name in used], axis=-1)[None])
    return out[0]
