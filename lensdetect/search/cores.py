"""Shapes that no galaxy has: sharper than the seeing, flat, or as sharp as a star."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lensdetect.search.planes import Planes, neighbours
from lensdetect.survey import Band, Survey

#: What a pixel rises above the sum of its neighbours, left and right or above and below, in standard deviations of
#: that difference, that is a cosmic ray's. A star of the best seeing keeps 0.66 of its peak one pixel away, so it
#: stays below zero here.
_RAY_SIGMA = 5.65

#: Half the side of the window around the middle in which the core is.
_CORE_PIX = 5

#: Pixels at the peak: so many of exactly one value, or so many within this part of a bright one, are a flat top.
_EQUAL_PIXELS, _FLAT_PIXELS, _FLAT_SHARE, _FLAT_SIGMA = 3, 5, 0.003, 10.0

#: Pixels gone from the middle 5 x 5 that are a hole, where the rest of the band reaches the edges.
_HOLE_PIXELS = 3

#: Peak above which stars are told from galaxies, in sigma, and light in the middle 3 x 3 over that in 11 x 11 pixels,
#: over the same of a star under the survey's typical seeing.
_STAR_PEAK_SIGMA, _STAR_SHARE = 20.0, 0.81


def find_cosmic_rays(planes: Planes, survey: Survey) -> np.ndarray:
    """Pixels that stand out more sharply than the seeing allows.

    Parameters
    ----------
    planes : Planes
    survey : Survey
        How its noise is correlated: the less, the more neighbours differ by chance.

    Returns
    -------
    ndarray
        bool ``(n,)``.
    """
    height, width = planes.z.shape[-2:]
    over, here, under = neighbours(planes.z, width)
    left, _, right = (part[..., width - 1 : 1 - width] for part in neighbours(planes.z, 1))
    lower = np.minimum(left + right, over + under)
    sharp = np.subtract(here, lower, out=lower).reshape(*planes.z.shape[:2], height - 2, width)
    if planes.holed.any():
        gone = planes.missing[planes.holed]
        around = gone[:, :-2] | gone[:, 2:] | np.roll(gone, 1, 2)[:, 1:-1] | np.roll(gone, -1, 2)[:, 1:-1]
        sharp[planes.holed] *= ~around
    first, second = (*survey.noise_correlation, 0.0, 0.0)[:2]
    spread = np.sqrt(3.0 - 4.0 * first + 2.0 * second)
    return sharp[..., 1:-1].max(axis=(1, 2, 3)) > _RAY_SIGMA * spread


def find_saturated_cores(planes: Planes) -> np.ndarray:
    """Flat tops, and holes in the middle.

    Parameters
    ----------
    planes : Planes

    Returns
    -------
    ndarray
        bool ``(n,)``.
    """
    core = _window(planes.z, _CORE_PIX).reshape(*planes.z.shape[:2], -1)
    gone = _window(planes.missing, _CORE_PIX).reshape(core.shape)
    core = np.where(gone, -np.inf, core)
    peak = core.max(axis=-1, keepdims=True)
    equal = np.sum((core == peak) & ~gone, axis=-1) >= _EQUAL_PIXELS
    flat = (np.sum(core > (1.0 - _FLAT_SHARE) * peak, axis=-1) >= _FLAT_PIXELS) & (peak[..., 0] > _FLAT_SIGMA)
    hole = np.sum(_window(planes.missing, 2), axis=(2, 3)) >= _HOLE_PIXELS
    edges = planes.missing[..., 0, :] | planes.missing[..., -1, :]
    edges = edges | planes.missing[..., :, 0] | planes.missing[..., :, -1]
    return (equal | flat | (hole & ~edges.any(axis=-1))).any(axis=1)


def _window(values: np.ndarray, half: int) -> np.ndarray:
    """Square about the middle pixel of each plane."""
    row, column = (side // 2 for side in values.shape[-2:])
    return values[..., row - half : row + half + 1, column - half : column + half + 1]


def find_stars(planes: Planes, survey: Survey) -> np.ndarray:
    """What is as sharp in the reference band as a point of light.

    Parameters
    ----------
    planes : Planes
    survey : Survey
        Its typical seeing.

    Returns
    -------
    ndarray
        bool ``(n,)``; under seeing worse than typical stars are left, under better seeing small galaxies are found.
    """
    number = survey.band_names.index(survey.reference_band)
    sky = planes.middle[:, number] / planes.sigma[:, number]
    core = _window(planes.z[:, number], _CORE_PIX) + sky[:, None, None]
    peak = _window(core, 1).max(axis=(1, 2))
    inner, outer = _window(core, 1).sum(axis=(1, 2)), core.sum(axis=(1, 2))
    share = np.divide(inner, outer, out=np.zeros_like(inner), where=outer > 0.0)
    limit = _STAR_SHARE * _star_share(survey.bands[number], survey.pixel_scale_arcsec)
    return (peak > _STAR_PEAK_SIGMA) & (share > limit)


@lru_cache(maxsize=64)
def _star_share(band: Band, pixel_scale_arcsec: float) -> float:
    """Light of a Moffat profile in 3 x 3 over that in 11 x 11 pixels."""
    fine, side = 5, 2 * _CORE_PIX + 1
    axis = ((np.arange(side * fine) + 0.5) / fine - 0.5 * side) * pixel_scale_arcsec
    radius2 = axis[:, None] ** 2 + axis**2
    if np.isinf(band.psf_beta):
        profile = np.exp(-4.0 * np.log(2.0) * radius2 / band.psf_fwhm_arcsec**2)
    else:
        core2 = band.psf_fwhm_arcsec**2 / (4.0 * (2.0 ** (1.0 / band.psf_beta) - 1.0))
        profile = (1.0 + radius2 / core2) ** -band.psf_beta
    pixels = profile.reshape(side, fine, side, fine).sum(axis=(1, 3))
    return float(_window(pixels, 1).sum() / pixels.sum())
