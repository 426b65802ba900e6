"""Ring galaxies: detached rings around a red core, and collisional ones."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from lensdetect.simulation.scene import Light, RingLight, SersicLight
from lensdetect.simulation.sky.deflectors import EarlyType
from lensdetect.simulation.sky.stellar_light import draw_knot, old_mags, on_ellipse, share_mag, young_mags
from lensdetect.survey import Survey

#: Radius of the ring: as large as Einstein radii are.
_RADIUS_ARCSEC = (1.2, 4.0)

#: Share of the rings that a collision made.
_COLLISIONAL_FRACTION = 0.45

_REDSHIFT = (0.04, 0.30)


def draw_ring(centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> tuple[Light, ...]:
    """A ring galaxy: like Hoag's object, or like the Cartwheel.

    Parameters
    ----------
    centre : EarlyType
        Where its nucleus stands.
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Light
        Nucleus first.
    """
    radius = math.exp(rng.uniform(*np.log(_RADIUS_ARCSEC)))
    # at one surface brightness a smaller ring is fainter; 2 arcsec is one of r = 19.3
    mag = 19.3 - 2.5 * math.log10((radius / 2.0) ** 1.2) + rng.normal(0.0, 0.4)
    redshift = rng.uniform(*_REDSHIFT)
    draw = _draw_collisional if rng.random() < _COLLISIONAL_FRACTION else _draw_detached
    return draw(centre, mag, radius_arcsec=radius, redshift=redshift, rng=rng)


def _draw_detached(centre: EarlyType, mag: float, *, radius_arcsec: float, redshift: float, rng) -> tuple[Light, ...]:
    """An even blue ring, detached from a round red core (Schweizer+ 1987, ApJ 320, 454: Hoag's object)."""
    core_share = rng.uniform(0.35, 0.65)
    core = _draw_nucleus(
        (centre.x_arcsec, centre.y_arcsec), share_mag(mag, core_share),
        radius_arcsec=radius_arcsec * rng.uniform(0.14, 0.25), redshift=redshift, rng=rng,
    )  # fmt: skip
    ring = RingLight(
        x_arcsec=centre.x_arcsec,
        y_arcsec=centre.y_arcsec,
        radius_arcsec=radius_arcsec,
        width_arcsec=radius_arcsec * rng.uniform(0.08, 0.2),
        axis_ratio=rng.uniform(0.75, 1.0),
        angle_rad=rng.uniform(0.0, math.pi),
        mags=young_mags(share_mag(mag, 1.0 - core_share), redshift, bluer_mag=rng.uniform(0.1, 0.35), rng=rng),
    )
    return core, ring, *_draw_ring_knots(ring, share_mag(mag, 0.05), count=int(rng.integers(0, 5)), rng=rng)


def _draw_collisional(
    centre: EarlyType, mag: float, *, radius_arcsec: float, redshift: float, rng
) -> tuple[Light, ...]:
    """A knotty ring, brighter on one side, about a displaced nucleus, with the intruder that made it."""
    ring = RingLight(
        x_arcsec=centre.x_arcsec,
        y_arcsec=centre.y_arcsec,
        radius_arcsec=radius_arcsec,
        width_arcsec=radius_arcsec * rng.uniform(0.08, 0.18),
        axis_ratio=rng.uniform(0.55, 0.95),
        angle_rad=rng.uniform(0.0, math.pi),
        mags=young_mags(share_mag(mag, rng.uniform(0.3, 0.5)), redshift, bluer_mag=0.25, rng=rng),
    )
    brighter = dataclasses.replace(
        ring,
        mags=young_mags(share_mag(mag, rng.uniform(0.1, 0.25)), redshift, bluer_mag=0.3, rng=rng),
        middle_rad=rng.uniform(0.0, 2.0 * math.pi),
        extent_rad=rng.uniform(0.6, 2.4),
    )
    place = on_ellipse(ring, radius_arcsec=radius_arcsec * rng.uniform(0.0, 0.5), direction_rad=rng.uniform(0.0, 6.28))
    nucleus = _draw_nucleus(
        place, share_mag(mag, rng.uniform(0.15, 0.3)),
        radius_arcsec=radius_arcsec * rng.uniform(0.10, 0.2), redshift=redshift, rng=rng,
    )  # fmt: skip
    away = radius_arcsec * rng.uniform(1.6, 2.6)
    intruder = _draw_nucleus(
        on_ellipse(ring, radius_arcsec=away, direction_rad=rng.uniform(0.0, 6.28)), share_mag(mag, 0.2),
        radius_arcsec=radius_arcsec * rng.uniform(0.12, 0.25), redshift=redshift, rng=rng,
    )  # fmt: skip
    knots = _draw_ring_knots(ring, share_mag(mag, rng.uniform(0.08, 0.2)), count=int(rng.integers(3, 9)), rng=rng)
    return nucleus, ring, brighter, intruder, *knots


def _draw_nucleus(
    position_arcsec: tuple[float, float], mag: float, *, radius_arcsec: float, redshift: float, rng
) -> SersicLight:
    return SersicLight(
        x_arcsec=position_arcsec[0],
        y_arcsec=position_arcsec[1],
        radius_arcsec=max(radius_arcsec, 0.15),
        sersic_index=rng.uniform(1.5, 3.5),
        axis_ratio=rng.uniform(0.7, 1.0),
        angle_rad=rng.uniform(0.0, math.pi),
        mags=old_mags(mag, redshift, rng=rng),
    )


def _draw_ring_knots(ring: RingLight, mag: float, *, count: int, rng) -> tuple[SersicLight, ...]:
    """Knots on the ridge of a ring, of some r magnitude all together."""
    directions = rng.uniform(0.0, 2.0 * math.pi, count)
    places = [on_ellipse(ring, radius_arcsec=ring.radius_arcsec, direction_rad=direction) for direction in directions]
    return tuple(draw_knot(place, share_mag(mag, 1.0 / count), rng=rng) for place in places)
