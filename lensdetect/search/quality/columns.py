"""Rows and columns of a detector that are too bright, too dark or dead, and come near the middle.

They are in one band as a rule, and what is on the sky is in several: what
stands out in other bands too is none. A bad column is as far off in each of
its pixels, which no object is.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lensdetect.images.disc import disc
from lensdetect.search.quality.planes import Planes

#: A column is compared with those this far away: farther than bad ones are wide, nearer than the seeing is.
_LAG_PIX = 3

#: Parts of a column or row, 5 or 12 pixels, count up to this many sigma, so that no object outweighs it.
_CLIP_SIGMA = 1.5

#: Lengths from the edge in such parts, of a column and of a row, and the mean difference that is worth a second look,
#: in sigma: one in four good cutouts has a column as far off by chance or by its objects.
_SUSPECTS = ((2, 1, 1.3), (5, 2, 0.95), (10, 4, 0.7), (20, 8, 0.55))

#: Columns that a suspect is compared with in the second look.
_BESIDE_PIX = np.array([-6, -5, -4, -3, 3, 4, 5, 6])

#: A wide fault has columns nearer to the middle than that which stands out most.
_BESIDE_A_WIDE_ONE_PIX = 2.0

#: Lengths from the edge over which single pixels are looked at.
_LENGTHS_PIX = (12, 16, 25, 50, 10_000)

#: A fault is as large in each pixel, which no object is: its median, in sigma and in standard deviations of a mean
#: (1.2 is what a pixel less the median of its neighbours has, and a median has 1.25 times the noise of a mean), and
#: the part of the pixels that are between half of it and half as much again, or so many sigma more.
_FAULT_SIGMA, _FAULT_NOISE, _FAULT_SHARE, _SCATTER_SIGMA = 1.0, 5.5, 0.85, 2.0

#: Least number of pixels of a dead column, and the part of them that may be missing in those beside it: a round mask
#: becomes narrow too slowly.
_DEAD_PIX, _DEAD_BESIDE = 10, 0.4


def find_bad_columns(planes: Planes) -> np.ndarray:
    """Rows and columns that are too bright, too dark or dead from some pixel within reach to an edge.

    Parameters
    ----------
    planes : Planes

    Returns
    -------
    ndarray
        bool ``(n,)``.
    """
    found = np.zeros(len(planes.sky), bool)
    for is_row, means in enumerate((_column_means(planes), _row_means(planes))):
        rows, bands, places = _suspects(means)
        least_pix = _least_length(places, planes, is_row=bool(is_row))
        near = np.isfinite(least_pix)
        if near.any():
            rows, bands, places, least_pix = rows[near], bands[near], places[near], least_pix[near]
            own, known = _beside(planes, rows, places, is_row=bool(is_row))
            found[rows[_is_fault(own, known, bands, least_pix)]] = True
    if len(planes.gaps):
        near = disc(planes.gaps.shape[-2:], reach_pix=planes.reach_pix)
        dead = _dead(planes.gaps, near) | _dead(planes.gaps.swapaxes(-1, -2), near.T)
        found[np.nonzero(planes.holed)[0][dead]] = True
    return found


def _column_means(planes: Planes) -> np.ndarray:
    """Means of columns from both edges over all lengths: ``(n, band, mean, width)``."""
    strips = np.clip(planes.strips, -_CLIP_SIGMA, _CLIP_SIGMA)
    return np.matmul(_end_weights(strips.shape[-2], tuple(row[0] for row in _SUSPECTS)), strips)


def _row_means(planes: Planes) -> np.ndarray:
    """Means of rows: ``(n, band, mean, height)``."""
    eighths = np.clip(planes.eighths, -_CLIP_SIGMA, _CLIP_SIGMA)
    return np.matmul(_end_weights(eighths.shape[-1], tuple(row[1] for row in _SUSPECTS)), eighths.swapaxes(-1, -2))


@lru_cache(maxsize=16)
def _end_weights(count: int, lengths: tuple[int, ...]) -> np.ndarray:
    """Weights ``(mean, part)`` of parts of a column in its means from both edges."""
    places = np.arange(count)
    lengths = [min(length, count) for length in lengths]
    ends = [end / length for length in lengths for end in (places < length, places >= count - length)]
    return np.array(ends, np.float32)


def _suspects(means: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cutout, band and number of the columns with a mean far from those beside them."""
    # at an edge both of those beside are on one side
    lag = _LAG_PIX
    ends = means[..., 2 * lag : 3 * lag], means[..., -3 * lag : -2 * lag]
    wide = np.concatenate([ends[0], means, ends[1]], axis=-1)
    difference = wide[..., : -2 * lag] + wide[..., 2 * lag :]
    difference *= np.float32(-0.5)
    difference += means
    np.abs(difference, out=difference)
    highest, second = _two_highest(difference)
    limits = np.repeat([limit for *_, limit in _SUSPECTS], 2).astype(np.float32)
    # what is on the sky stands out in the second band as well
    cutouts, which, columns = np.nonzero(highest - 0.5 * second > limits[:, None])
    bands = difference[cutouts, :, which, columns].argmax(axis=1)
    return tuple(np.unique([cutouts, bands, columns], axis=1))


