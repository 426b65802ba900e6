"""Straight lines in cutouts: bad columns and trails.

Both are in one band as a rule, and what is on the sky is in several: where the
other bands show something, a line is not looked for, and a column that stands
out in other bands too is none. A survey of one band has only the lines that
stand out far.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import sparse

from lensdetect.search.planes import Planes, cells, neighbours

#: A column is compared with those this far away: farther than bad ones are wide, nearer than the seeing is.
_LAG_PIX = 3

#: Differences count up to this many sigma, so that no object outweighs a column.
_CLIP_SIGMA = 1.5

#: Lengths from the edge over which columns are averaged, and the mean difference that is suspect, in sigma.
_LENGTHS_PIX = ((25, 1.22), (50, 0.93), (10_000, 0.70))

#: Side of the cells in which trails are looked for, and directions of lines.
_CELL_PIX, _ANGLES = 3, 36

#: Light of one pixel counts up to this many sigma in a trail.
_TRAIL_CLIP_SIGMA = 4.0

#: Mean of nine cells, in sigma of a pixel, from which a band shows an object.
_OBJECT_SIGMA = 0.7

#: Sum of a line's cells over the root of their number, in sigma of a pixel, that is a trail: with other bands to
#: tell what is on the sky, and without.
_TRAIL_SIGMA, _TRAIL_ALONE_SIGMA = 4.0, 12.0

#: Shorter lines are corners, in cells.
_SHORTEST_CELLS = 12


def find_bad_columns(planes: Planes) -> np.ndarray:
    """Rows and columns that are too bright, too dark or dead from some pixel to an edge.

    Parameters
    ----------
    planes : Planes

    Returns
    -------
    ndarray
        bool ``(n,)``.
    """
    found = _columns(planes, along_y=True) | _columns(planes, along_y=False)
    if planes.holed.any():
        found |= _dead(planes.missing) | _dead(planes.missing.swapaxes(-1, -2))
    return found


def _columns(planes: Planes, *, along_y: bool) -> np.ndarray:
    """Columns (along y) or rows that stand out against those to both sides."""
    height, width = planes.z.shape[-2:]
    step = _LAG_PIX if along_y else _LAG_PIX * width
    before, here, after = neighbours(planes.z, step)
    difference = np.zeros_like(planes.z)
    inner = difference.reshape(*planes.z.shape[:2], -1)[..., step:-step]
    np.add(before, after, out=inner)
    inner *= -0.5
    inner += here
    np.clip(inner, -_CLIP_SIGMA, _CLIP_SIGMA, out=inner)
    edge = (..., slice(None), [*range(_LAG_PIX), *range(-_LAG_PIX, 0)])
    if along_y:
        difference[edge] = 0.0
    if planes.holed.any():
        gone = planes.missing[planes.holed]
        axis = 2 if along_y else 1
        around = gone | np.roll(gone, _LAG_PIX, axis) | np.roll(gone, -_LAG_PIX, axis)
        difference[planes.holed] *= ~around
    weights, limits = _column_weights(height if along_y else width)
    mean = np.matmul(weights, difference) if along_y else np.matmul(difference, weights.T).swapaxes(-1, -2)
    mean = np.abs(mean)
    if mean.shape[1] > 1:
        # what is on the sky stands out in the second band as well
        ordered = np.partition(mean, -2, axis=1)
        mean = ordered[:, -1] - 0.5 * ordered[:, -2]
    else:
        mean = mean[:, 0]
    return (mean > limits[:, None]).any(axis=(1, 2))


@lru_cache(maxsize=16)
def _column_weights(height: int) -> tuple[np.ndarray, np.ndarray]:
    """Means over the first and last rows ``(mean, height)``, and their limits."""
    rows = np.arange(height)
    weights, limits = [], []
    for length, limit in _LENGTHS_PIX:
        length = min(length, height)
        for part in (rows < length, rows >= height - length):
            weights.append(part / np.float32(length))
            limits.append(limit)
    return np.array(weights, np.float32), np.array(limits, np.float32)


def _dead(missing: np.ndarray) -> np.ndarray:
    """Columns without pixels from an edge on, no more than three side by side."""
    length = _LENGTHS_PIX[0][0]
    found = np.zeros(len(missing), bool)
    for part in (missing[..., :length, :], missing[..., -length:, :]):
        gone = part.all(axis=-2)
        beside = np.zeros_like(gone)
        beside[..., :-_LAG_PIX] |= gone[..., _LAG_PIX:]
        beside[..., _LAG_PIX:] |= gone[..., :-_LAG_PIX]
        narrow = gone & ~beside
        # a wider strip has columns that are dead three to their left or right, all but of a strip of up to five
        narrow[..., 1:-1] &= ~(beside[..., 2:] | beside[..., :-2])
        found |= narrow.any(axis=(1, 2))
    return found


def find_trails(planes: Planes) -> np.ndarray:
    """Lines through the whole cutout.

    Parameters
    ----------
    planes : Planes

    Returns
    -------
    ndarray
        bool ``(n,)``.
    """
    light = cells(np.minimum(planes.z, np.float32(_TRAIL_CLIP_SIGMA)), _CELL_PIX)
    shown = _smooth(light) > _OBJECT_SIGMA
    elsewhere = np.sum(shown, axis=1, keepdims=True) > shown
    lines = _lines(light.shape[-1])
    count = len(light) * light.shape[1]
    light = np.where(elsewhere, np.float32(0.0), light).reshape(count, -1)
    highest = (lines @ np.ascontiguousarray(light.T)).max(axis=0).reshape(len(planes.z), -1).max(axis=1)
    live = (~planes.missing.all(axis=(2, 3))).sum(axis=1)
    return highest > np.where(live > 1, _TRAIL_SIGMA, _TRAIL_ALONE_SIGMA)


def _smooth(light: np.ndarray) -> np.ndarray:
    """Mean of each cell and its eight neighbours."""
    padded = np.pad(light, ((0, 0), (0, 0), (1, 1), (1, 1)))
    rows = padded[:, :, :-2] + padded[:, :, 1:-1] + padded[:, :, 2:]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / np.float32(9.0)


@lru_cache(maxsize=8)
def _lines(side: int) -> sparse.csr_array:
    """Weights ``(line, side * side)`` of cells along lines one cell wide, of all directions and distances.

    They are one over the root of the number of a line's cells, so that the noise of all sums is one.
    """
    y, x = np.mgrid[:side, :side] - 0.5 * (side - 1)
    rows, columns = [], []
    number = 0
    for angle in np.pi * np.arange(_ANGLES) / _ANGLES:
        across = np.rint(np.cos(angle) * y - np.sin(angle) * x).astype(int).ravel()
        for distance in np.unique(across):
            members = np.flatnonzero(across == distance)
            if len(members) >= _SHORTEST_CELLS:
                rows.append(np.full(len(members), number))
                columns.append(members)
                number += 1
    lengths = np.concatenate([np.full(len(line), len(line), np.float32) for line in columns])
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_array((1.0 / np.sqrt(lengths), (rows, columns)), shape=(number, side * side))
