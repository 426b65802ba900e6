"""Straight lines in cutouts: trails, and spikes of stars.

A trail is in one band as a rule, and what is on the sky is in several: where
the other bands show something, it is not looked for. A survey of one band has
only the trails that are narrower than what they run through.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.ndimage import median_filter

from lensdetect.search.quality.binning import smooth
from lensdetect.search.quality.planes import Planes

#: Directions of lines.
_ANGLES = 36

#: Light of one pixel counts up to this many sigma in a trail.
_TRAIL_CLIP_SIGMA = 4.0

#: Mean of nine cells, in sigma of a pixel, from which a band shows an object.
_OBJECT_SIGMA = 0.7

#: Sum of a line's cells over the root of their number, in sigma of a pixel, that is a trail: with other bands to
#: tell what is on the sky, and without. Without, 1 % of good simulated stamps reach 5.2, 92 real cutouts of KiDS 4.6.
_TRAIL_SIGMA, _TRAIL_ALONE_SIGMA = 4.0, 5.5

#: Side in cells of the squares whose median is taken off where there is but one band: wider than a trail, narrower
#: than a galaxy's light; and how much a cell counts then, at most, in sigma of a pixel.
_AROUND_CELLS, _ALONE_CLIP_SIGMA = 7, 2.0

#: Half of the width of a trail: it comes within reach before its middle does.
_TRAIL_HALF_PIX = 4.0

#: Side of the cells of lines in pixels; lines of fewer cells are corners.
_LINE_PIX, _SHORTEST_CELLS = 3, 12


def find_trails(planes: Planes, rows: np.ndarray) -> np.ndarray:
    """Lines through the whole cutout that come within reach of the middle.

    Parameters
    ----------
    planes : Planes
    rows : ndarray
        Numbers of the cutouts to look at: it takes long.

    Returns
    -------
    ndarray
        bool ``(rows,)``.
    """
    z = planes.over_sky(rows)
    light = line_cells(np.clip(z, None, _TRAIL_CLIP_SIGMA, out=z))
    alone = planes.live[rows].sum(axis=1) < 2
    highest = np.zeros(len(rows), np.float32)
    if alone.any():
        narrow = _narrow_light(light[alone].sum(axis=1), planes.reach_pix)
        highest[alone] = narrow * (_TRAIL_SIGMA / _TRAIL_ALONE_SIGMA)
    if not alone.all():
        highest[~alone] = _light_of_one_band(light[~alone], planes.reach_pix)
    return highest > _TRAIL_SIGMA


def _light_of_one_band(light: np.ndarray, reach_pix: float) -> np.ndarray:
    """Highest sum along a line of what is in one band and in no other, of cells ``(n, band, side, side)``."""
    shown = smooth(light) > _OBJECT_SIGMA
    elsewhere = np.sum(shown, axis=1, keepdims=True) > shown
    light = np.where(elsewhere, np.float32(0.0), light)
    sums = line_sums(light.reshape(-1, *light.shape[2:]), reach_pix)
    return sums.max(axis=0).reshape(len(light), -1).max(axis=1)


def _narrow_light(light: np.ndarray, reach_pix: float) -> np.ndarray:
    """Highest sum along a line of what stands out from the cells around it, of ``(n, side, side)``."""
    light = light - median_filter(light, size=(1, _AROUND_CELLS, _AROUND_CELLS))
    return line_sums(np.minimum(light, _ALONE_CLIP_SIGMA), reach_pix).max(axis=0)


def line_cells(z: np.ndarray) -> np.ndarray:
    """Means of 3 x 3 pixels, in which lines are looked for.

    Parameters
    ----------
    z : ndarray
        ``(..., height, width)``.

    Returns
    -------
    ndarray
        ``(..., side, side)``: of the shorter side, from the middle.
    """
    side = min(z.shape[-2:]) // _LINE_PIX
    length = side * _LINE_PIX
    top, left = ((full - length) // 2 for full in z.shape[-2:])
    parts = z[..., top : top + length, left : left + length].reshape(*z.shape[:-2], side, _LINE_PIX, length)
    down = parts[..., 0, :] + parts[..., 1, :] + parts[..., 2, :]
    return (down[..., 0::3] + down[..., 1::3] + down[..., 2::3]) * np.float32(1.0 / _LINE_PIX**2)


def line_sums(light: np.ndarray, reach_pix: float) -> np.ndarray:
    """Sums of cells along lines over the root of their number.

    Parameters
    ----------
    light : ndarray
        float32 ``(n, side, side)``.
    reach_pix : float
        Farthest from the middle that a line passes.

    Returns
    -------
    ndarray
        ``(line, n)``.
    """
    return _lines(light.shape[-1], reach_pix) @ np.ascontiguousarray(light.reshape(len(light), -1).T)


def end_means(light: np.ndarray, cells: int) -> np.ndarray:
    """Highest mean of so many cells along a line from an edge on, over all lines.

    Parameters
    ----------
    light : ndarray
        float32 ``(n, side, side)``.
    cells : int

    Returns
    -------
    ndarray
        ``(n,)``.
    """
    return (_ends(light.shape[-1], cells) @ np.ascontiguousarray(light.reshape(len(light), -1).T)).max(axis=0)


@lru_cache(maxsize=8)
def _lines(side: int, reach_pix: float) -> sparse.csr_array:
    """Weights ``(line, side * side)`` of cells along lines one cell wide, of all directions and distances within reach.

    They are one over the root of the number of a line's cells, so that the noise of all sums is one.
    """
    lines = [line for line in _members(side, reach_pix) if len(line) >= _SHORTEST_CELLS]
    return _weights(lines, [1.0 / np.sqrt(len(line)) for line in lines], side)


@lru_cache(maxsize=8)
def _ends(side: int, cells: int) -> sparse.csr_array:
    """Weights ``(end, side * side)`` of the first and last cells of lines that have as many."""
    ends = [end for line in _members(side) if len(line) >= cells for end in (line[:cells], line[-cells:])]
    return _weights(ends, [1.0 / cells] * len(ends), side)


def _members(side: int, reach_pix: float = np.inf) -> list[np.ndarray]:
    """Numbers of the cells of each line that passes so near to the middle, in order along it."""
    y, x = np.mgrid[:side, :side] - 0.5 * (side - 1)
    lines = []
    for angle in np.pi * np.arange(_ANGLES) / _ANGLES:
        across = np.rint(np.cos(angle) * y - np.sin(angle) * x).astype(int).ravel()
        along = (np.sin(angle) * y + np.cos(angle) * x).ravel()
        for distance in np.unique(across[np.abs(across) * _LINE_PIX <= reach_pix + _TRAIL_HALF_PIX]):
            members = np.flatnonzero(across == distance)
            lines.append(members[np.argsort(along[members])])
    return lines


def _weights(lines: list[np.ndarray], weights: list[float], side: int) -> sparse.csr_array:
    """One row a line."""
    lengths = [len(line) for line in lines]
    values = np.repeat(np.asarray(weights, np.float32), lengths)
    places = np.repeat(np.arange(len(lines)), lengths), np.concatenate(lines)
    return sparse.csr_array((values, places), shape=(len(lines), side * side))
