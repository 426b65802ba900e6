"""Cutouts of one tile, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.flags import FLAGS
from lensdetect.images.plausible import absurd, may_be_absurd
from lensdetect.images.rows import Rows
from lensdetect.search.noise import check_noise
from lensdetect.search.resampling import resample, source_size
from lensdetect.search.strips import Place, cut_plane
from lensdetect.search.tiles import Tile
from lensdetect.survey import Survey

#: Pixel scales that agree to this need no resampling.
_SCALE_TOLERANCE = 0.02

#: More of a band than this that is not finite makes a cutout masked.
_MASKED_SHARE = 0.05

#: Bits of a survey's masks under which pixels are still pixels: halos of bright stars (KiDS-ESO DR1, "Masking of
#: bright stars and defects"). They make the background suspect; other bits make a pixel NaN.
_HALO_BITS = {"kids": 8 | 16 | 32}


@dataclass(frozen=True)
class Cutouts:
    """Cutouts around some positions, in the order asked for.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(n, size, size, band)`` in survey flux; NaN is no pixel. In memory
        it lies band by band: a view of ``(n, band, size, size)``.
    flags : ndarray
        int64 ``(n,)``: edge, masked, missing_band, blank, and bad_background in a mask's halos.
    reasons : list of str
        Empty, or why there is no score (of those with a flag in ``REFUSED``).
    """

    pixels: np.ndarray
    flags: np.ndarray
    reasons: list[str]

    def __len__(self) -> int:
        """Number of cutouts."""
        return len(self.pixels)


class OpenTile:
    """A tile whose pixels can be read; to be used in a ``with``.

    Parameters
    ----------
    tile : Tile
    survey : Survey
    scale_arcsec : float, optional
        Pixel scale of the cutouts; that of the survey if not given.
    noise_factor : float
        By which the background rms may differ from the survey's.

    Attributes
    ----------
    noise_sigma : ndarray
        float ``(band,)``: background rms measured, in survey flux and pixels of
        the cutouts; NaN for missing bands.

    Raises
    ------
    InputError
        If it has a problem, cannot be read, or its background is implausible:
        the tile is then to be given up, with this reason.
    """

    def __init__(self, tile: Tile, survey: Survey, *, scale_arcsec: float | None = None, noise_factor: float = 5.0):
        if tile.problem:
            raise InputError(f"tile {tile.name} cannot be searched: {tile.problem}")
        self.tile, self.survey = tile, survey
        ratio = (scale_arcsec or survey.pixel_scale_arcsec) / tile.pixel_scale_arcsec
        self._ratio = 1.0 if abs(ratio - 1.0) <= _SCALE_TOLERANCE else ratio
        self._factors = {
            band: np.float32(10.0 ** (-0.4 * offset)) for band, offset in tile.zero_point_offset_mag.items()
        }
        self._rows: dict[tuple[str, str], Rows] = {}
        try:
            for key, image in tile.images.items():
                if key[1] in {"sci", "wei", "msk"}:
                    self._rows[key] = Rows(image)
            sigma = [self._checked_sigma(band, noise_factor) for band in survey.band_names]
        except InputError:
            self.close()
            raise
        # the flux of more or smaller pixels adds up, and so do their variances
        self.noise_sigma = self._ratio * np.array(sigma)

    def _checked_sigma(self, band: str, factor: float) -> float:
        if (band, "sci") not in self._rows:
            return float("nan")
        return check_noise(
            self._rows[band, "sci"],
            self.survey.select([band])[0],
            survey=self.survey,
            tile=self.tile,
            gain=float(self._factors.get(band, 1.0)),
            factor=factor,
        )

    def cut(self, x_pix: np.ndarray, y_pix: np.ndarray, *, size: int = 101) -> Cutouts:
        """Cut around positions.

        Parameters
        ----------
        x_pix, y_pix : ndarray
            ``(n,)`` in the tile's frame; a cutout is centred on the nearest
            whole pixel. Calls that go through a tile from row to row are fastest.
        size : int
            Side in pixels of the result.

        Returns
        -------
        Cutouts

        Raises
        ------
        InputError
            If pixels cannot be read.
        """
        side = size if self._ratio == 1.0 else source_size(size, self._ratio)
        place = Place.around(np.asarray(x_pix, float), np.asarray(y_pix, float), size=side)
        planes = np.empty((len(place), len(self.survey.bands), size, size), np.float32)
        flags = np.zeros(len(place), np.int64)
        known = np.zeros(len(place))
        for number, band in enumerate(self.survey.band_names):
            if (band, "sci") not in self._rows:
                planes[:, number] = np.nan
                flags |= FLAGS["missing_band"].value
                continue
            plane, share, some_flags = self._plane(band, place)
            flags |= some_flags
            if self._ratio == 1.0:
                planes[:, number] = plane
            else:
                planes[:, number] = resample(plane, size=size, ratio=self._ratio)
                share, _ = _known_share(planes[:, number])
            known += share
        pixels = np.moveaxis(planes, 1, -1)
        flags[known == 0.0] |= FLAGS["blank"].value
        blank = flags & FLAGS["blank"].value != 0
        return Cutouts(pixels, flags, ["no finite pixel in any band" if none else "" for none in blank])

    def _plane(self, band: str, place: Place) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One band ``(n, side, side)`` in survey flux, the part of each that is known, and what is to be flagged."""
        rows = self._rows[band, "sci"]
        planes, inside = cut_plane(rows, place, fill=np.nan)
        # whole numbers are 0 by chance; others only where no exposure reached
        if rows.is_float:
            _erase(planes, planes == 0.0)
        if self.survey.masked_value is not None:
            _erase(planes, planes == self.survey.masked_value)
        if (band, "wei") in self._rows:
            _erase(planes, ~(cut_plane(self._rows[band, "wei"], place, fill=0.0)[0] > 0.0))
        flags = np.where(inside < 1.0, FLAGS["edge"].value, 0)
        if (band, "msk") in self._rows:
            halo = self._mask(planes, cut_plane(self._rows[band, "msk"], place, fill=0.0)[0])
            flags |= np.where(halo > _MASKED_SHARE, FLAGS["bad_background"].value, 0)
        if band in self._factors:
            planes *= self._factors[band]
        share, wild = _known_share(planes)
        return planes, share, flags | np.where((inside - share > _MASKED_SHARE) | wild, FLAGS["masked"].value, 0)

    def _mask(self, planes: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Erase what a mask says is no pixel; the part of each plane that lies in halos."""
        halo, halo_bits = np.zeros(len(planes)), _HALO_BITS.get(self.survey.name, 0)
        # most masks are empty
        for row in np.flatnonzero(masks.any(axis=(1, 2))):
            bits = masks[row].astype(np.int32)
            planes[row][bits & ~halo_bits != 0] = np.nan
            halo[row] = np.mean(bits & halo_bits != 0)
        return halo

    def close(self) -> None:
        """Close the files."""
        for rows in self._rows.values():
            rows.close()

    def __enter__(self) -> OpenTile:
        """Itself."""
        return self

    def __exit__(self, *error) -> None:
        """Close the files."""
        self.close()


def _erase(planes: np.ndarray, bad: np.ndarray) -> None:
    if bad.any():
        planes[bad] = np.nan


def _known_share(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Part of each plane ``(n, height, width)`` that is known, and which held absurd values; the rest becomes NaN."""
    share, wild = np.ones(len(planes)), np.zeros(len(planes), bool)
    # one pass tells most of them clean: their squares add up to something finite and small
    with np.errstate(invalid="ignore", over="ignore"):
        peak = np.sqrt(np.einsum("nij,nij->n", planes, planes))
    for row in np.flatnonzero(may_be_absurd(planes, peak)):
        bad = absurd(planes[row])
        wild[row] = bad.any()
        bad |= ~np.isfinite(planes[row])
        planes[row][bad] = np.nan
        share[row] = 1.0 - np.mean(bad)
    return share, wild


def open_tile(tile: Tile, survey: Survey, *, scale_arcsec: float | None = None, noise_factor: float = 5.0) -> OpenTile:
    """Open a tile for cutting; see ``OpenTile``.

    Parameters
    ----------
    tile : Tile
    survey : Survey
    scale_arcsec : float, optional
        Pixel scale of the cutouts, that of the detector; that of the survey if not given.
    noise_factor : float
        By which the background rms of a band may differ from the survey's.

    Returns
    -------
    OpenTile
    """
    return OpenTile(tile, survey, scale_arcsec=scale_arcsec, noise_factor=noise_factor)
