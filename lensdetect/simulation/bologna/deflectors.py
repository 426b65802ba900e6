"""Draw the deflector: one galaxy or a group, its light and its mass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.bologna.parameters import DeflectorPopulation
from lensdetect.simulation.colours import EARLY_TYPE, LATE_TYPE, track_colours
from lensdetect.simulation.galaxies import Look, draw_galaxy, draw_size
from lensdetect.simulation.scene import IsothermalMass, SersicLight

#: More members than this change a stamp of 20 arcsec no further.
_MOST_MEMBERS = 8

#: Mean distance of members beyond the nearest ones, in arcsec: gamma
#: distributed, most of them within 10 arcsec as around groups at z = 0.6.
_NEAREST_MEMBER_ARCSEC, _MEMBER_SCALE_ARCSEC = 1.2, 2.5

#: Members are this much fainter than the centre or more, exponentially, in mag.
_MEMBER_GAP_MAG, _MEMBER_SCALE_MAG, _FAINTEST_MEMBER_MAG = 0.2, 1.3, 25.5


@dataclass(frozen=True)
class Deflector:
    """What was drawn.

    Parameters
    ----------
    kind : str
        elliptical, spiral, disc or group.
    einstein_radius_arcsec : float
        Of all its mass together.
    masses : tuple of IsothermalMass
        The centre first.
    light : tuple of SersicLight
        Of the centre and of the members.
    """

    kind: str
    einstein_radius_arcsec: float
    masses: tuple[IsothermalMass, ...]
    light: tuple[SersicLight, ...]


@dataclass(frozen=True)
class _Member:
    mag: float
    light: tuple[SersicLight, ...]


def draw_deflector(deflector: DeflectorPopulation, *, real_like: bool, rng: np.random.Generator) -> Deflector:
    """Draw the galaxy or group in the middle of a stamp.

    Parameters
    ----------
    deflector : DeflectorPopulation
    real_like : bool
        Whether it shall be a bright galaxy, as in real-like stamps.
    rng : numpy.random.Generator

    Returns
    -------
    Deflector
    """
    radius = float(np.interp(rng.random(), deflector.einstein_radius_quantiles, deflector.einstein_radius_arcsec))
    redshift = _draw_redshift(deflector, real_like=real_like, rng=rng)
    mag = _draw_mag(deflector, radius, redshift=redshift, real_like=real_like, rng=rng)
    late = rng.random() < deflector.late_fraction
    centre = rng.uniform(-deflector.centre_jitter_arcsec, deflector.centre_jitter_arcsec, 2)
    light = draw_galaxy(
        centre,
        mag,
        look=_draw_look(deflector, mag, late=late, redshift=redshift, rng=rng),
        arm_fraction=deflector.arm_fraction,
        axis_ratio_range=deflector.axis_ratio,
        inclination_max_deg=deflector.inclination_max_deg,
        rng=rng,
    )
    members = _draw_members(deflector, radius, mag=mag, centre=light[0], redshift=redshift, rng=rng)
    masses = _share_mass(deflector, radius, centre=light[0], mag=mag, members=members, rng=rng)
    everything = light + tuple(part for member in members for part in member.light)
    return Deflector(_kind(late, light, members), radius, masses, everything)


def _kind(late: bool, light: tuple[SersicLight, ...], members: list[_Member]) -> str:
    if members:
        return "group"
    if not late:
        return "elliptical"
    return "spiral" if any(part.arms for part in light) else "disc"


def _draw_redshift(deflector: DeflectorPopulation, *, real_like: bool, rng) -> float:
    mean, sigma = deflector.redshift_mean, deflector.redshift_sigma
    if real_like:
        mean, sigma = deflector.real_redshift_mean, deflector.real_redshift_sigma
    return float(np.clip(rng.normal(mean, sigma), 0.1, 1.0))


def _draw_mag(deflector: DeflectorPopulation, radius: float, *, redshift: float, real_like: bool, rng) -> float:
    """Total r magnitude: brighter when nearer or heavier; bright in real-like stamps."""
    if real_like:
        mag = rng.normal(deflector.real_mag_mean, deflector.real_mag_sigma)
    else:
        mean = deflector.mag_at_mean + deflector.mag_per_redshift * (redshift - deflector.redshift_mean)
        mean += deflector.mag_per_dex * math.log10(radius / 1.3)
        mag = rng.normal(mean, deflector.mag_scatter)
    return float(np.clip(mag, *deflector.mag_range))


def _draw_look(deflector: DeflectorPopulation, mag: float, *, late: bool, redshift: float, rng) -> Look:
    size_arcsec = draw_size(mag, deflector.sizes, rng=rng)
    return Look(late, track_colours(LATE_TYPE if late else EARLY_TYPE, redshift, rng=rng), size_arcsec)


def _draw_members(
    deflector: DeflectorPopulation, radius: float, *, mag: float, centre: SersicLight, redshift: float, rng
) -> list[_Member]:
    """Other galaxies of the group, at the redshift of its centre."""
    count = int(rng.poisson(deflector.members_at_zero + deflector.members_per_arcsec * radius))
    return [
        _draw_member(deflector, mag, centre=centre, redshift=redshift, rng=rng)
        for _ in range(min(count, _MOST_MEMBERS))
    ]


def _draw_member(deflector: DeflectorPopulation, mag: float, *, centre: SersicLight, redshift: float, rng) -> _Member:
    distance = _NEAREST_MEMBER_ARCSEC + rng.gamma(2.0, _MEMBER_SCALE_ARCSEC)
    angle = rng.uniform(0.0, 2.0 * math.pi)
    position = centre.x_arcsec + distance * math.cos(angle), centre.y_arcsec + distance * math.sin(angle)
    fainter = mag + _MEMBER_GAP_MAG + rng.exponential(_MEMBER_SCALE_MAG)
    member_mag = min(fainter, _FAINTEST_MEMBER_MAG)
    late = rng.random() < 0.5 * deflector.late_fraction  # groups have fewer discs than the field
    light = draw_galaxy(
        position,
        member_mag,
        look=_draw_look(deflector, member_mag, late=late, redshift=redshift, rng=rng),
        arm_fraction=0.0,
        axis_ratio_range=deflector.axis_ratio,
        inclination_max_deg=deflector.inclination_max_deg,
        rng=rng,
    )
    return _Member(member_mag, light)


def _share_mass(
    deflector: DeflectorPopulation, radius: float, *, centre: SersicLight, mag: float, members: list[_Member], rng
) -> tuple[IsothermalMass, ...]:
    """Split the mass so that its mean density within the Einstein radius is the critical one."""
    spheres = []
    inside = 0.0
    for member in members:
        # velocity dispersion goes as luminosity ** (1/4), the Einstein radius as its square
        share = rng.uniform(*deflector.member_mass_share) * 10.0 ** (-0.2 * (member.mag - mag))
        x, y = member.light[0].x_arcsec, member.light[0].y_arcsec
        distance = math.hypot(x - centre.x_arcsec, y - centre.y_arcsec)
        contribution = share * radius * sphere_within(distance / radius)
        if inside + contribution > 0.5 * radius:
            continue  # light without mass of its own: members must not outweigh the centre
        spheres.append(IsothermalMass(x, y, share * radius))
        inside += contribution
    axis_ratio = float(np.clip(centre.axis_ratio + rng.normal(0.0, deflector.mass_axis_ratio_scatter), 0.45, 0.98))
    angle = float(centre.angle_rad + rng.normal(0.0, deflector.mass_angle_scatter_rad))
    return (IsothermalMass(centre.x_arcsec, centre.y_arcsec, radius - inside, axis_ratio, angle), *spheres)


def sphere_within(distance: float) -> float:
    """Mass of an isothermal sphere within an offset circle, over that of a centred one.

    By Gauss's theorem it is the mean of the radial deflection along the circle.

    Parameters
    ----------
    distance : float
        Offset of the sphere, in radii of the circle.

    Returns
    -------
    float
        1 at zero offset, towards 0 far away.
    """
    theta = (np.arange(256) + 0.5) * (2.0 * math.pi / 256)
    along = 1.0 - distance * np.cos(theta)
    return float(np.mean(along / np.sqrt(1.0 + distance**2 - 2.0 * distance * np.cos(theta))))
