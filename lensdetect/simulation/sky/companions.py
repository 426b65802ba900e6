"""An early type and what stands around it: satellites, chance neighbours, its group."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.galaxies import SizeRelation, draw_size
from lensdetect.simulation.neighbours import draw_counts_mag
from lensdetect.simulation.scene import Light, SersicLight
from lensdetect.simulation.sky.deflectors import EarlyType
from lensdetect.simulation.sky.stellar_light import young_mags
from lensdetect.survey import Survey

#: How magnitudes in ``SCENE_BANDS`` change at one in r, for a galaxy that is bluer by 1 in g-r.
_BLUER = np.array([-1.5, -1.0, 0.0, 0.3, 0.5, 0.6])

#: Half-light radii of faint blue field galaxies: some 0.35 arcsec at r = 23.
_BLUE_SIZES = SizeRelation(23.0, 0.38, -0.08, 0.15)


def draw_satellites(centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> tuple[Light, ...]:
    """An early type with two to four small satellites along an arc, red like itself.

    Parameters
    ----------
    centre : EarlyType
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Light
        The early type's own first.
    """
    count = int(rng.integers(2, 5))
    radius = rng.uniform(1.5, 3.5)
    middle, extent = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(0.7, 2.6)
    directions = middle + extent * (np.linspace(-0.5, 0.5, count) + rng.normal(0.0, 0.06, count))
    return centre.light + tuple(
        _draw_red(
            centre, radius * math.exp(rng.normal(0.0, 0.10)), direction_rad=direction,
            fainter_mag=rng.uniform(1.2, 3.2), size_share=rng.uniform(0.15, 0.45),
            # the tide, and the choice of what fools: many lie along the arc
            tangential=rng.random() < 0.6, rng=rng,
        )
        for direction in directions
    )  # fmt: skip


def draw_group(centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> tuple[Light, ...]:
    """An early type that dominates two to seven others of its own red sequence, within 2 to 12 arcsec.

    Parameters
    ----------
    centre : EarlyType
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Light
        The early type's own first.
    """
    count = int(rng.integers(2, 8))
    return centre.light + tuple(_draw_member(centre, rng=rng) for _ in range(count))


def _draw_member(centre: EarlyType, *, rng) -> SersicLight:
    """A member of a group: the fainter the more of them, as in any luminosity function, and the smaller."""
    fainter = 0.3 + 3.0 * math.sqrt(rng.random())
    return _draw_red(
        centre,
        # the surface density of a group's galaxies falls as the radius
        rng.uniform(2.0, 12.0),
        direction_rad=rng.uniform(0.0, 2.0 * math.pi),
        fainter_mag=fainter,
        size_share=rng.uniform(0.7, 1.1) * 10.0 ** (-0.12 * fainter),
        tangential=False,
        rng=rng,
    )


def _draw_red(
    centre: EarlyType,
    away_arcsec: float,
    *,
    direction_rad: float,
    fainter_mag: float,
    size_share: float,
    tangential: bool,
    rng,
) -> SersicLight:
    """A galaxy of the early type's own colours: the red sequence is 0.05 mag wide, and a little bluer when fainter."""
    tilt = 0.03 * fainter_mag * _BLUER
    mags = np.asarray(centre.mags) + fainter_mag + tilt + rng.normal(0.0, 0.05, len(centre.mags))
    angle = direction_rad + 0.5 * math.pi + rng.normal(0.0, 0.25) if tangential else rng.uniform(0.0, math.pi)
    return SersicLight(
        x_arcsec=centre.x_arcsec + away_arcsec * math.cos(direction_rad),
        y_arcsec=centre.y_arcsec + away_arcsec * math.sin(direction_rad),
        radius_arcsec=max(centre.radius_arcsec * size_share, 0.12),
        sersic_index=rng.uniform(1.0, 4.0),
        axis_ratio=rng.uniform(0.35, 0.7) if tangential else rng.uniform(0.5, 1.0),
        angle_rad=angle % math.pi,
        mags=tuple(float(mag) for mag in mags),
    )


def draw_chance_blue(centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> tuple[Light, ...]:
    """An early type with one to three blue galaxies 1 to 4 arcsec away, of any orientation.

    Parameters
    ----------
    centre : EarlyType
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Light
        The early type's own first.
    """
    count = int(rng.choice((1, 1, 1, 2, 2, 3)))
    return centre.light + tuple(_draw_blue(centre, rng=rng) for _ in range(count))


def _draw_blue(centre: EarlyType, *, rng) -> SersicLight:
    # uniform over the area, as chance has it
    away = math.sqrt(rng.uniform(1.0, 16.0))
    direction = rng.uniform(0.0, 2.0 * math.pi)
    mag = draw_counts_mag((20.5, 24.0), 0.33, rng=rng)
    # inclined discs: cosines of the inclination are uniform
    axis_ratio = math.sqrt(rng.uniform(0.0, 1.0) ** 2 * 0.96 + 0.04)
    return SersicLight(
        x_arcsec=centre.x_arcsec + away * math.cos(direction),
        y_arcsec=centre.y_arcsec + away * math.sin(direction),
        radius_arcsec=draw_size(mag, _BLUE_SIZES, rng=rng) * math.sqrt(axis_ratio),
        sersic_index=rng.uniform(0.6, 1.5),
        axis_ratio=axis_ratio,
        angle_rad=rng.uniform(0.0, math.pi),
        mags=young_mags(mag, rng.uniform(0.3, 1.0), bluer_mag=rng.uniform(0.0, 0.25), rng=rng),
    )
