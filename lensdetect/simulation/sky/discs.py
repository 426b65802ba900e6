"""Discs that fool: spirals, and discs seen from their edge."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.scene import Light, SersicLight, SpiralArms
from lensdetect.simulation.sky.deflectors import EarlyType
from lensdetect.simulation.sky.stellar_light import (
    draw_disc_galaxy,
    draw_knot,
    old_mags,
    on_ellipse,
    share_mag,
    young_mags,
)
from lensdetect.survey import Survey

#: r magnitudes of spirals and of edge-on discs.
_SPIRAL_MAG = (17.5, 21.0)
_EDGE_ON_MAG = (18.0, 21.5)

#: Share of disc galaxies with a bar (Masters+ 2011, MNRAS 411, 2026: 29 %).
_BAR_FRACTION = 0.29

#: Pitch angle of the arms, from tightly to loosely wound (Kennicutt 1981, AJ 86, 1847).
_PITCH_DEG = (12.0, 32.0)

#: Half-light radius over scale length of an exponential disc.
_HALF_LIGHT = 1.678


def draw_spiral(centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> tuple[Light, ...]:
    """A spiral seen from any side but its edge.

    Red: bulge, bar and a smooth old disc; blue: a disc that is nearly all arms,
    and knots along them.

    Parameters
    ----------
    centre : EarlyType
        Where it stands.
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Light
        Bulge first.
    """
    mag, radius, redshift = draw_disc_galaxy(mag_range=_SPIRAL_MAG, rng=rng)
    bulge_share, old_share, knot_share = rng.uniform(0.08, 0.45), rng.uniform(0.08, 0.22), rng.uniform(0.03, 0.10)
    arm_share = 1.0 - bulge_share - old_share - knot_share
    # of discs turned at random the cosine of the inclination is uniform
    tilt = {"axis_ratio": rng.uniform(0.3, 1.0), "angle_rad": rng.uniform(0.0, math.pi)}
    place = {"x_arcsec": centre.x_arcsec, "y_arcsec": centre.y_arcsec}
    bulge = _draw_bulge(place, share_mag(mag, bulge_share), radius_arcsec=radius, redshift=redshift, rng=rng)
    old_disc = SersicLight(
        **place, **tilt, radius_arcsec=0.9 * radius, sersic_index=1.0,
        mags=old_mags(share_mag(mag, old_share) + 0.05, redshift, rng=rng),
    )  # fmt: skip
    arms = SersicLight(
        **place, **tilt, radius_arcsec=1.1 * radius, sersic_index=rng.uniform(0.7, 1.0), arms=_draw_arms(rng=rng),
        mags=young_mags(share_mag(mag, arm_share), redshift, bluer_mag=rng.uniform(0.08, 0.22), rng=rng),
    )  # fmt: skip
    return (*bulge, old_disc, arms, *_draw_arm_knots(arms, share_mag(mag, knot_share), rng=rng))


def _draw_bulge(
    place: dict[str, float], mag: float, *, radius_arcsec: float, redshift: float, rng
) -> tuple[SersicLight, ...]:
    """A small red bulge, some with a bar through it."""
    barred = rng.random() < _BAR_FRACTION
    bar_share = rng.uniform(0.35, 0.6) if barred else 0.0
    bulge = SersicLight(
        **place,
        radius_arcsec=max(radius_arcsec * rng.uniform(0.10, 0.22), 0.2),
        sersic_index=rng.uniform(1.0, 3.0),
        axis_ratio=rng.uniform(0.75, 1.0),
        angle_rad=rng.uniform(0.0, math.pi),
        mags=old_mags(share_mag(mag, 1.0 - bar_share), redshift, rng=rng),
    )
    if not barred:
        return (bulge,)
    bar = SersicLight(
        **place,
        radius_arcsec=radius_arcsec * rng.uniform(0.22, 0.35),
        sersic_index=0.6,
        axis_ratio=rng.uniform(0.22, 0.35),
        angle_rad=rng.uniform(0.0, math.pi),
        mags=old_mags(share_mag(mag, bar_share), redshift, rng=rng),
    )
    return bulge, bar


def _draw_arms(*, rng) -> SpiralArms:
    """Arms of a pitch angle p: along one the phase is constant, so the winding is number / tan(p)."""
    number = int(rng.choice((2, 2, 2, 3, 4)))
    pitch = math.radians(rng.uniform(*_PITCH_DEG))
    return SpiralArms(
        number=number,
        amplitude=rng.uniform(0.75, 0.98),
        winding=float(rng.choice((-1.0, 1.0)) * number / math.tan(pitch)),
        phase_rad=rng.uniform(0.0, 2.0 * math.pi),
    )


def _draw_arm_knots(disc: SersicLight, mag: float, *, rng) -> tuple[SersicLight, ...]:
    """Knots on the crests of a disc's arms, of some r magnitude all together."""
    count = int(rng.integers(4, 11))
    arms, knots = disc.arms, []
    for _ in range(count):
        radius = disc.radius_arcsec * rng.uniform(0.5, 1.7)
        crest = arms.phase_rad + arms.winding * math.log(2.0 * radius * _HALF_LIGHT / disc.radius_arcsec)
        direction = (2.0 * math.pi * int(rng.integers(arms.number)) - crest) / arms.number
        position = on_ellipse(disc, radius_arcsec=radius, direction_rad=direction + rng.normal(0.0, 0.1))
        knots.append(draw_knot(position, share_mag(mag, 1.0 / count), rng=rng))
    return tuple(knots)


def draw_edge_on(centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> tuple[Light, ...]:
    """A thin disc seen from the side, with a bulge.

    Parameters
    ----------
    centre : EarlyType
        Where it stands.
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Light
        Bulge, then the disc.
    """
    mag, half_length, redshift = draw_disc_galaxy(mag_range=_EDGE_ON_MAG, rng=rng)
    bulge_share = rng.uniform(0.03, 0.35)
    thickness = rng.uniform(0.10, 0.24)
    angle = rng.uniform(0.0, math.pi)
    # an edge-on disc is reddened by its own dust, so not all of them are blue
    disc_mags = young_mags(share_mag(mag, 1.0 - bulge_share), redshift, bluer_mag=rng.uniform(-0.25, 0.1), rng=rng)
    place = {"x_arcsec": centre.x_arcsec, "y_arcsec": centre.y_arcsec, "angle_rad": angle}
    bulge = SersicLight(
        **place,
        radius_arcsec=half_length * rng.uniform(0.10, 0.22),
        sersic_index=rng.uniform(1.0, 3.0),
        axis_ratio=rng.uniform(0.6, 0.9),
        mags=old_mags(share_mag(mag, bulge_share), redshift, rng=rng),
    )
    disc = SersicLight(
        **place,
        # radii are those of circles of the same area
        radius_arcsec=half_length * math.sqrt(thickness),
        sersic_index=rng.uniform(0.7, 1.0),
        axis_ratio=thickness,
        mags=disc_mags,
    )
    return bulge, disc