def _two_highest(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Highest and second of the bands, which are axis 1; 0 where there is no second."""
    highest, second = difference[:, 0], np.zeros_like(difference[:, 0])
    for number in range(1, difference.shape[1]):
        band = difference[:, number]
        np.maximum(second, np.minimum(highest, band), out=second)
        highest = np.maximum(highest, band)
    return highest, second


def _beside(planes: Planes, rows: np.ndarray, places: np.ndarray, *, is_row: bool) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of columns less the median of those beside them, in sigma.

    Returns
    -------
    own : ndarray
        ``(column, band, height)``; 0 where a pixel is missing.
    known : ndarray
        bool, the same shape.
    """
    pixels = planes.pixels.swapaxes(-1, -2) if is_row else planes.pixels
    last = pixels.shape[-1] - 1
    columns = places[:, None] + _BESIDE_PIX
    # beyond an edge those on the other side stand twice
    columns = np.where((columns < 0) | (columns > last), 2 * places[:, None] - columns, columns)
    around = pixels[rows[:, None], :, :, columns]
    difference = pixels[rows, :, :, places] - np.median(around, axis=1)
    known = np.isfinite(difference)
    return np.where(known, difference, 0.0) / planes.sigma[rows][..., None], known


def _least_length(places: np.ndarray, planes: Planes, *, is_row: bool) -> np.ndarray:
    """How many pixels from an edge columns have to be for their end to be within reach of the middle."""
    height, width = planes.pixels.shape[-2:]
    if is_row:
        height, width = width, height
    away = np.maximum(np.abs(places - width // 2) - _BESIDE_A_WIDE_ONE_PIX, 0.0)
    beside = np.sqrt(np.maximum(planes.reach_pix**2 - away**2, 0.0)) if np.isfinite(planes.reach_pix) else height
    return np.where(away <= planes.reach_pix, np.maximum(height // 2 - beside, 0.0), np.inf)


def _is_fault(own: np.ndarray, known: np.ndarray, bands: np.ndarray, least_pix: np.ndarray) -> np.ndarray:
    """Whether columns differ from those beside them alike in all pixels from an edge on, and in one band alone."""
    found = np.zeros(len(own), bool)
    numbers, height = np.arange(len(own)), own.shape[-1]
    alone, count = own[numbers, bands], known[numbers, bands]
    for length in _LENGTHS_PIX:
        for part in (slice(0, length), slice(max(height - length, 0), height)):
            fault, alike = _alike(alone[:, part], count[:, part])
            rows = np.flatnonzero(alike & ~found & (min(length, height) > least_pix))
            if len(rows):
                others = np.median(own[rows][..., part], axis=-1) * np.sign(fault[rows])[:, None]
                others[np.arange(len(rows)), bands[rows]] = 0.0
                excess = np.abs(fault[rows]) - np.maximum(others.max(axis=1), 0.0)
                found[rows[excess > _least_fault(count[rows, part])]] = True
    return found


def _alike(pixels: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median of parts of columns, and whether it is a fault that nearly all of their pixels have."""
    fault = np.median(pixels, axis=-1)
    size = np.abs(fault)[:, None]
    height = np.sign(fault)[:, None] * pixels
    near = (height > 0.5 * size) & (height < 1.5 * size + _SCATTER_SIGMA)
    return fault, (near.mean(axis=-1) >= _FAULT_SHARE) & (size[:, 0] > _least_fault(known))


def _least_fault(known: np.ndarray) -> np.ndarray:
    """Least fault that stands out of the noise of so many pixels, in sigma."""
    return np.maximum(_FAULT_SIGMA, _FAULT_NOISE / np.sqrt(np.maximum(known.sum(axis=-1), 1)))


def _dead(missing: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Planes with columns without pixels from an edge to the middle, no more than three side by side.

    Strips along an edge are none: there a tile ends.
    """
    found, touching = np.zeros(len(missing), bool), (missing & near).any(axis=-2)
    for part in (missing[..., :_DEAD_PIX, :], missing[..., -_DEAD_PIX:, :]):
        share = part.mean(axis=-2, dtype=np.float32)
        gone = share == 1.0
        for width in (1, 2, 3):
            own = [slice(1 + step, gone.shape[-1] - width + step) for step in range(width)]
            inside = np.all([gone[..., one] for one in own], axis=0)
            inside &= np.any([touching[..., one] for one in own], axis=0)
            sides = np.maximum(share[..., : -width - 1], share[..., width + 1 :]) <= _DEAD_BESIDE
            found |= (inside & sides).any(axis=-1)
    return found
