"""Cutouts at another pixel scale, with every flux as it was."""

from __future__ import annotations

import math

import numpy as np

#: Where less than this part of a new pixel is known it is NaN.
_KNOWN_SHARE = 0.5


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
    known = np.isfinite(planes)
    flux = weights @ np.where(known, planes, np.float32(0.0)) @ weights.T
    if known.all():
        return flux
    share = (weights @ known.astype(np.float32) @ weights.T) / np.float32(ratio**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share >= _KNOWN_SHARE, flux / share, np.float32(np.nan))
