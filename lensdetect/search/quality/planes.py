"""Cutouts as planes, and what is small enough to be looked at in all of them.

A cutout has 160 kB, so that each pass over its pixels costs more than all that
is done with the means of 5 x 5 of them. So the passes are few, all are made
while some cutouts are in a processor's cache, and what they leave is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lensdetect.images.disc import disc
from lensdetect.search.quality.binning import CELL_PIX, along_x, strips_of

#: A sample of a plane's pixels: one in so many along each axis.
_STEP_PIX = 4

#: Middle and lower 16 % of the sky, between which lies one standard deviation of a normal distribution.
_LOW, _MIDDLE = 0.1587, 0.5

#: Part of a cell's pixels without which it is not known.
_KNOWN_SHARE = 0.5

#: Cutouts whose pixels are passed over together.
_CHUNK = 2


@dataclass(frozen=True)
class Planes:
    """Cutouts band by band.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(n, band, height, width)``, in the unit of the cutouts; NaN where there is no pixel.
    sky, sigma : ndarray
        float32 ``(n, band)``: median and noise of each plane; sky 0 for a plane without pixels.
    sharpest : ndarray
        float32 ``(n, band)``: most that a pixel within reach is above the sum of its two neighbours along x or y, in
        sigma.
    eighths : ndarray
        float32 ``(n, band, height, 8)``: means of eight parts of each row, over the sky, in sigma.
    strips : ndarray
        float32 ``(n, band, strips, width)``: means of five rows, over the sky, in sigma.
    holed : ndarray
        bool ``(n, band)``: planes of which pixels are missing, which are few.
    gaps : ndarray
        bool ``(planes, height, width)``: where pixels of the holed planes are missing.
    cells : ndarray
        float32 ``(n, band, rows, columns)``: means of the known pixels of 5 x 5, over zero, in sigma of a pixel.
    known : ndarray
        bool, the same shape: cells of which half the pixels are known; the others are 0.
    whole : ndarray
        bool, the same shape: cells of which all pixels are known.
    reach_pix : float
        How far from the middle something touches what is there.
    """

    pixels: np.ndarray
    sky: np.ndarray
    sigma: np.ndarray
    sharpest: np.ndarray
    eighths: np.ndarray
    strips: np.ndarray
    holed: np.ndarray
    gaps: np.ndarray
    cells: np.ndarray
    known: np.ndarray
    whole: np.ndarray
    reach_pix: float

    @property
    def live(self) -> np.ndarray:
        """Planes that have pixels, bool ``(n, band)``."""
        return self.known.any(axis=(2, 3))

    def within_reach(self, cells: np.ndarray, *, cell_pix: int, beyond_pix: float) -> np.ndarray:
        """Which cells of so many pixels have their middle no farther out than so much beyond reach."""
        reach_pix = self.reach_pix + beyond_pix
        return disc(self.pixels.shape[-2:], cells.shape[-2:], cell_pix=cell_pix, reach_pix=reach_pix)

    def over_sky(self, rows: np.ndarray | slice, bands: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Some planes over their sky, in sigma; 0 where there is no pixel."""
        z = self.pixels[rows, bands] - self.sky[rows, bands, None, None]
        z /= self.sigma[rows, bands, None, None]
        return self._filled(z, rows, bands)

    def middle(self, half: int, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Squares about the middle pixel over the sky, in sigma ``(rows, band, side, side)``; 0 for no pixel."""
        z = middle_of(self.pixels[rows], half) - self.sky[rows, :, None, None]
        z /= self.sigma[rows, :, None, None]
        return self._filled(z, rows, slice(None))

    def _filled(self, z: np.ndarray, rows: np.ndarray | slice, bands: np.ndarray | slice) -> np.ndarray:
        holed = self.holed[rows, bands]
        if holed.any():
            z[holed] = np.nan_to_num(z[holed], nan=0.0, posinf=0.0, neginf=0.0)
        return z


def middle_of(values: np.ndarray, half: int) -> np.ndarray:
    """Square about the middle pixel of each plane."""
    row, column = (side // 2 for side in values.shape[-2:])
    return values[..., row - half : row + half + 1, column - half : column + half + 1]


def planes_of(pixels: np.ndarray, noise_sigma: np.ndarray, *, reach_pix: float = np.inf) -> Planes:
    """Measure sky and noise of each plane, and bin it.

    The noise is measured in the cutout itself, from values below the middle
    where no object's light is, but is never below the tile's; a cutout full of
    light falls back on that.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(n, height, width, band)``; NaN is no pixel. Fastest where band by band lies together in memory.
    noise_sigma : ndarray
        ``(band,)``: of the tile.
    reach_pix : float
        How far from the middle something touches what is there.

    Returns
    -------
    Planes
    """
    planes = np.moveaxis(pixels, -1, 1)
    count, bands, height, width = planes.shape
    sky, sigma, sharpest = np.empty((3, count, bands), np.float32)
    holed = np.zeros((count, bands), bool)
    eighths = np.empty((count, bands, height, 8), np.float32)
    strips = np.empty((count, bands, height // CELL_PIX, width), np.float32)
    room = np.empty((_CHUNK, bands, height, width), np.float32)
    window, allowed = _window(height, width, reach_pix)
    usual = np.nan_to_num(np.asarray(noise_sigma, np.float32), nan=1.0)
    gaps = [np.zeros((0, height, width), bool)]
    for start in range(0, count, _CHUNK):
        some = slice(start, min(start + _CHUNK, count))
        part = room[: some.stop - start]
        np.copyto(part, planes[some])
        sky[some], sigma[some] = _sky(part, usual)
        strips_of(part, out=strips[some])
        holed[some] = _has_gaps(part, strips[some])
        gaps.append(_fill(part, strips[some], holed=holed[some], sky=sky[some]))
        eighths[some] = _eighths(part)
        sharpest[some] = _sharpest(part[(..., *window)], holed[some], gaps[-1][(..., *window)], allowed=allowed)
    for means in (strips, eighths):
        means -= sky[..., None, None]
        means /= sigma[..., None, None]
    # two neighbours hold the sky twice; above zero it may be a galaxy's light, which is not everywhere
    sharpest = (sharpest + np.minimum(sky, 0.0)) / sigma
    gaps = np.concatenate(gaps)
    cells, known, whole = _cells(strips, holed, gaps)
    cells += (sky / sigma)[..., None, None] * known
    return Planes(planes, sky, sigma, sharpest, eighths, strips, holed, gaps, cells, known, whole, reach_pix)


@lru_cache(maxsize=32)
def _window(height: int, width: int, reach_pix: float) -> tuple[tuple[slice, slice], np.ndarray]:
    """Rows and columns that hold all that is within reach and its neighbours, and 0 there, minus infinity elsewhere."""
    near = disc((height, width), reach_pix=reach_pix)
    near[[0, -1]] = near[:, [0, -1]] = False
    rows, columns = (np.flatnonzero(near.any(axis=axis)) for axis in (1, 0))
    window = tuple(slice(max(found.min(initial=1) - 1, 0), found.max(initial=1) + 2) for found in (rows, columns))
    return window, np.where(near[window], 0.0, -np.inf).astype(np.float32)[1:-1]


def _has_gaps(planes: np.ndarray, strips: np.ndarray) -> np.ndarray:
    """Which planes ``(n, band)`` have pixels that are not finite: a sum is finite where all is."""
    with np.errstate(invalid="ignore"):
        rest = planes[..., strips.shape[2] * CELL_PIX :, :]
        return ~np.isfinite(np.einsum("nbsx->nb", strips) + rest.sum(axis=(2, 3)))


def _fill(planes: np.ndarray, strips: np.ndarray, *, holed: np.ndarray, sky: np.ndarray) -> np.ndarray:
    """Put the sky where pixels are missing, and make the strips again; where they are, plane by plane."""
    missing = ~np.isfinite(planes[holed])
    if len(missing):
        planes[holed] = np.where(missing, sky[holed][:, None, None], planes[holed])
        strips[holed] = strips_of(planes[holed])
    return missing


def _sky(planes: np.ndarray, usual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and noise of each plane."""
    # NaN is sorted behind all numbers
    ordered = np.sort(planes[..., ::_STEP_PIX, ::_STEP_PIX].reshape(*planes.shape[:2], -1), axis=-1)
    count = ordered.shape[-1]
    low, middle = ordered[..., int(_LOW * (count - 1))], ordered[..., int(_MIDDLE * (count - 1))]
    if np.isnan(ordered[..., -1]).any():
        known = count - np.isnan(ordered).sum(axis=-1, keepdims=True)
        places = [np.floor(share * np.maximum(known - 1, 0)).astype(int) for share in (_LOW, _MIDDLE)]
        low, middle = (np.take_along_axis(ordered, place, axis=-1)[..., 0] for place in places)
    sigma = middle - low
    # noise that resampling has smoothed is less in a pixel, but not in the mean of many
    sigma = np.where(sigma < 3.0 * usual, np.maximum(sigma, usual), usual)
    return np.nan_to_num(middle), sigma


def _eighths(planes: np.ndarray) -> np.ndarray:
    """Means of eight parts of each row."""
    width = planes.shape[-1]
    return (planes.reshape(-1, width) @ _eighth_weights(width)).reshape(*planes.shape[:-1], 8)


@lru_cache(maxsize=32)
def _eighth_weights(width: int) -> np.ndarray:
    """Weights ``(width, 8)`` of the parts of a row."""
    part = np.arange(width)[:, None] * 8 // width == np.arange(8)
    return (part / part.sum(axis=0)).astype(np.float32)


def _sharpest(planes: np.ndarray, holed: np.ndarray, missing: np.ndarray, *, allowed: np.ndarray) -> np.ndarray:
    """Most that a pixel with four neighbours is above the sum of two of them ``(n, band)``, where that is allowed."""
    count, bands, height, width = planes.shape
    flat = planes.reshape(count, bands, -1)
    inner = np.empty((count, bands, (height - 2) * width), np.float32)
    sharp = inner.reshape(count, bands, height - 2, width)
    around = missing[:, 1:-1] | missing[:, :-2] | missing[:, 2:]
    around[..., 1:-1] |= missing[:, 1:-1, :-2] | missing[:, 1:-1, 2:]
    highest = []
    # as long rows, in which the neighbours along x of the first and last pixels of a row are in other rows
    for step in (1, width):
        np.add(
            flat[..., width - step : -width - step], flat[..., width + step : flat.shape[-1] - width + step], out=inner
        )
        np.subtract(flat[..., width:-width], inner, out=inner)
        sharp += allowed
        if len(missing):
            sharp[holed] = np.where(around, -np.inf, sharp[holed])
        highest.append(inner.max(axis=-1))
    return np.maximum(*highest)


def _cells(strips: np.ndarray, holed: np.ndarray, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of known pixels over the sky, and which cells are known, by half and as a whole."""
    means = along_x(strips)
    known, whole = np.ones((2, *means.shape), bool)
    if len(gaps):
        missing = along_x(strips_of(gaps.astype(np.float32)))
        known[holed], whole[holed] = missing < 1.0 - _KNOWN_SHARE, missing == 0.0
        means[holed] *= known[holed] / np.maximum(1.0 - missing, np.float32(_KNOWN_SHARE))
    return means, known, whole
