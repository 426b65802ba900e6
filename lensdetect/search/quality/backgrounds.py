"""Skies that are not flat near the middle: troughs, halos of stars, steps in depth.

The sky of a coadd has been taken out, so what is below zero over many pixels
was taken out wrongly. Light along an edge is no fault by itself: in a crowded
field it is a neighbour's. A star beyond the edge shows by its spikes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import uniform_filter

from lensdetect.search.quality.binning import CELL_PIX, along_x, smooth, strips_of
from lensdetect.search.quality.lines import end_means, line_cells
from lensdetect.search.quality.planes import Planes

#: A cell counts up to this many sigma of a pixel in the search for troughs: light in the middle does not fill them.
_FILL_SIGMA = 0.3

#: Means below zero that are troughs, in sigma of a pixel: nine cells over all of four bands, and in one band. Far
#: above what simulated noise does, since the sky of real coadds is uneven: 33 cutouts of a field of CFHTLS reach 0.18
#: and 0.30.
_TROUGH_SIGMA, _TROUGH_BAND_SIGMA = 0.21, 0.36

#: Lower quartile of the cells along a side, two deep, in the mean of the bands, from which spikes are looked for.
_SIDE_SIGMA = 0.08

#: Light of a cell over that around it counts up to this many sigma of a pixel in a spike, and cells of a spike.
_SPIKE_CLIP_SIGMA, _SPIKE_CELLS = 0.5, 16

#: Mean of such cells from an edge on, and this part of the light along the side (up to one sigma), that is a spike:
#: in crowded cutouts, where galaxies on the edge look alike, and in others.
_SPIKE_CROWD_SIGMA, _SPIKE_SIGMA, _SPIKE_SIDE = 0.56, 0.45, 0.2

#: A cutout is crowded that has so many cells of such light farther from the middle than this many.
_CROWD_CELLS, _CROWD_SIGMA, _CROWD_MIDDLE = 15, 4.0, 3

#: Lower tenth of the cells along a side, four deep, that is a halo even without spikes: no crowd has it.
_HALO_SIGMA = 1.2

#: Lower quartile of the cells where reach ends, on the side of a halo, that is still its light, and how wide that is.
_HALO_TOUCH_SIGMA, _HALO_TOUCH_PIX = 0.15, 10.0

#: Light of nine cells, in sigma of a pixel of the mean of the bands, that is flat if it and the eight around differ by
#: less than this part of it, and how many such places are a ghost: what a galaxy's outskirts are over 3 arcsec is not
#: flat, and where those of several meet there are few such places.
_PLATEAU_SIGMA, _PLATEAU_RANGE, _PLATEAU_CELLS = 0.4, 0.2, 4

#: Difference of neighbouring pixels, in sigma, by which rows or columns of cells on one side all exceed those on the
#: other, and from which that is worth a second look at single pixels. Resampling leaves up to 0.166 in cutouts of a
#: real coadd (a field of CFHTLS) where no edge is.
_STEP_SIGMA, _STEP_SUSPECT_SIGMA = 0.17, 0.06

#: Cells with more light over the sky, in sigma of a pixel, tell nothing of the noise; a row has to have some others.
_LIGHT_SIGMA, _FEWEST_CELLS = 0.7, 3

#: Differences of neighbours count up to this many sigma.
_DIFFERENCE_CLIP_SIGMA = 4.0


def find_bad_backgrounds(planes: Planes) -> np.ndarray:
    """Cutouts whose sky is not flat.

    Parameters
    ----------
    planes : Planes

    Returns
    -------
    ndarray
        bool ``(n,)``.
    """
    together = _together(planes.cells, planes)
    return _troughs(planes) | _halos(planes, together) | _plateaus(planes, together) | _steps(planes)


def _together(cells: np.ndarray, planes: Planes) -> np.ndarray:
    """Mean of the bands that have pixels."""
    return cells.sum(axis=1) / np.maximum(planes.live.sum(axis=1), 1).astype(np.float32)[:, None, None]


def _troughs(planes: Planes) -> np.ndarray:
    cells = np.minimum(planes.cells, np.float32(_FILL_SIGMA))
    both = np.concatenate([cells, _together(cells, planes)[:, None]], axis=1)
    halved = smooth(_halved(both))
    near = planes.within_reach(halved, cell_pix=2 * CELL_PIX, beyond_pix=0.5 * CELL_PIX)
    lowest = halved[..., near].min(axis=-1, initial=np.inf)
    # fewer bands, more noise
    noise = np.sqrt(4.0 / np.maximum(planes.live.sum(axis=1), 1))
    return (-lowest[:, -1] > _TROUGH_SIGMA * noise) | (-lowest[:, :-1].min(axis=1) > _TROUGH_BAND_SIGMA)


def _halved(cells: np.ndarray) -> np.ndarray:
    """Means of four cells."""
    rows, columns = (side // 2 * 2 for side in cells.shape[-2:])
    down = cells[..., 0:rows:2, :columns] + cells[..., 1:rows:2, :columns]
    return (down[..., 0::2] + down[..., 1::2]) * np.float32(0.25)


def _side_levels(cells: np.ndarray, *, deep: int, share: float) -> np.ndarray:
    """Quantile of the cells along each side ``(n, 4)``."""
    sides = cells[:, :deep], cells[:, -deep:], cells[:, :, :deep], cells[:, :, -deep:]
    ordered = [np.sort(side.reshape(len(cells), -1), axis=-1) for side in sides]
    return np.stack([side[:, int(share * side.shape[-1])] for side in ordered], axis=-1)


def _halos(planes: Planes, together: np.ndarray) -> np.ndarray:
    found = _side_levels(together, deep=4, share=0.1).max(axis=1) > _HALO_SIGMA
    level = _side_levels(together, deep=2, share=0.25).max(axis=1)
    rows = np.flatnonzero(~found & (level > _SIDE_SIGMA))
    if len(rows):
        least = np.where(_crowded(together[rows]), _SPIKE_CROWD_SIGMA, _SPIKE_SIGMA)
        found[rows] = _spikes(planes, rows) + _SPIKE_SIDE * np.minimum(level[rows], 1.0) > least
    rows = np.flatnonzero(found)
    found[rows] = _comes_near(together[rows], planes)
    return found


def _comes_near(together: np.ndarray, planes: Planes) -> np.ndarray:
    """Whether light from the brightest side is where reach ends."""
    far = _wedges(planes.pixels.shape[-2:], together.shape[1:], planes.reach_pix)
    brightest = _side_levels(together, deep=4, share=0.1).argmax(axis=1) if len(together) else []
    levels = [np.quantile(one[far[side]], 0.25) for one, side in zip(together, brightest, strict=True) if far.any()]
    return np.array(levels) > _HALO_TOUCH_SIGMA if levels else np.ones(len(together), bool)


@lru_cache(maxsize=16)
def _wedges(size_pix: tuple[int, int], cells: tuple[int, int], reach_pix: float) -> np.ndarray:
    """Cells just within reach towards each side, bool ``(4, rows, columns)``; none where reach is the whole cutout."""
    y, x = (CELL_PIX * (np.arange(n) + 0.5) - 0.5 - side // 2 for side, n in zip(size_pix, cells, strict=True))
    y, x = np.meshgrid(y, x, indexing="ij")
    away = np.hypot(x, y)
    towards = np.stack([-y >= np.abs(x), y >= np.abs(x), -x >= np.abs(y), x >= np.abs(y)])
    return towards & (away <= reach_pix) & (away > reach_pix - _HALO_TOUCH_PIX)


def _crowded(together: np.ndarray) -> np.ndarray:
    """Whether bright objects are beside that in the middle."""
    bright = together > _CROWD_SIGMA
    rows, columns = (slice(side // 2 - _CROWD_MIDDLE, side // 2 + _CROWD_MIDDLE) for side in bright.shape[1:])
    return bright.sum(axis=(1, 2)) - bright[:, rows, columns].sum(axis=(1, 2)) >= _CROWD_CELLS


def _spikes(planes: Planes, rows: np.ndarray) -> np.ndarray:
    """Highest mean along a line from an edge of what stands out from the cells around it, over all bands."""
    count = np.maximum(planes.live[rows].sum(axis=1), 1).astype(np.float32)
    light = line_cells(planes.over_sky(rows).sum(axis=1)) / count[:, None, None]
    # the mean of the 16 cells around each nine
    wide = uniform_filter(light, size=(1, 5, 5), mode="nearest") * np.float32(25.0 / 16.0)
    wide -= uniform_filter(light, size=(1, 3, 3), mode="nearest") * np.float32(9.0 / 16.0)
    light -= wide
    return end_means(np.clip(light, -_SPIKE_CLIP_SIGMA, _SPIKE_CLIP_SIGMA), _SPIKE_CELLS)


def _plateaus(planes: Planes, together: np.ndarray) -> np.ndarray:
    """Whether light is on the sky that is flat, away from edges and gaps, and reaches the middle."""
    level = smooth(together)
    highest, lowest = _extremes(level)
    inner = level[:, 1:-1, 1:-1]
    flat = (inner > _PLATEAU_SIGMA) & (highest - lowest < _PLATEAU_RANGE * inner)
    if len(planes.gaps):
        gone = (~planes.known & planes.live[..., None, None]).any(axis=1)
        flat &= _extremes(gone.astype(np.float32))[0] == 0.0
    near = planes.within_reach(level, cell_pix=CELL_PIX, beyond_pix=1.5 * CELL_PIX)[1:-1, 1:-1]
    return (np.count_nonzero(flat, axis=(1, 2)) >= _PLATEAU_CELLS) & flat[:, near].any(axis=1)


def _extremes(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Highest and lowest of each cell and its eight neighbours; without the cells along the border."""
    extremes = []
    for choose in (np.maximum, np.minimum):
        rows = choose(choose(cells[:, :-2], cells[:, 1:-1]), cells[:, 2:])
        extremes.append(choose(choose(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:]))
    return extremes[0], extremes[1]


