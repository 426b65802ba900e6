"""Cutouts of one tile, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.flags import ARC_RADIUS_ARCSEC, FLAGS
from lensdetect.images.disc import disc
from lensdetect.images.masks import mask_rule, no_pixel
from lensdetect.images.nodata import erase_no_data
from lensdetect.images.noise import check_noise
from lensdetect.images.pixels import Rows
from lensdetect.images.plausible import absurd, may_be_absurd
from lensdetect.images.resampling import resample, source_size
from lensdetect.images.strips import Place, cut_plane
from lensdetect.images.tiles import Tile
from lensdetect.survey import Survey

#: More of a band than this that is not finite makes a cutout masked.
_MASKED_SHARE = 0.05


@dataclass(frozen=True)
class Cutouts:
    """Cutouts around some positions, in the order asked for.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(n, size, size, band)`` in survey flux; NaN is no pixel. In memory
        it lies band by band: a view of ``(n, band, size, size)``.
    flags : ndarray
        int64 ``(n,)``: edge, masked, missing_band, blank, and bad_background where a mask
        calls the background near the middle suspect (halos of stars).
    reasons : list of str
        Empty, or why there is no score (of those with a flag in ``REFUSED``), or
        which bits of masks are of unknown meaning and were left aside.
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
    noise_factor : float or None
        By which the background rms may differ from the survey's; None measures none.
    reach_arcsec : float
        How far from the middle of a cutout a suspect background counts.

    Attributes
    ----------
    noise_sigma : ndarray
        float ``(band,)``: background rms measured, in survey flux and pixels of
        the cutouts; NaN for missing bands and where nothing was measured.

    Raises
    ------
    InputError
        If it has a problem, cannot be read, or its background is implausible:
        the tile is then to be given up, with this reason.
    """

    def __init__(
        self,
        tile: Tile,
        survey: Survey,
        *,
        scale_arcsec: float | None = None,
        noise_factor: float | None = 5.0,
        reach_arcsec: float = ARC_RADIUS_ARCSEC,
    ):
        if tile.problem:
            raise InputError(tile.problem)
        self.tile, self.survey = tile, survey
        self._reach_pix = reach_arcsec / tile.pixel_scale_arcsec
        given, self._scale_arcsec = tile.properties(survey), scale_arcsec or survey.pixel_scale_arcsec
        self._ratio = given.ratio_to(self._scale_arcsec)
        factors = given.flux_factors([band.zero_point_mag for band in survey.bands])
        self._factors = {band: factor for band, factor in zip(given.bands, factors, strict=True) if factor != 1.0}
        self._rows: dict[tuple[str, str], Rows] = {}
        self._masks = {
            band: mask_rule(image.mask_bits, survey, band=band)
            for (band, kind), image in tile.images.items()
            if kind == "msk"
        }
        try:
            for key, image in tile.images.items():
                # a mask of whose bits nothing is known says nothing
                if key[1] != "msk" or self._masks[key[0]].known:
                    self._rows[key] = Rows(image)
            sigma = [self._checked_sigma(band, noise_factor) for band in survey.band_names]
        except InputError:
            self.close()
            raise
        # the flux of more or smaller pixels adds up, and so do their variances
        self.noise_sigma = self._ratio * np.array(sigma)

    def _checked_sigma(self, band: str, factor: float | None) -> float:
        if factor is None or (band, "sci") not in self._rows:
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
        place = self._place(x_pix, y_pix, size=size)
        planes = np.empty((len(place), len(self.survey.bands), size, size), np.float32)
        flags = np.zeros(len(place), np.int64)
        known, unknown_bits = np.zeros(len(place)), np.zeros(len(place), np.int64)
        for number, band in enumerate(self.survey.band_names):
            if (band, "sci") not in self._rows:
                planes[:, number] = np.nan
                flags |= FLAGS["missing_band"].value
                continue
            plane, share, some_flags = self._plane(band, place, unknown_bits)
            flags |= some_flags
            if self._ratio == 1.0:
                planes[:, number] = plane
            else:
                planes[:, number] = resample(plane, size=size, ratio=self._ratio)
                share, _ = _known_share(planes[:, number])
            known += share
        pixels = np.moveaxis(planes, 1, -1)
        flags[known == 0.0] |= FLAGS["blank"].value
        return Cutouts(pixels, flags, list(map(_reason, flags.tolist(), unknown_bits.tolist())))

    def _place(self, x_pix: np.ndarray, y_pix: np.ndarray, *, size: int) -> Place:
        side = size if self._ratio == 1.0 else source_size(size, self._ratio)
        return Place.around(np.asarray(x_pix, float), np.asarray(y_pix, float), size=side)

    def offsets_arcsec(self, x_pix: np.ndarray, y_pix: np.ndarray, *, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Where positions are from the middle of the cutouts around them, as these have whole pixels.

        Parameters
        ----------
        x_pix, y_pix, size
            As ``cut`` takes them.

        Returns
        -------
        tuple of ndarray
            Along x and y, float ``(n,)``.
        """
        place = self._place(x_pix, y_pix, size=size)
        pixel_arcsec, middle = self._scale_arcsec / self._ratio, 0.5 * (place.size - 1)
        return (x_pix - place.left - middle) * pixel_arcsec, (y_pix - place.bottom - middle) * pixel_arcsec

    def _plane(self, band: str, place: Place, unknown_bits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One band ``(n, side, side)`` in survey flux, the part of each that is known, and what is to be flagged."""
        rows = self._rows[band, "sci"]
        planes, inside = cut_plane(rows, place, fill=np.nan)
        # whole numbers are 0 by chance; others only where no exposure reached
        erase_no_data(planes, is_float=rows.is_float, masked_value=self.survey.masked_value)
        for kind in ("wei", "var", "rms"):
            if (band, kind) in self._rows:
                said, _ = cut_plane(self._rows[band, kind], place, fill=0.0)
                _erase(planes, no_pixel(kind, said))
        flags = np.where(inside < 1.0, FLAGS["edge"].value, 0)
        if (band, "msk") in self._rows:
            suspect = self._mask(planes, band, place, unknown_bits)
            flags |= np.where(suspect > _MASKED_SHARE, FLAGS["bad_background"].value, 0)
        if band in self._factors:
            planes *= self._factors[band]
        share, wild = _known_share(planes)
        return planes, share, flags | np.where((inside - share > _MASKED_SHARE) | wild, FLAGS["masked"].value, 0)

    def _mask(self, planes: np.ndarray, band: str, place: Place, unknown_bits: np.ndarray) -> np.ndarray:
        """Erase what a mask says is no pixel; the part of each plane's middle whose background is suspect."""
        suspect, rule = np.zeros(len(planes)), self._masks[band]
        dtype = np.int64 if rule.known >> 31 else np.int32
        masks, _ = cut_plane(self._rows[band, "msk"], place, fill=0, dtype=dtype)
        near = disc(masks.shape[1:], reach_pix=self._reach_pix)
        # most masks are empty
        for row in np.flatnonzero(masks.any(axis=(1, 2))):
            bits = masks[row]
            planes[row][no_pixel("msk", bits, rule)] = np.nan
            suspect[row] = np.mean(bits[near] & rule.suspect != 0)
            unknown_bits[row] |= int(np.bitwise_or.reduce(bits, axis=None)) & ~rule.known
        return suspect

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


def _reason(flags: int, unknown_bits: int) -> str:
    if flags & FLAGS["blank"].value:
        return "no data in any band: NaN, or one value throughout"
    if not unknown_bits:
        return ""
    bits = ", ".join(str(bit) for bit in range(63) if unknown_bits >> bit & 1)
    return f"bits {bits} of its mask are of unknown meaning and were left aside"


def _erase(planes: np.ndarray, bad: np.ndarray) -> None:
    if bad.any():
        planes[bad] = np.nan


def _known_share(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Part of each plane ``(n, height, width)`` that is known, and which held absurd values; the rest becomes NaN."""
    share, wild = np.ones(len(planes)), np.zeros(len(planes), bool)
    # the range tells most of them clean: it is finite and small
    with np.errstate(invalid="ignore"):
        peak = np.maximum(planes.max(axis=(1, 2)), -planes.min(axis=(1, 2)))
    for row in np.flatnonzero(may_be_absurd(planes, peak)):
        bad = absurd(planes[row])
        wild[row] = bad.any()
        bad |= ~np.isfinite(planes[row])
        planes[row][bad] = np.nan
        share[row] = 1.0 - np.mean(bad)
    return share, wild


def open_tile(
    tile: Tile,
    survey: Survey,
    *,
    scale_arcsec: float | None = None,
    noise_factor: float | None = 5.0,
    reach_arcsec: float = ARC_RADIUS_ARCSEC,
) -> OpenTile:
    """Open a tile for cutting; see ``OpenTile``.

    Parameters
    ----------
    tile : Tile
    survey : Survey
    scale_arcsec : float, optional
        Pixel scale of the cutouts, that of the detector; that of the survey if not given.
    noise_factor : float or None
        By which the background rms of a band may differ from the survey's; None measures none.
    reach_arcsec : float
        How far from the middle of a cutout a background that a mask calls suspect counts.

    Returns
    -------
    OpenTile
    """
    return OpenTile(tile, survey, scale_arcsec=scale_arcsec, noise_factor=noise_factor, reach_arcsec=reach_arcsec)
