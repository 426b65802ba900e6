"""Shapes that no galaxy has: sharper than the seeing, flat, or as sharp as a star."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lensdetect.search.quality.planes import Planes, middle_of
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
    first, second = (*survey.noise_correlation, 0.0, 0.0)[:2]
    return planes.sharpest.max(axis=1) > _RAY_SIGMA * np.sqrt(3.0 - 4.0 * first + 2.0 * second)


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
    core = planes.middle(_CORE_PIX).reshape(*planes.sky.shape, -1)
    peak = core.max(axis=-1, keepdims=True)
    flat = (np.count_nonzero(core > (1.0 - _FLAT_SHARE) * peak, axis=-1) >= _FLAT_PIXELS) & (peak[..., 0] > _FLAT_SIGMA)
    # what is missing is 0, which is no peak
    flat |= (np.count_nonzero(core == peak, axis=-1) >= _EQUAL_PIXELS) & (peak[..., 0] != 0.0)
    found = flat.any(axis=1)
    if len(planes.gaps):
        gaps = planes.gaps
        hole = np.sum(middle_of(gaps, 2), axis=(1, 2)) >= _HOLE_PIXELS
        edges = (
            gaps[:, 0].any(axis=-1) | gaps[:, -1].any(axis=-1) | gaps[..., 0].any(axis=-1) | gaps[..., -1].any(axis=-1)
        )
        found[np.nonzero(planes.holed)[0][hole & ~edges]] = True
    return found


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
    core = planes.middle(_CORE_PIX)[:, number]
    middle = middle_of(core, 1).reshape(len(core), -1)
    # over zero: what is around may be a galaxy's light
    sky = planes.sky[:, number] / planes.sigma[:, number]
    inner = middle.sum(axis=-1) + middle.shape[-1] * sky
    outer = core.reshape(len(core), -1).sum(axis=-1) + core[0].size * sky
    share = np.divide(inner, outer, out=np.zeros_like(inner), where=outer > 0.0)
    limit = _STAR_SHARE * _star_share(survey.bands[number], survey.pixel_scale_arcsec)
    return (middle.max(axis=-1) > _STAR_PEAK_SIGMA) & (share > limit)


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
    return float(middle_of(pixels, 1).sum() / pixels.sum())