def _steps(planes: Planes) -> np.ndarray:
    """Whether one band is noisier beyond some row or column."""
    # a first look takes means of five pixels, of which there are fewer
    rough = np.zeros_like(planes.strips)
    np.subtract(planes.strips[..., 1:], planes.strips[..., :-1], out=rough[..., :-1])
    rough *= np.float32(np.sqrt(CELL_PIX))
    # a cell of which pixels are missing differs less
    dark = planes.whole & (planes.cells < (planes.sky / planes.sigma)[..., None, None] + _LIGHT_SIGMA)
    dark = _halved(dark.astype(np.float32)) == 1.0
    reach = planes.reach_pix
    rows, bands = np.nonzero(_largest_step(_absolute(rough), dark, reach) > _STEP_SUSPECT_SIGMA)
    found = np.zeros(len(dark), bool)
    if len(rows):
        z = planes.over_sky(rows, bands)
        np.subtract(z[..., 1:, :], z[..., :-1, :], out=z[..., :-1, :])
        z[..., -1, :] = 0.0
        step = _largest_step(strips_of(_absolute(z)), dark[rows, bands], reach)
        found[rows[step > _STEP_SIGMA]] = True
    return found


def _absolute(difference: np.ndarray) -> np.ndarray:
    np.abs(difference, out=difference)
    return np.clip(difference, None, _DIFFERENCE_CLIP_SIGMA, out=difference)


