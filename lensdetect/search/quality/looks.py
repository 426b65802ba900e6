"""All looks at cutouts together, as bits of their flags."""

from __future__ import annotations

import numpy as np

from lensdetect.errors import InputError
from lensdetect.flags import ARC_RADIUS_ARCSEC, FLAGS
from lensdetect.search.quality.alignment import find_misaligned
from lensdetect.search.quality.backgrounds import find_bad_backgrounds
from lensdetect.search.quality.colours import odd_light
from lensdetect.search.quality.columns import find_bad_columns
from lensdetect.search.quality.cores import find_cosmic_rays, find_saturated_cores, find_stars
from lensdetect.search.quality.lines import find_trails
from lensdetect.search.quality.planes import Planes, planes_of
from lensdetect.survey import Survey

#: Smaller cutouts have too little sky.
_SMALLEST_PIX = 64

#: Light of no colour, over what is allowed, that is worth a search for trails (which takes long), and that is a ghost
#: if nothing else explains it: the light of lenses' arcs reaches 1.1.
_TRAIL_EXCESS, _GHOST_EXCESS = 0.85, 1.15

#: Cutouts looked at together: enough that calls cost little beside what they do, and few enough for 20 MB.
_BLOCK = 64


def flag_quality(
    pixels: np.ndarray,
    survey: Survey,
    *,
    noise_sigma: np.ndarray | None = None,
    reach_arcsec: float = ARC_RADIUS_ARCSEC,
    pixel_scale_arcsec: float | None = None,
) -> np.ndarray:
    """Look for what makes a false positive of the objects in the middle of cutouts.

    All of a cutout tells what its sky is like; but what lies farther from the
    middle than the arcs of a lens can is not held against it.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(n, size, size, band)``, NaN where there is no pixel.
    survey : Survey
        Bands in the order of the last axis.
    noise_sigma : ndarray, optional
        ``(band,)``: background rms of the tile; that of the survey if not given.
    reach_arcsec : float
        How far from the middle something counts.
    pixel_scale_arcsec : float, optional
        Of the cutouts; that of the survey if not given.

    Returns
    -------
    ndarray
        int64 ``(n,)``: bits ``saturated``, ``trail``, ``bad_column``,
        ``bad_background``, ``cosmic_ray``, ``star_like`` and
        ``misaligned``; 0 for cutouts smaller than 64 pixels, which have
        too little sky.

    Raises
    ------
    InputError
        If the bands are not the survey's.
    """
    pixels = np.asarray(pixels, np.float32)
    if pixels.ndim != 4 or pixels.shape[-1] != len(survey.bands):
        raise InputError(
            f"cutouts must be (n, size, size, {len(survey.bands)}) for the bands {', '.join(survey.band_names)}, "
            f"got {pixels.shape}: add a plane of NaN for a missing band"
        )
    flags = np.zeros(len(pixels), np.int64)
    if min(pixels.shape[1:3]) < _SMALLEST_PIX:
        return flags
    typical = np.array([band.noise_sigma for band in survey.bands])
    sigma = typical if noise_sigma is None else np.where(np.isfinite(noise_sigma), noise_sigma, typical)
    reach_pix = reach_arcsec / (pixel_scale_arcsec or survey.pixel_scale_arcsec)
    for start in range(0, len(pixels), _BLOCK):
        some = slice(start, start + _BLOCK)
        flags[some] = _flag_block(planes_of(pixels[some], sigma, reach_pix=reach_pix), survey, sigma)
    return flags


def _flag_block(planes: Planes, survey: Survey, sigma: np.ndarray) -> np.ndarray:
    suspicions = {
        "saturated": find_saturated_cores(planes),
        "trail": np.zeros(len(planes.sky), bool),
        "bad_column": find_bad_columns(planes),
        "bad_background": find_bad_backgrounds(planes),
        "cosmic_ray": find_cosmic_rays(planes, survey),
        "star_like": find_stars(planes, survey),
        "misaligned": find_misaligned(planes),
    }
    away, anywhere = odd_light(planes, survey)
    rows = np.flatnonzero(anywhere > _TRAIL_EXCESS)
    if len(rows):
        suspicions["trail"][rows] = find_trails(planes, rows)
    named = suspicions["saturated"] | suspicions["trail"] | suspicions["bad_column"] | suspicions["cosmic_ray"]
    rows = np.flatnonzero((away > _GHOST_EXCESS) & ~named)
    if len(rows):
        suspicions["bad_background"][rows] |= ~_explained(planes.pixels[rows], survey, sigma)
    return sum(np.where(found, FLAGS[name].value, 0) for name, found in suspicions.items())


def _explained(pixels: np.ndarray, survey: Survey, sigma: np.ndarray) -> np.ndarray:
    """Whether something with a name is anywhere in cutouts ``(n, band, height, width)``, so that odd light is its."""
    planes = planes_of(np.moveaxis(pixels, 1, -1), sigma)
    return find_cosmic_rays(planes, survey) | find_bad_columns(planes) | find_trails(planes, np.arange(len(pixels)))
