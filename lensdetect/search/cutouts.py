"""Cutouts of one tile, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.flags import FLAGS
from lensdetect.search.noise import check_noise
from lensdetect.search.pixels import Rows
from lensdetect.search.quality import flag_quality
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
        int64 ``(n,)``: edge, masked, missing_band, blank and what ``flag_quality`` suspects.
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

    def cut(self, x_pix: np.ndarray, y_pix: np.ndarray, *, size: int = 101, quality: bool = True) -> Cutouts:
        """Cut around positions.

        Parameters
        ----------
        x_pix, y_pix : ndarray
            ``(n,)`` in the tile's frame; a cutout is centred on the nearest
            whole pixel. Calls that go through a tile from row to row are fastest.
        size : int
            Side in pixels of the result.
        quality : bool
            Whether glitches are looked for, too.

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
            plane, some_flags = self._plane(band, place)
            flags |= some_flags
            planes[:, number] = plane if self._ratio == 1.0 else resample(plane, size=size, ratio=self._ratio)
            known += _known_share(planes[:, number])
        pixels = np.moveaxis(planes, 1, -1)
        flags[known == 0.0] |= FLAGS["blank"].value
        if quality:
            flags |= flag_quality(pixels, self.survey, noise_sigma=self.noise_sigma)
        blank = flags & FLAGS["blank"].value != 0
        return Cutouts(pixels, flags, ["no finite pixel in any band" if none else "" for none in blank])

    def _plane(self, band: str, place: Place) -> tuple[np.ndarray, np.ndarray]:
        """One band ``(n, side, side)`` in survey flux, and what is to be flagged in it."""
        planes, inside = cut_plane(self._rows[band, "sci"], place, fill=np.nan)
        # whole numbers are 0 by chance; others only where no exposure reached
        bad = planes == 0.0 if self._rows[band, "sci"].is_float else np.zeros(planes.shape, bool)
        if self.survey.masked_value is not None:
            bad |= planes == self.survey.masked_value
        if (band, "wei") in self._rows:
            bad |= ~(cut_plane(self._rows[band, "wei"], place, fill=0.0)[0] > 0.0)
        halo = np.zeros(len(place), bool)
        if (band, "msk") in self._rows:
            mask = cut_plane(self._rows[band, "msk"], place, fill=0.0)[0].astype(np.int32)
            halo_bits = _HALO_BITS.get(self.survey.name, 0)
            bad |= mask & ~halo_bits != 0
            halo = np.mean(mask & halo_bits != 0, axis=(1, 2)) > _MASKED_SHARE
        bad |= np.isinf(planes)
        if bad.any():
            planes[bad] = np.nan
        if band in self._factors:
            planes *= self._factors[band]
        flags = np.where(inside < 1.0, FLAGS["edge"].value, 0)
        flags |= np.where(inside - _known_share(planes) > _MASKED_SHARE, FLAGS["masked"].value, 0)
        return planes, flags | np.where(halo, FLAGS["bad_background"].value, 0)

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


def _known_share(planes: np.ndarray) -> np.ndarray:
    """Part of each plane ``(n, height, width)`` that is finite."""
    share = np.ones(len(planes))
    # the sum is finite where all is, and adding up is faster than counting
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero(~np.isfinite(planes.sum(axis=(1, 2))))
    share[rows] = np.mean(np.isfinite(planes[rows]), axis=(1, 2))
    return share


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