def _largest_step(strips: np.ndarray, dark: np.ndarray, reach_pix: float) -> np.ndarray:
    """By how much the noise on one side of a row or column within reach is above that on the other, where no light is.

    Of absolute differences ``(..., strips, width)``, in sigma, and dark places of 10 x 10 pixels: ``(...)``.
    """
    noise = _halved(along_x(strips))
    noise[~dark] = np.nan
    step = np.full(noise.shape[:-2], -np.inf, np.float32)
    for axis in (-1, -2):
        profile = _medians(noise, axis)
        after = profile[..., ::-1]
        # NaN is passed over
        lowest, highest = np.fmin.accumulate(profile, -1), np.fmax.accumulate(profile, -1)
        lowest_after = np.fmin.accumulate(after, -1)[..., -2::-1]
        highest_after = np.fmax.accumulate(after, -1)[..., -2::-1]
        near = _near_borders(profile.shape[-1], reach_pix)
        for below, above in ((highest_after, lowest[..., :-1]), (highest[..., :-1], lowest_after)):
            step = np.fmax(step, np.fmax.reduce((above - below)[..., near], axis=-1, initial=-np.inf))
    return step


def _near_borders(cells: int, reach_pix: float) -> np.ndarray:
    """Which borders between so many cells of 10 pixels pass so near to the middle."""
    return np.abs(np.arange(1, cells) - 0.5 * cells) * 2 * CELL_PIX <= reach_pix


def _medians(noise: np.ndarray, axis: int) -> np.ndarray:
    """Medians along an axis of what is no NaN; NaN where too little is."""
    ordered = np.sort(noise, axis=axis)
    count = np.count_nonzero(~np.isnan(noise), axis=axis, keepdims=True)
    places = np.maximum(count - 1, 0) // 2, count // 2
    low, high = (np.take_along_axis(ordered, np.minimum(place, noise.shape[axis] - 1), axis) for place in places)
    return np.where(count >= _FEWEST_CELLS, 0.5 * (low + high), np.nan).squeeze(axis)
