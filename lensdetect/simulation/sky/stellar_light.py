"""Shares of a galaxy's light: old stars, young discs, knots of newborn stars."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.colours import EARLY_TYPE, LATE_TYPE, Colours, mags_from_colours, track_colours
from lensdetect.simulation.galaxies import SizeRelation, draw_size
from lensdetect.simulation.neighbours import draw_counts_mag
from lensdetect.simulation.scene import RingLight, SersicLight

#: Colours of star-forming knots: a population of some ten million years, reddened a little.
_YOUNG: Colours = (0.30, 0.15, 0.05, 0.0, 0.0)

#: Slope of the counts of discs at r = 17-21, in dex per mag. All galaxies go as
#: 0.4 to 0.5; of the fainter ones fewer are large enough to show what they are.
_COUNTS_SLOPE = 0.25

#: A large nearby disc of r = 19 has some 2.2 arcsec: absolute magnitude -20.6 at
#: redshift 0.18, 6.5 kpc (Shen+ 2003, MNRAS 343, 978, late types, upper half).
_DISC_SIZES = SizeRelation(19.0, 2.2, -0.11, 0.12)

#: Half-light radii of discs that fool: as large as Einstein radii are.
_DISC_RADIUS_ARCSEC = (1.2, 4.5)


def draw_disc_galaxy(*, mag_range: tuple[float, float], rng: np.random.Generator) -> tuple[float, float, float]:
    """Magnitude, half-light radius and redshift of a large nearby disc galaxy.

    Parameters
    ----------
    mag_range : tuple of float
        Brightest and faintest r magnitude.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of float
        r magnitude, radius in arcsec, redshift.
    """
    mag = draw_counts_mag(mag_range, _COUNTS_SLOPE, rng=rng)
    radius = float(np.clip(draw_size(mag, _DISC_SIZES, rng=rng), *_DISC_RADIUS_ARCSEC))
    redshift = 0.18 * 10.0 ** (0.12 * (mag - 19.0)) * math.exp(rng.normal(0.0, 0.25))
    return mag, radius, float(np.clip(redshift, 0.03, 0.4))


def share_mag(mag: float, share: float) -> float:
    """Magnitude of a share of the light of something of a magnitude."""
    return mag - 2.5 * math.log10(share)


def old_mags(mag: float, redshift: float, *, rng: np.random.Generator) -> tuple[float, ...]:
    """Magnitudes of old stars of some r magnitude."""
    return mags_from_colours(mag, track_colours(EARLY_TYPE, redshift, rng=rng))


def young_mags(mag: float, redshift: float, *, bluer_mag: float, rng: np.random.Generator) -> tuple[float, ...]:
    """Magnitudes of a star-forming disc of some r magnitude, bluer in u-g and g-r than most by so much."""
    u_g, g_r, r_i, i_z, z_y = track_colours(LATE_TYPE, redshift, rng=rng)
    return mags_from_colours(mag, (u_g - bluer_mag, g_r - bluer_mag, r_i - 0.5 * bluer_mag, i_z, z_y))


def draw_knot(position_arcsec: tuple[float, float], mag: float, *, rng: np.random.Generator) -> SersicLight:
    """A knot of newborn stars.

    Parameters
    ----------
    position_arcsec : tuple of float
        Centre x, y.
    mag : float
        r magnitude.
    rng : numpy.random.Generator

    Returns
    -------
    SersicLight
    """
    colours = tuple(colour + rng.normal(0.0, 0.08) for colour in _YOUNG)
    return SersicLight(
        x_arcsec=float(position_arcsec[0]),
        y_arcsec=float(position_arcsec[1]),
        radius_arcsec=rng.uniform(0.10, 0.28),
        sersic_index=0.8,
        axis_ratio=rng.uniform(0.6, 1.0),
        angle_rad=rng.uniform(0.0, math.pi),
        mags=mags_from_colours(mag, colours),
    )


def on_ellipse(light: SersicLight | RingLight, *, radius_arcsec: float, direction_rad: float) -> tuple[float, float]:
    """Where an ellipse like that of some light has a point, seen from its centre in the plane of the disc.

    Parameters
    ----------
    light : SersicLight or RingLight
        Its centre, axis ratio and angle are taken.
    radius_arcsec : float
        Elliptical radius.
    direction_rad : float
        Angle from the major axis in the plane of the disc, where the ellipse is a circle.

    Returns
    -------
    tuple of float
        x and y in arcsec.
    """
    along = radius_arcsec * math.cos(direction_rad) / math.sqrt(light.axis_ratio)
    across = radius_arcsec * math.sin(direction_rad) * math.sqrt(light.axis_ratio)
    cosine, sine = math.cos(light.angle_rad), math.sin(light.angle_rad)
    return light.x_arcsec + cosine * along - sine * across, light.y_arcsec + sine * along + cosine * across
