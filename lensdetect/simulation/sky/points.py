"""Points that fool: bright stars, and pairs of points beside an early type."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.neighbours import draw_counts_mag
from lensdetect.simulation.scene import Glitch, Light, StarLight
from lensdetect.simulation.sky.deflectors import EarlyType
from lensdetect.simulation.sky.detector import SaturatedCore
from lensdetect.simulation.sky.optics import draw_halo
from lensdetect.simulation.sky.star_colours import stellar_mags
from lensdetect.survey import Survey

#: r magnitudes of stars bright enough to show spikes, and of points beside a galaxy.
_STAR_MAG = (12.5, 17.0)
_POINT_MAG = (19.0, 22.5)

#: Stars brighter than this saturate a detector in some minutes at a 2-4 m telescope.
_SATURATION_MAG = 16.0


def draw_star(centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> tuple[Light | StarLight | Glitch, ...]:
    """A bright star with halo, spikes and a saturated core.

    In half of the stamps it stands in the middle in place of the early type, in
    the others 3 to 8 arcsec beside it.

    Parameters
    ----------
    centre : EarlyType
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Light, StarLight and Glitch
    """
    mags = stellar_mags(draw_counts_mag(_STAR_MAG, 0.15, rng=rng), rng.uniform(0.3, 1.4))
    beside = rng.random() < 0.5
    away = rng.uniform(3.0, 8.0) if beside else rng.uniform(0.0, 0.3)
    direction = rng.uniform(0.0, 2.0 * math.pi)
    x, y = centre.x_arcsec + away * math.cos(direction), centre.y_arcsec + away * math.sin(direction)
    star = StarLight(x, y, mags)
    halo = draw_halo(star, rng=rng)
    light = centre.light if beside else ()
    excess = _SATURATION_MAG - mags[2]
    if excess <= 0.0:
        return *light, star, halo
    # the brighter, the larger the part of the peak that is cut off
    shares = (10.0 ** (-0.4 * excess),) * len(survey.bands)
    core = SaturatedCore(x, y, level_share=shares, bleed_arcsec=excess * rng.uniform(0.5, 2.0), as_nan=False)
    return *light, star, halo, core


def draw_pair(centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> tuple[Light | StarLight, ...]:
    """An early type between two points that are no images of one quasar.

    Stars of the Galaxy, or a quasar and a star: their colours are alike to the
    eye and differ by some tenths of a magnitude.

    Parameters
    ----------
    centre : EarlyType
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Light and StarLight
    """
    direction = rng.uniform(0.0, 2.0 * math.pi)
    mag = draw_counts_mag(_POINT_MAG, 0.2, rng=rng)
    g_r = rng.uniform(0.1, 0.9)
    stars = []
    for side in (0.0, math.pi + rng.normal(0.0, 0.4)):
        away = rng.uniform(0.8, 2.5)
        stars.append(
            StarLight(
                centre.x_arcsec + away * math.cos(direction + side),
                centre.y_arcsec + away * math.sin(direction + side),
                stellar_mags(mag + rng.uniform(-0.8, 0.8), g_r + rng.normal(0.0, 0.2)),
            )
        )
    return (*centre.light, *stars)
