"""Cutouts at another pixel scale, with every flux as it was."""

from __future__ import annotations

import math

import numpy as np

#: Where less than this part of a new pixel is known it is NaN: half of it, but for rounding.
_KNOWN_SHARE = 0.4999


def source_size(size: int, ratio: float) -> int:
    """Side of the cutout to be resampled.

    Parameters
    ----------
    size : int
        Side of the result.
    ratio : float
        New pixel scale over the old one.

    Returns
    -------
    int
        Odd if ``size`` is, so that the middle stays that of a pixel.
    """
    needed = math.ceil(size * ratio - 1e-9)
    return needed + (needed - size) % 2


def overlap(size: int, ratio: float) -> np.ndarray:
    """Length of each old pixel that lies in each new one, along one axis.

    Parameters
    ----------
    size : int
        New pixels.
    ratio : float
        New pixel scale over the old one.

    Returns
    -------
    ndarray
        float32 ``(size, source_size(size, ratio))``, in old pixels.
    """
    count = source_size(size, ratio)
    new = (np.arange(size + 1) - 0.5 * size) * ratio
    old = np.arange(count + 1) - 0.5 * count
    low = np.maximum(new[:-1, None], old[None, :-1])
    high = np.minimum(new[1:, None], old[None, 1:])
    return np.maximum(high - low, 0.0).astype(np.float32)


def resample(planes: np.ndarray, *, size: int, ratio: float) -> np.ndarray:
    """Resample about the middle by the area that pixels share.

    The flux of an old pixel goes to new ones by the parts of its area that they
    cover, so sums are kept exactly.

    Parameters
    ----------
    planes : ndarray
        float32 ``(..., source, source)`` with ``source_size(size, ratio)``; NaN is no pixel.
    size : int
        Side of the result.
    ratio : float
        New pixel scale over the old one.

    Returns
    -------
    ndarray
        float32 ``(..., size, size)``. A new pixel of which a part is not known
        has the flux that the known part suggests, if that is half of it or more.
    """
    weights = overlap(size, ratio)
    # the sum is finite where all is; only planes with holes are looked at pixel by pixel
    with np.errstate(invalid="ignore", over="ignore"):
        holed = ~np.isfinite(planes.sum(axis=(-2, -1)))
    if not holed.any():
        return _gather(planes, weights)
    known = np.isfinite(planes[holed])
    filled = planes.copy()
    filled[holed] = np.where(known, planes[holed], np.float32(0.0))
    flux = _gather(filled, weights)
    share = _gather(known.astype(np.float32), weights) / np.float32(ratio**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        flux[holed] = np.where(share >= _KNOWN_SHARE, flux[holed] / share, np.float32(np.nan))
    return flux


def _gather(planes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums of old pixels ``(..., source, source)`` with their weights along both axes."""
    return _gather_along(_gather_along(planes, weights, axis=-2), weights, axis=-1)


def _gather_along(planes: np.ndarray, weights: np.ndarray, *, axis: int) -> np.ndarray:
    # A new pixel has a few old ones, which are neighbours. A product of matrices would do more, and would wake
    # threads on all cores, where a detector is at work.
    count = int(np.sum(weights > 0.0, axis=1).max())
    first = np.minimum(np.argmax(weights > 0.0, axis=1), weights.shape[1] - count)
    total = None
    for place in first + np.arange(count)[:, None]:
        part = np.take(planes, place, axis=axis)
        part *= weights[np.arange(len(weights)), place].reshape((-1,) + (1,) * (-1 - axis))
        total = part if total is None else np.add(total, part, out=total)
    return total
