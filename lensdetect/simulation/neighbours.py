"""Draw what is in a stamp by chance: field galaxies and stars."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.colours import EARLY_TYPE, LATE_TYPE, mags_from_colours, track_colours
from lensdetect.simulation.galaxies import Look, draw_galaxy, draw_size
from lensdetect.simulation.population import FieldPopulation
from lensdetect.simulation.scene import SersicLight, StarLight

#: Probability of arms in a late-type field galaxy; most are too small to show them.
_ARM_FRACTION = 0.3


def draw_field_galaxies(
    field: FieldPopulation, side_arcsec: float, *, rng: np.random.Generator
) -> tuple[SersicLight, ...]:
    """Galaxies along the line of sight, anywhere in a square.

    Parameters
    ----------
    field : FieldPopulation
    side_arcsec : float
        Side of the square, centred on the stamp.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of SersicLight
        Their components, one after the other.
    """
    count = rng.poisson(field.galaxies_per_arcmin2 * (side_arcsec / 60.0) ** 2)
    return tuple(part for _ in range(count) for part in _draw_field_galaxy(field, side_arcsec, rng=rng))


def _draw_field_galaxy(field: FieldPopulation, side_arcsec: float, *, rng) -> tuple[SersicLight, ...]:
    mag = draw_counts_mag(field.mag_range, field.galaxy_counts_slope, rng=rng)
    late = rng.random() < field.late_fraction
    size_arcsec = draw_size(mag, field.sizes, rng=rng)
    colours = track_colours(LATE_TYPE if late else EARLY_TYPE, rng.uniform(0.1, 1.0), rng=rng)
    return draw_galaxy(
        rng.uniform(-0.5 * side_arcsec, 0.5 * side_arcsec, 2),
        mag,
        look=Look(late, colours, size_arcsec),
        arm_fraction=_ARM_FRACTION,
        axis_ratio_range=(0.5, 1.0),
        inclination_max_deg=80.0,
        rng=rng,
    )


def draw_stars(field: FieldPopulation, side_arcsec: float, *, rng: np.random.Generator) -> tuple[StarLight, ...]:
    """Stars anywhere in a square.

    Parameters
    ----------
    field : FieldPopulation
    side_arcsec : float
        Side of the square, centred on the stamp.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of StarLight
    """
    count = rng.poisson(field.stars_per_arcmin2 * (side_arcsec / 60.0) ** 2)
    return tuple(_draw_star(field, side_arcsec, rng=rng) for _ in range(count))


def _draw_star(field: FieldPopulation, side_arcsec: float, *, rng) -> StarLight:
    mag = draw_counts_mag(field.mag_range, field.star_counts_slope, rng=rng)
    g_r = rng.uniform(*field.star_g_r_mag)
    # a straight stellar locus: u-g and r-i both redden with g-r
    colours = 0.5 + 1.5 * g_r, g_r, 0.1 + 0.6 * max(g_r - 0.5, 0.0)
    x, y = rng.uniform(-0.5 * side_arcsec, 0.5 * side_arcsec, 2)
    return StarLight(float(x), float(y), mags_from_colours(mag, colours))


def draw_counts_mag(mag_range: tuple[float, float], slope: float, *, rng: np.random.Generator) -> float:
    """Magnitude from number counts that go as ``10 ** (slope * mag)``.

    Parameters
    ----------
    mag_range : tuple of float
        Brightest and faintest magnitude.
    slope : float
        In dex per mag, not 0.
    rng : numpy.random.Generator

    Returns
    -------
    float
    """
    low, high = (10.0 ** (slope * (mag - mag_range[1])) for mag in mag_range)
    return mag_range[1] + math.log10(rng.uniform(low, high)) / slope
