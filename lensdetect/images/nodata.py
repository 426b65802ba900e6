"""Where there are no data: the one rule for training, scores, searches and painting."""

from __future__ import annotations

import numpy as np

#: So many pixels of a plane may be exactly 0 by chance or by hand; more are where no exposure reached.
_FEW = 4


def erase_no_data(planes: np.ndarray, *, is_float: bool = True, masked_value: float | None = None) -> None:
    """Make NaN what holds no data, in place: exact zeros, planes of one value, and a survey's masked value.

    Noise has no exact zeros and no two neighbours alike. Whole numbers, in which
    0 is a value like another, keep theirs. What is infinite is left for those who
    count finite pixels.

    Parameters
    ----------
    planes : ndarray
        Floating ``(n, height, width)``, changed in place.
    is_float : bool
        Whether pixels were numbers with a point on disk.
    masked_value : float, optional
        That marks masked pixels.
    """
    if masked_value is not None:
        _erase(planes, planes == np.float32(masked_value))
    if not planes.size:
        return
    if is_float:
        _erase_zeros(planes)
    _erase_constant(planes)


def _erase_zeros(planes: np.ndarray) -> None:
    zero = planes == 0.0
    if not zero.any():
        return
    for row in np.flatnonzero(zero.sum(axis=(1, 2)) > _FEW):
        if not _is_whole(planes[row]):
            planes[row][zero[row]] = np.nan


def _is_whole(plane: np.ndarray) -> bool:
    """Whether a plane holds whole numbers, and not 0 alone."""
    known = plane[np.isfinite(plane)]
    return bool((known == np.rint(known)).all() and known.any())


def _erase_constant(planes: np.ndarray) -> None:
    height, width = planes.shape[1:]
    if height * width <= _FEW:
        return
    # three pixels tell nearly all planes from one of a single value
    first, middle, last = planes[:, 0, 0], planes[:, height // 2, width // 2], planes[:, -1, -1]
    for row in np.flatnonzero(~(_differ(first, middle) | _differ(middle, last))):
        known = planes[row][np.isfinite(planes[row])]
        if len(known) > 1 and known.min() == known.max():
            planes[row] = np.nan


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.isfinite(one) & np.isfinite(other) & (one != other)


def _erase(planes: np.ndarray, bad: np.ndarray) -> None:
    if bad.any():
        planes[bad] = np.nan
