"""Bad pixels, for features that cannot do without a value."""

from __future__ import annotations

import numpy as np

#: Rounds of filling, as the ALL team did (Metcalf+ 2019, section on ALL).
_ROUNDS = 5


def fill_blanks(cutouts: np.ndarray) -> np.ndarray:
    """Give bad pixels the mean of their good neighbours.

    Each round fills the pixels beside good ones; the inside of a large hole, and
    a missing band, become 0, which is the sky.

    Parameters
    ----------
    cutouts : ndarray
        ``(n, height, width, band)``, NaN where bad.

    Returns
    -------
    ndarray
        float32 of the same shape, finite; a new array.
    """
    filled = np.array(cutouts, np.float32)
    filled[~np.isfinite(filled)] = np.nan
    holed = np.flatnonzero(np.isnan(filled).any(axis=(1, 2, 3)))
    for _ in range(_ROUNDS):
        if not len(holed):
            break
        filled[holed] = _filled_once(filled[holed])
    return np.nan_to_num(filled, copy=False, nan=0.0)


def _filled_once(cutouts: np.ndarray) -> np.ndarray:
    good = ~np.isnan(cutouts)
    total, count = np.zeros_like(cutouts), np.zeros(cutouts.shape, np.float32)
    values = np.where(good, cutouts, np.float32(0))
    for axis in (1, 2):
        ahead = tuple(slice(1, None) if i == axis else slice(None) for i in range(4))
        behind = tuple(slice(None, -1) if i == axis else slice(None) for i in range(4))
        for here, there in ((ahead, behind), (behind, ahead)):
            total[here] += values[there]
            count[here] += good[there]
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return np.where(good, cutouts, mean)
