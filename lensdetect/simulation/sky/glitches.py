"""What goes wrong in an image: every glitch by name, and how often."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.simulation.scene import Glitch
from lensdetect.simulation.sky.detector import draw_bad_column, draw_cosmic_rays, draw_saturated_core
from lensdetect.simulation.sky.optics import draw_ghost, draw_star_halo
from lensdetect.simulation.sky.reduction import draw_depth_step, draw_misaligned, draw_sky_hole
from lensdetect.simulation.sky.trails import draw_aeroplane_trail, draw_satellite_trails
from lensdetect.survey import Survey


@dataclass(frozen=True)
class GlitchRates:
    """Probability of each glitch in a stamp, lens or not; they come independently.

    Together some 11 % of the stamps have one: far more than of a survey's
    galaxies, so that a detector sees enough of each.

    Parameters
    ----------
    satellite_trail, aeroplane_trail : float
        A line through the image, a dashed double line.
    cosmic_ray : float
        Tracks as sharp as pixels.
    bad_column : float
        A bright, dark or dead column or row.
    saturated_core : float
        A flat top on what is in the middle, with charge along its column.
    ghost : float
        A ring or disc of light out of focus.
    star_halo : float
        Halo and spikes of a star beyond the edge.
    misaligned : float
        One band shifted against the others.
    sky_hole : float
        A trough around something bright.
    depth_step : float
        An edge beyond which the noise is higher.

    Raises
    ------
    InputError
        If one is no probability.
    """

    satellite_trail: float = 0.015
    aeroplane_trail: float = 0.005
    cosmic_ray: float = 0.02
    bad_column: float = 0.015
    saturated_core: float = 0.01
    ghost: float = 0.01
    star_halo: float = 0.01
    misaligned: float = 0.01
    sky_hole: float = 0.015
    depth_step: float = 0.01

    def __post_init__(self):
        """Refuse what is no probability."""
        for name, rate in dataclasses.asdict(self).items():
            if not 0.0 <= rate <= 1.0:
                raise InputError(f"the rate of glitch {name} is a probability per stamp, between 0 and 1, got {rate:g}")


_DRAWERS: dict[str, Callable[..., tuple[Glitch, ...]]] = {
    "satellite_trail": draw_satellite_trails,
    "aeroplane_trail": draw_aeroplane_trail,
    "cosmic_ray": draw_cosmic_rays,
    "bad_column": draw_bad_column,
    "saturated_core": draw_saturated_core,
    "ghost": draw_ghost,
    "star_halo": draw_star_halo,
    "misaligned": draw_misaligned,
    "sky_hole": draw_sky_hole,
    "depth_step": draw_depth_step,
}

#: Every glitch, by its name in truth.
GLITCHES: tuple[str, ...] = tuple(_DRAWERS)


def draw_glitches(rates: GlitchRates, survey: Survey, *, size: int, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """Draw what goes wrong in one stamp.

    Parameters
    ----------
    rates : GlitchRates
    survey : Survey
        Pixel scale and bands.
    size : int
        Side of the stamp in pixels: it is where glitches fall.
    rng : numpy.random.Generator
        The same state gives the same glitches.

    Returns
    -------
    tuple of Glitch
        In most stamps empty.
    """
    side_arcsec = size * survey.pixel_scale_arcsec
    glitches: list[Glitch] = []
    for name, rate in dataclasses.asdict(rates).items():
        if rng.random() < rate:
            glitches += _DRAWERS[name](survey, side_arcsec=side_arcsec, rng=rng)
    return tuple(glitches)
