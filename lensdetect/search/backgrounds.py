"""Skies that are not flat: troughs, halos and ghosts, steps in depth.

The sky of a coadd has been taken out, so what is below zero over many pixels
was taken out wrongly, and what is above it on all sides is no galaxy in the middle.
"""

from __future__ import annotations

import numpy as np

from lensdetect.search.planes import Planes, cells

#: Side of the cells that the sky is measured in.
_CELL_PIX = 10

#: Pixels count up to this many sigma.
_CLIP_SIGMA = 3.0

#: Means below zero that are troughs, in sigma of a pixel: nine cells over all of four bands, and in one band. Far
#: above what simulated noise does: the sky of real coadds (a field of CFHTLS) is uneven by 0.1 sigma over 6 arcsec.
_TROUGH_SIGMA, _TROUGH_BAND_SIGMA = 0.22, 0.46

#: Upper quartile of the cells along the border, in the mean of four bands and in one, that is a halo's or a ghost's.
_HALO_SIGMA, _HALO_BAND_SIGMA = 0.75, 1.3

#: Difference of neighbouring pixels, in sigma, by which all cells on one side exceed all on the other.
_STEP_SIGMA = 0.2

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
    sky = planes.middle / planes.sigma
    z = planes.z + sky[..., None, None]
    np.clip(z, -_CLIP_SIGMA, _CLIP_SIGMA, out=z)
    return _troughs_or_halos(z, planes) | _steps(planes)


def _known_cells(z: np.ndarray, planes: Planes, size: int, *, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of the known pixels of cells, and which cells have enough of them; ``missing`` is of the holed planes."""
    means = cells(z, size)
    known = np.ones(means.shape, bool)
    if planes.holed.any():
        share = cells((~missing).astype(np.float32)[:, None], size)[:, 0]
        known[planes.holed] = share > 0.5
        light = cells(np.where(missing, np.float32(0.0), z[planes.holed])[:, None], size)[:, 0]
        means[planes.holed] = np.where(share > 0.5, light / np.maximum(share, np.float32(0.2)), 0.0)
    return means, known


def _troughs_or_halos(z: np.ndarray, planes: Planes) -> np.ndarray:
    small, known = _known_cells(z, planes, _CELL_PIX // 2, missing=planes.missing[planes.holed])
    live = np.maximum(known.any(axis=(2, 3)).sum(axis=1), 1)
    together = small.sum(axis=1) / live[:, None, None]
    # fewer bands, more noise
    noise = np.sqrt(4.0 / live)
    trough = -_smooth(_quarters(together).mean(axis=-1)).min(axis=(1, 2)) > _TROUGH_SIGMA * noise
    trough |= -_smooth(_quarters(small).mean(axis=-1)).min(axis=(1, 2, 3)) > _TROUGH_BAND_SIGMA
    halo = _border_level(together) > _HALO_SIGMA
    halo |= _border_level(small).max(axis=-1) > _HALO_BAND_SIGMA
    return trough | halo


def _quarters(small: np.ndarray) -> np.ndarray:
    """The four quarters of each cell: ``(..., rows, columns, 4)``."""
    rows, columns = (side // 2 for side in small.shape[-2:])
    part = small[..., : 2 * rows, : 2 * columns].reshape(*small.shape[:-2], rows, 2, columns, 2)
    return np.moveaxis(part, -3, -2).reshape(*small.shape[:-2], rows, columns, 4)


def _border_level(small: np.ndarray) -> np.ndarray:
    """Upper quartile of the cells along the border, each by the fainter half of its quarters: no single object's."""
    cell = np.sort(_quarters(small), axis=-1)[..., 1]
    border = np.concatenate([cell[..., 0, :], cell[..., -1, :], cell[..., 1:-1, 0], cell[..., 1:-1, -1]], axis=-1)
    return np.sort(border, axis=-1)[..., (3 * border.shape[-1]) // 4]


def _smooth(cell: np.ndarray) -> np.ndarray:
    """Mean of each cell and its eight neighbours; beyond the border as on it."""
    padded = np.pad(cell, [(0, 0)] * (cell.ndim - 2) + [(1, 1), (1, 1)], mode="edge")
    rows = padded[..., :-2, :] + padded[..., 1:-1, :] + padded[..., 2:, :]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / np.float32(9.0)


def _steps(planes: Planes) -> np.ndarray:
    """Whether one band is noisier beyond some row or column."""
    z, (height, width) = planes.z, planes.z.shape[-2:]
    flat = z.reshape(*z.shape[:2], -1)
    difference = np.subtract(flat[..., width:], flat[..., :-width])
    np.abs(difference, out=difference)
    np.minimum(difference, np.float32(_DIFFERENCE_CLIP_SIGMA), out=difference)
    gone = planes.missing[planes.holed]
    difference = difference.reshape(*z.shape[:2], height - 1, width)
    noise, known = _known_cells(difference, planes, _CELL_PIX, missing=gone[:, 1:] | gone[:, :-1])
    usual = np.median(noise, axis=(2, 3), keepdims=True)
    noise = np.where(known, noise, usual)
    found = np.zeros(len(z), bool)
    for turned in (noise, noise.swapaxes(-1, -2)):
        profile = np.median(turned, axis=-1)
        after = profile[..., ::-1]
        lowest, highest = np.minimum.accumulate(profile, -1), np.maximum.accumulate(profile, -1)
        lowest_after = np.minimum.accumulate(after, -1)[..., -2::-1]
        highest_after = np.maximum.accumulate(after, -1)[..., -2::-1]
        step = np.maximum(lowest[..., :-1] - highest_after, lowest_after - highest[..., :-1])
        found |= (step > _STEP_SIGMA).any(axis=(1, 2))
    return found
