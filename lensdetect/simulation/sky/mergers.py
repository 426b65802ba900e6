"""Mergers: several nuclei in one envelope, with tidal tails."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.neighbours import draw_counts_mag
from lensdetect.simulation.scene import Light, RingLight, SersicLight
from lensdetect.simulation.sky.deflectors import EarlyType
from lensdetect.simulation.sky.stellar_light import old_mags, share_mag, young_mags
from lensdetect.survey import Survey

_MAG = (17.8, 21.0)
_REDSHIFT = (0.05, 0.40)

#: Share of mergers between galaxies without gas: red, with faint broad tails. In
#: mergers there are more spirals to an elliptical than elsewhere (Darg+ 2010, MNRAS 401, 1043).
_DRY_FRACTION = 0.3

#: Distance between nuclei, in arcsec: nearer ones are one at ground-based seeing.
_SEPARATION_ARCSEC = (0.9, 3.2)

#: Light of a lesser nucleus over that of the first; a third and more is a major merger.
_FLUX_RATIO = (0.2, 1.0)


def draw_merger(centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> tuple[Light, ...]:
    """Two or three nuclei, the envelope they share, and one or two tails.

    Parameters
    ----------
    centre : EarlyType
        Where the first nucleus stands.
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Light
        Nuclei first.
    """
    mag = draw_counts_mag(_MAG, 0.35, rng=rng)
    redshift = rng.uniform(*_REDSHIFT)
    dry = rng.random() < _DRY_FRACTION
    places = _draw_places(centre, rng=rng)
    envelope_share, tail_share = rng.uniform(0.2, 0.4), rng.uniform(0.06, 0.12) if dry else rng.uniform(0.1, 0.3)
    nuclei_mag = share_mag(mag, 1.0 - envelope_share - tail_share)
    nuclei = _draw_nuclei(places, nuclei_mag, redshift=redshift, dry=dry, rng=rng)
    envelope = _draw_envelope(places, share_mag(mag, envelope_share), redshift=redshift, dry=dry, rng=rng)
    count = int(rng.integers(1, 3))
    tails = tuple(
        _draw_tail(place, share_mag(mag, tail_share / count), redshift=redshift, dry=dry, rng=rng)
        for place in places[:count]
    )
    return (*nuclei, envelope, *tails)


def _draw_places(centre: EarlyType, *, rng) -> list[tuple[float, float]]:
    """Positions of two or three nuclei; the first is the centre's."""
    places = [(centre.x_arcsec, centre.y_arcsec)]
    direction = rng.uniform(0.0, 2.0 * math.pi)
    for _ in range(1 if rng.random() < 0.75 else 2):
        away = rng.uniform(*_SEPARATION_ARCSEC)
        places.append((centre.x_arcsec + away * math.cos(direction), centre.y_arcsec + away * math.sin(direction)))
        direction += rng.uniform(1.2, 5.0)
    return places


def _draw_mags(mag: float, redshift: float, *, dry: bool, bluer_mag: float, rng) -> tuple[float, ...]:
    if dry:
        return old_mags(mag, redshift, rng=rng)
    return young_mags(mag, redshift, bluer_mag=bluer_mag, rng=rng)


def _draw_nuclei(
    places: list[tuple[float, float]], mag: float, *, redshift: float, dry: bool, rng
) -> tuple[SersicLight, ...]:
    ratios = np.array([1.0, *rng.uniform(*_FLUX_RATIO, len(places) - 1)])
    return tuple(
        SersicLight(
            x_arcsec=x,
            y_arcsec=y,
            radius_arcsec=rng.uniform(0.25, 0.7),
            sersic_index=rng.uniform(1.0, 4.0),
            axis_ratio=rng.uniform(0.5, 1.0),
            angle_rad=rng.uniform(0.0, math.pi),
            # even with gas about, the nuclei are redder than what is around them
            mags=_draw_mags(share_mag(mag, share), redshift, dry=dry, bluer_mag=-0.2, rng=rng),
        )
        for (x, y), share in zip(places, ratios / ratios.sum(), strict=True)
    )


def _draw_envelope(places: list[tuple[float, float]], mag: float, *, redshift: float, dry: bool, rng) -> SersicLight:
    """Stars that belong to nobody any more, about the middle of the nuclei."""
    x, y = np.mean(places, axis=0)
    (x0, y0), (x1, y1) = places[:2]
    return SersicLight(
        x_arcsec=float(x),
        y_arcsec=float(y),
        radius_arcsec=max(1.2, 0.8 * math.hypot(x1 - x0, y1 - y0)),
        sersic_index=rng.uniform(0.8, 1.5),
        axis_ratio=rng.uniform(0.5, 0.9),
        angle_rad=math.atan2(y1 - y0, x1 - x0) % math.pi,
        mags=_draw_mags(mag, redshift, dry=dry, bluer_mag=0.0, rng=rng),
    )


def _draw_tail(place: tuple[float, float], mag: float, *, redshift: float, dry: bool, rng) -> RingLight:
    """A part of a ring that begins at a nucleus and curls away from it."""
    radius = rng.uniform(1.6, 4.5)
    extent = min(rng.uniform(3.5, 9.0) / radius, 2.8)
    towards = rng.uniform(0.0, 2.0 * math.pi)  # from the nucleus to the centre of the ring
    turn = float(rng.choice((-0.5, 0.5))) * extent
    return RingLight(
        x_arcsec=place[0] + radius * math.cos(towards),
        y_arcsec=place[1] + radius * math.sin(towards),
        radius_arcsec=radius,
        width_arcsec=rng.uniform(0.3, 0.7) if dry else rng.uniform(0.15, 0.4),
        axis_ratio=1.0,
        angle_rad=0.0,
        mags=_draw_mags(mag, redshift, dry=dry, bluer_mag=0.15, rng=rng),
        middle_rad=(towards + math.pi + turn) % (2.0 * math.pi),
        extent_rad=extent,
    )
