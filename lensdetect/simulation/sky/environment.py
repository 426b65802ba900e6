"""Mass of a lens and what stands beside it: its shear, its group, and companions that fool."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lensdetect.simulation.render.deflection import trace_rays
from lensdetect.simulation.scene import IsothermalMass, Light, SersicLight, StarLight
from lensdetect.simulation.sky.deflectors import EarlyType
from lensdetect.simulation.sky.foolers import draw_fooler
from lensdetect.simulation.sky.parameters import LensEnvironment
from lensdetect.simulation.sky.sources import SkySource
from lensdetect.survey import Survey

#: Index of r in ``SCENE_BANDS``.
_R = 2

#: Range of the axis ratio of mass, and round enough for a sphere.
_AXIS_RATIO = (0.45, 0.98)


@dataclass(frozen=True)
class Surroundings:
    """A galaxy with what is about it.

    Parameters
    ----------
    masses : tuple of IsothermalMass
        The galaxy's first.
    einstein_radius_arcsec : float
        Of all of them.
    light : tuple of Light
        The galaxy's own first.
    stars : tuple of StarLight
    """

    masses: tuple[IsothermalMass, ...]
    einstein_radius_arcsec: float
    light: tuple[Light, ...]
    stars: tuple[StarLight, ...]


def draw_mass(
    environment: LensEnvironment, galaxy: EarlyType, *, einstein_radius_arcsec: float, rng: np.random.Generator
) -> IsothermalMass:
    """Mass of a galaxy, about as flat as its light and along it.

    Parameters
    ----------
    environment : LensEnvironment
    galaxy : EarlyType
    einstein_radius_arcsec : float
    rng : numpy.random.Generator

    Returns
    -------
    IsothermalMass
    """
    axis_ratio = galaxy.axis_ratio + rng.normal(0.0, environment.mass_axis_ratio_scatter)
    return IsothermalMass(
        galaxy.x_arcsec,
        galaxy.y_arcsec,
        einstein_radius_arcsec,
        axis_ratio=float(np.clip(axis_ratio, *_AXIS_RATIO)),
        angle_rad=float(galaxy.angle_rad + rng.normal(0.0, environment.mass_angle_scatter_rad)),
    )


def draw_shear(environment: LensEnvironment, *, rng: np.random.Generator) -> tuple[float, float]:
    """External shear, gamma1 and gamma2, in a random direction."""
    size = min(environment.shear_median * 10.0 ** rng.normal(0.0, environment.shear_scatter_dex), 0.3)
    direction = rng.uniform(0.0, 2.0 * math.pi)
    return size * math.cos(direction), size * math.sin(direction)


def draw_surroundings(
    environment: LensEnvironment,
    galaxy: EarlyType,
    *,
    mass: IsothermalMass,
    own_radius_arcsec: float,
    in_group: bool,
    survey: Survey,
    rng: np.random.Generator,
) -> Surroundings:
    """Draw what stands beside a lens, as it stands beside galaxies that are none.

    Parameters
    ----------
    environment : LensEnvironment
    galaxy : EarlyType
    mass : IsothermalMass
        Of the galaxy and its halo.
    own_radius_arcsec : float
        Einstein radius of the galaxy without its halo.
    in_group : bool
        Whether the halo is that of a group; else chance decides.
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    Surroundings
    """
    shares = (environment.group_share, environment.satellites_share, environment.chance_blue_share)
    number = int(np.searchsorted(np.cumsum(shares), rng.random(), side="right"))
    if number == len(shares) and not in_group:
        return Surroundings((mass,), mass.einstein_radius_arcsec, galaxy.light, ())
    kind = "group" if in_group else ("group", "satellites", "chance_blue")[number]
    fooler = draw_fooler(kind, galaxy, survey=survey, rng=rng)
    members = _member_masses(galaxy, own_radius_arcsec, fooler.light) if kind == "group" else ()
    masses = _share_halo((mass, *members)) if in_group else (mass, *members)
    return Surroundings(masses, enclosed_einstein_radius_arcsec(masses), fooler.light, fooler.stars)


def _share_halo(masses: tuple[IsothermalMass, ...]) -> tuple[IsothermalMass, ...]:
    """The mass of a halo holds that of its members, so the first mass is what they leave of it, half at least."""
    first, *members = masses
    excess = enclosed_einstein_radius_arcsec(masses) - first.einstein_radius_arcsec
    left = max(first.einstein_radius_arcsec - excess, 0.5 * first.einstein_radius_arcsec)
    return (replace(first, einstein_radius_arcsec=left), *members)


def _member_masses(galaxy: EarlyType, own_radius_arcsec: float, light: tuple[Light, ...]) -> list[IsothermalMass]:
    """Spheres for the members: luminosity goes as the fourth power of velocity dispersion, radius as its square."""
    members = [part for part in light[len(galaxy.light) :] if isinstance(part, SersicLight)]
    return [
        IsothermalMass(
            part.x_arcsec,
            part.y_arcsec,
            own_radius_arcsec * 10.0 ** (-0.2 * max(part.mags[_R] - galaxy.mags[_R], 0.0)),
        )
        for part in members
    ]


def enclosed_einstein_radius_arcsec(masses: tuple[IsothermalMass, ...]) -> float:
    """Radius about the first mass within which the mean surface density of all of them is critical.

    By Gauss's theorem the mass within a circle is the mean of the radial
    deflection along it; the radius is where that equals the radius itself.

    Parameters
    ----------
    masses : tuple of IsothermalMass
        The first, and spheres.

    Returns
    -------
    float
    """
    first, *others = masses
    radius = first.einstein_radius_arcsec
    directions = (np.arange(64) + 0.5) * (2.0 * math.pi / 64)
    for _ in range(20 if others else 0):
        x, y = first.x_arcsec + radius * np.cos(directions), first.y_arcsec + radius * np.sin(directions)
        beta_x, beta_y = trace_rays(x, y, masses=tuple(others), shear=(0.0, 0.0))
        inside = float(np.mean((x - beta_x) * np.cos(directions) + (y - beta_y) * np.sin(directions)))
        radius = first.einstein_radius_arcsec + max(inside, 0.0)
    return radius


def caustic_centre_arcsec(masses: tuple[IsothermalMass, ...]) -> tuple[float, float]:
    """Where a source has to be to stand behind the first mass: the others deflect it as a whole.

    Parameters
    ----------
    masses : tuple of IsothermalMass

    Returns
    -------
    tuple of float
        x and y in the source plane.
    """
    first, *others = masses
    if not others:
        return first.x_arcsec, first.y_arcsec
    x, y = trace_rays(np.array([first.x_arcsec]), np.array([first.y_arcsec]), masses=tuple(others), shear=(0.0, 0.0))
    return float(x[0]), float(y[0])


def shift_source(source: SkySource, masses: tuple[IsothermalMass, ...]) -> SkySource:
    """A source that was placed behind the first mass alone, placed behind it among the others."""
    x, y = caustic_centre_arcsec(masses)
    dx, dy = x - masses[0].x_arcsec, y - masses[0].y_arcsec
    light, points = (
        tuple(replace(part, x_arcsec=part.x_arcsec + dx, y_arcsec=part.y_arcsec + dy) for part in parts)
        for parts in (source.light, source.points)
    )
    return replace(source, light=light, points=points)
