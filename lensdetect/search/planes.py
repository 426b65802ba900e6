"""Cutouts as planes in units of their own noise: what all looks at quality begin with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

#: A sample of a plane's pixels: one in so many along each axis.
_STEP_PIX = 3

#: Middle and lower 16 % of the sky, between which lies one standard deviation of a normal distribution.
_LOW, _MIDDLE = 0.1587, 0.5


@dataclass(frozen=True)
class Planes:
    """Cutouts band by band.

    Parameters
    ----------
    z : ndarray
        float32 ``(n, band, size, size)``: pixels over the sky, in sky sigma; 0 where there is no pixel.
    missing : ndarray
        bool, the same shape: where there is no pixel.
    sigma : ndarray
        float32 ``(n, band)``: sky sigma, in the unit of the cutouts.
    middle : ndarray
        float32 ``(n, band)``: the sky that was taken out; 0 for a plane without pixels.
    holed : ndarray
        bool ``(n, band)``: planes of which pixels are missing, which are few.
    """

    z: np.ndarray
    missing: np.ndarray
    sigma: np.ndarray
    middle: np.ndarray
    holed: np.ndarray


def planes_of(pixels: np.ndarray, noise_sigma: np.ndarray) -> Planes:
    """Measure sky and noise of each plane, and take them out.

    The noise is measured in the cutout itself, from values below the middle
    where no object's light is; a cutout full of light falls back on the tile's.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(n, size, size, band)``; NaN is no pixel.
    noise_sigma : ndarray
        ``(band,)``: of the tile.

    Returns
    -------
    Planes
    """
    z = np.array(np.moveaxis(pixels, -1, 1), np.float32, order="C")
    missing = np.isnan(z)
    low, middle = _quantiles(z[:, :, ::_STEP_PIX, ::_STEP_PIX], missing[:, :, ::_STEP_PIX, ::_STEP_PIX])
    usual = np.nan_to_num(np.asarray(noise_sigma, np.float32), nan=1.0)
    sigma = middle - low
    sigma = np.where((sigma > 0.3 * usual) & (sigma < 3.0 * usual), sigma, usual)
    middle = np.nan_to_num(middle)
    z -= middle[..., None, None]
    z /= sigma[..., None, None]
    z[missing] = 0.0
    return Planes(z, missing, sigma, middle, missing.any(axis=(2, 3)))


def _quantiles(sample: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower 16 % and median of each plane; NaN for a plane without pixels."""
    count, bands = sample.shape[:2]
    # NaN is sorted behind all numbers
    ordered = np.sort(sample.reshape(count, bands, -1), axis=-1)
    known = ordered.shape[-1] - np.sum(missing.reshape(count, bands, -1), axis=-1)
    places = [np.floor(share * np.maximum(known - 1, 0)).astype(int) for share in (_LOW, _MIDDLE)]
    return tuple(np.take_along_axis(ordered, place[..., None], axis=-1)[..., 0] for place in places)


def cells(z: np.ndarray, size: int) -> np.ndarray:
    """Means of square cells, from the middle of each plane.

    Parameters
    ----------
    z : ndarray
        ``(n, band, height, width)``.
    size : int
        Side of a cell in pixels.

    Returns
    -------
    ndarray
        ``(n, band, rows, columns)``; pixels at the edge that fill no cell are left out.
    """
    rows = z.shape[-2] // size
    top = (z.shape[-2] - rows * size) // 2
    part = z[..., top : top + rows * size, :]
    # first whole rows, which are neighbours in memory, then the rest as a product of matrices
    down = part.reshape(*z.shape[:2], rows, size, -1).sum(axis=-2)
    columns = _binning(z.shape[-1], size)
    return (down.reshape(-1, z.shape[-1]) @ columns.T).reshape(*z.shape[:2], rows, -1)


@lru_cache(maxsize=32)
def _binning(side: int, size: int) -> np.ndarray:
    """Weights ``(cell, side)`` of the pixels of each cell along a row, whose columns were added up."""
    count = side // size
    first = (side - count * size) // 2
    cell = (np.arange(side) - first) // size
    return ((cell == np.arange(count)[:, None]) / size**2).astype(np.float32)


def neighbours(z: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each pixel with those some way before and after it, as views of long rows.

    Parameters
    ----------
    z : ndarray
        ``(n, band, height, width)``, in one piece.
    step : int
        How far: pixels for neighbours along x, pixels times the width for neighbours along y.

    Returns
    -------
    before, here, after : ndarray
        ``(n, band, height * width - 2 * step)``. Neighbours along x of the first
        and last pixels of a row are in other rows; the caller leaves them out.
    """
    flat = z.reshape(*z.shape[:2], -1)
    return flat[..., : -2 * step], flat[..., step:-step], flat[..., 2 * step :]
