"""Draw the light of one galaxy: size, bulge, disc and arms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.colours import Colours, mags_from_colours
from lensdetect.simulation.scene import SersicLight, SpiralArms

#: Edge-on axis ratio of a disc: its thickness over its diameter.
_DISC_THICKNESS = 0.2

#: Arms are drawn in discs rounder than this: in others they cannot be seen.
_ARMS_AXIS_RATIO = 0.35

#: Smallest half-light radius, in arcsec: far below every PSF.
_SMALLEST_ARCSEC = 0.06


@dataclass(frozen=True)
class SizeRelation:
    """Half-light radius against magnitude: log-linear, with log-normal scatter.

    Parameters
    ----------
    at_mag : float
        An r magnitude.
    radius_arcsec : float
        Median half-light radius there.
    slope : float
        In dex per mag; negative: brighter is larger.
    scatter_dex : float
        Standard deviation in dex.
    """

    at_mag: float
    radius_arcsec: float
    slope: float
    scatter_dex: float


@dataclass(frozen=True)
class Look:
    """Type, colours and size of a galaxy.

    Parameters
    ----------
    late : bool
        Whether the disc dominates.
    colours : Colours
        Of the whole galaxy, in mag.
    size_arcsec : float
        Half-light radius.
    """

    late: bool
    colours: Colours
    size_arcsec: float


def draw_size(mag: float, sizes: SizeRelation, *, rng: np.random.Generator) -> float:
    """Half-light radius in arcsec at some r magnitude."""
    dex = sizes.slope * (mag - sizes.at_mag) + rng.normal(0.0, sizes.scatter_dex)
    return max(sizes.radius_arcsec * 10.0**dex, _SMALLEST_ARCSEC)


def draw_galaxy(
    position_arcsec: Sequence[float],
    mag: float,
    *,
    look: Look,
    arm_fraction: float,
    axis_ratio_range: tuple[float, float],
    inclination_max_deg: float,
    rng: np.random.Generator,
) -> tuple[SersicLight, ...]:
    """Bulge and disc of one galaxy.

    The Sersic index of the bulge goes with its share B/T of the light as in
    Metcalf+ 2019, ``log n = 0.4 log max(B/T, 0.03) + 0.1 x`` with x uniform in
    -1..1, times 4: so that a pure bulge is a de Vaucouleurs profile.

    Parameters
    ----------
    position_arcsec : sequence of float
        Centre x, y.
    mag : float
        Total r magnitude.
    look : Look
    arm_fraction : float
        Probability of spiral arms, in late types that are not edge-on.
    axis_ratio_range : tuple of float
        Range of the bulge's axis ratio.
    inclination_max_deg : float
        Largest inclination of the disc.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of SersicLight
        Bulge first, then the disc where there is one.
    """
    share = rng.uniform(0.03, 0.45) if look.late else rng.uniform(0.5, 1.0)
    index = 4.0 * 10.0 ** (0.4 * math.log10(max(share, 0.03)) + rng.uniform(-0.1, 0.1))
    angle = rng.uniform(0.0, math.pi)
    bulge = SersicLight(
        x_arcsec=float(position_arcsec[0]),
        y_arcsec=float(position_arcsec[1]),
        # in a late type the bulge is small; an early type is nearly all bulge and has its size
        radius_arcsec=look.size_arcsec * (0.35 if look.late else 1.0),
        sersic_index=index,
        axis_ratio=rng.uniform(*axis_ratio_range),
        angle_rad=angle,
        mags=mags_from_colours(mag - 2.5 * math.log10(share), _bulge_colours(look)),
    )
    if share > 0.97:
        return (bulge,)
    disc_mag = mag - 2.5 * math.log10(1.0 - share)
    arms = arm_fraction if look.late else 0.0
    disc = _draw_disc(bulge, disc_mag, look=look, arm_fraction=arms, inclination_max_deg=inclination_max_deg, rng=rng)
    return bulge, disc


def _bulge_colours(look: Look) -> Colours:
    redder = 0.25 if look.late else 0.05
    return _shifted(look.colours, (redder, redder, 0.5 * redder, 0.3 * redder, 0.2 * redder))


def _disc_colours(look: Look) -> Colours:
    return _shifted(look.colours, (-0.1, -0.08, -0.04, -0.02, -0.01))


def _shifted(colours: Colours, by: Colours) -> Colours:
    return tuple(colour + shift for colour, shift in zip(colours, by, strict=True))


def _draw_disc(
    bulge: SersicLight, mag: float, *, look: Look, arm_fraction: float, inclination_max_deg: float, rng
) -> SersicLight:
    """An inclined exponential disc around a bulge, with arms or without."""
    cosine = rng.uniform(math.cos(math.radians(inclination_max_deg)), 1.0)
    flattening = math.sqrt(cosine**2 + _DISC_THICKNESS**2 * (1.0 - cosine**2))
    # without arms it may be the envelope of an elliptical galaxy, never much flatter than its bulge
    axis_ratio = flattening if arm_fraction else max(flattening, 0.8 * bulge.axis_ratio)
    return SersicLight(
        x_arcsec=bulge.x_arcsec,
        y_arcsec=bulge.y_arcsec,
        radius_arcsec=look.size_arcsec * (1.0 if look.late else 1.3),
        sersic_index=1.0,
        axis_ratio=axis_ratio,
        angle_rad=bulge.angle_rad,
        mags=mags_from_colours(mag, _disc_colours(look)),
        arms=_draw_arms(rng=rng) if rng.random() < arm_fraction and axis_ratio > _ARMS_AXIS_RATIO else None,
    )


def _draw_arms(*, rng) -> SpiralArms:
    return SpiralArms(
        number=int(rng.choice((2, 2, 3, 4))),
        amplitude=rng.uniform(0.3, 0.85),
        winding=float(rng.choice((-1.0, 1.0)) * rng.uniform(2.0, 6.0)),
        phase_rad=rng.uniform(0.0, 2.0 * math.pi),
    )
