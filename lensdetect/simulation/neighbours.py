"""Draw what is in a stamp by chance: field galaxies and stars."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.colours import EARLY_TYPE, LATE_TYPE, mags_from_colours, track_colours
from lensdetect.simulation.galaxies import Look, SizeRelation, draw_galaxy, draw_size
from lensdetect.simulation.scene import SersicLight, StarLight

#: Probability of arms in a late-type field galaxy; most are too small to show them.
_ARM_FRACTION = 0.3


@dataclass(frozen=True)
class FieldPopulation:
    """Galaxies and stars by chance in the stamp, in both classes alike.

    Parameters
    ----------
    galaxies_per_arcmin2, stars_per_arcmin2 : float
        Mean surface densities, Poisson.
    mag_range : tuple of float
        Range of r magnitudes.
    galaxy_counts_slope, star_counts_slope : float
        Number counts go as ``10 ** (slope * mag)``.
    late_fraction : float
        Share of star-forming galaxies.
    size_at_22_arcsec, size_slope, size_scatter_dex : float
        As for deflectors.
    star_g_r_mag : tuple of float
        Range of g-r of stars, uniform; r-i and u-g follow the main sequence.
    """

    galaxies_per_arcmin2: float = 20.0
    stars_per_arcmin2: float = 1.0
    mag_range: tuple[float, float] = (18.5, 25.5)
    galaxy_counts_slope: float = 0.33
    star_counts_slope: float = 0.10
    late_fraction: float = 0.6
    size_at_22_arcsec: float = 0.40
    size_slope: float = -0.12
    size_scatter_dex: float = 0.18
    star_g_r_mag: tuple[float, float] = (0.3, 1.5)

    @property
    def sizes(self) -> SizeRelation:
        """Half-light radius against r magnitude."""
        return SizeRelation(22.0, self.size_at_22_arcsec, self.size_slope, self.size_scatter_dex)


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
    colours = track_colours(LATE_TYPE if late else EARLY_TYPE, _draw_redshift(mag, rng=rng), rng=rng)
    return draw_galaxy(
        rng.uniform(-0.5 * side_arcsec, 0.5 * side_arcsec, 2),
        mag,
        look=Look(late, colours, size_arcsec),
        arm_fraction=_ARM_FRACTION,
        axis_ratio_range=(0.5, 1.0),
        inclination_max_deg=80.0,
        rng=rng,
    )


def _draw_redshift(mag: float, *, rng) -> float:
    """Fainter galaxies are farther: 0.35 at r = 21 to 0.75 at 25 in the mean.

    Chosen for the colours of faint neighbours in genuine stamps of the Bologna
    challenge (u-g 0 to 1, g-r 0.5 to 0.8 and r-i 0.6 of blue ones at r = 24).
    """
    return float(np.clip(rng.normal(0.35 + 0.1 * (mag - 21.0), 0.2), 0.1, 1.0))


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
    # a straight stellar locus: the others redden with g-r
    redder = 0.1 + 0.6 * max(g_r - 0.5, 0.0)
    colours = 0.5 + 1.5 * g_r, g_r, redder, 0.6 * redder, 0.3 * redder
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
