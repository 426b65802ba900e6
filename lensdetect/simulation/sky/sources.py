"""Draw sources: galaxies by their published counts, redshifts and sizes, real galaxies, quasars."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.colours import EARLY_TYPE, ColourTrack, mags_from_colours, track_colours
from lensdetect.simulation.scene import ImageLight, Light, SersicLight, StarLight
from lensdetect.simulation.sky.parameters import QuasarPopulation, SkySourcePopulation
from lensdetect.simulation.sky.real_galaxies import nearest_real_galaxy

#: Young galaxies, rounded from template colours of irregulars and starbursts:
#: the Balmer break passes through the bands up to redshift 1.5, the Lyman break
#: enters u at 2.4 and g at 3.4.
STAR_FORMING = ColourTrack(
    redshift=(0.2, 0.6, 1.0, 1.4, 2.0, 2.5, 3.0, 3.5, 4.5),
    u_g_mag=(0.75, 0.45, 0.30, 0.20, 0.25, 0.60, 1.50, 2.60, 3.50),
    g_r_mag=(0.40, 0.50, 0.25, 0.15, 0.15, 0.15, 0.30, 0.70, 1.60),
    r_i_mag=(0.20, 0.35, 0.40, 0.15, 0.10, 0.10, 0.10, 0.15, 0.35),
    i_z_mag=(0.15, 0.15, 0.35, 0.30, 0.08, 0.08, 0.08, 0.08, 0.10),
    z_y_mag=(0.05, 0.10, 0.15, 0.35, 0.10, 0.05, 0.05, 0.05, 0.05),
    scatter_mag=0.12,
)

#: Reddening of a colour per magnitude of reddening in g-r (a screen of dust, Calzetti-like).
_DUST = (0.9, 1.0, 0.75, 0.55, 0.45)

#: Spread of dust between young galaxies, in g-r: exponential.
_DUST_SCALE_MAG = 0.10

#: Median over ``a`` of the density ``r exp(-(r / a)**(4/3))``, and half-light
#: radius over scale length of an exponential disc.
_MEDIAN_OVER_SCALE, _HALF_LIGHT_OVER_LENGTH = 1.134, 1.678

_SMALLEST_ARCSEC, _LARGEST_ARCSEC = 0.05, 2.0

_MOST_CLUMPS = 6

#: How a clump's blueness, drawn in g-r, goes over the magnitudes of ``SCENE_BANDS``.
_BLUE_TILT = (2.0, 1.0, 0.0, -0.5, -0.7, -0.8)


@dataclass(frozen=True)
class SkySource:
    """One source.

    Parameters
    ----------
    redshift : float
    mags : tuple of float
        Total, unlensed, without clumps.
    radius_arcsec : float
        Half-light radius; 0 of a quasar, whose points outshine all else.
    light : tuple of Light
        Galaxy or host.
    points : tuple of StarLight
    """

    redshift: float
    mags: tuple[float, ...]
    radius_arcsec: float
    light: tuple[Light, ...]
    points: tuple[StarLight, ...] = ()


def draw_mags_and_redshifts(
    sources: SkySourcePopulation, count: int, *, quasar: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Unlensed i magnitudes and redshifts by the counts.

    Parameters
    ----------
    sources : SkySourcePopulation
    count : int
    quasar : bool
        Whether they are quasars.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of ndarray
        ``(count,)`` each.
    """
    counts = sources.quasars if quasar else sources
    low, high = (10.0 ** (counts.counts_slope * (mag - counts.mag_range[1])) for mag in counts.mag_range)
    mag = counts.mag_range[1] + np.log10(rng.uniform(low, high, count)) / counts.counts_slope
    if quasar:
        redshift = rng.normal(counts.redshift_mean, counts.redshift_sigma, count)
        return mag, np.clip(redshift, 0.6, 4.5)
    z0 = np.maximum(sources.z0_at_zero + sources.z0_per_mag * mag, 0.02)
    return mag, np.clip(z0 * rng.gamma(3.0, 1.0, count), 0.05, 6.0)


def draw_half_light_radius_arcsec(sources: SkySourcePopulation, mag: float, *, rng: np.random.Generator) -> float:
    """Half-light radius of a disc by its i magnitude (Miller+ 2013)."""
    median = math.exp(sources.size_at_23 + sources.size_per_mag * (mag - 23.0))
    # (r / a)**(4/3) of that density is gamma distributed, of shape 3/2
    length = median / _MEDIAN_OVER_SCALE * rng.gamma(1.5) ** 0.75
    return float(np.clip(_HALF_LIGHT_OVER_LENGTH * length, _SMALLEST_ARCSEC, _LARGEST_ARCSEC))


def draw_source(
    sources: SkySourcePopulation,
    position_arcsec: tuple[float, float],
    *,
    mag: float,
    redshift: float,
    quasar: bool,
    rng: np.random.Generator,
) -> SkySource:
    """Draw what a source looks like.

    Parameters
    ----------
    sources : SkySourcePopulation
    position_arcsec : tuple of float
        Unlensed x, y.
    mag : float
        Unlensed i magnitude.
    redshift : float
    quasar : bool
        Whether it is a quasar, or else a galaxy.
    rng : numpy.random.Generator

    Returns
    -------
    SkySource

    Raises
    ------
    InputError
        If there shall be real galaxies and their folder cannot be read.
    """
    if quasar:
        return _draw_quasar(sources, position_arcsec, mag=mag, redshift=redshift, rng=rng)
    mags = draw_galaxy_mags(sources, mag, redshift=redshift, rng=rng)
    if sources.real_sources and rng.random() < sources.real_share:
        return _draw_real(sources, position_arcsec, mag=mag, redshift=redshift, mags=mags, rng=rng)
    smooth = _draw_smooth(sources, position_arcsec, mag=mag, mags=mags, rng=rng)
    count = min(int(rng.poisson(sources.clumps_mean)), _MOST_CLUMPS)
    clumps = tuple(_draw_clump(sources, smooth, rng=rng) for _ in range(count))
    return SkySource(redshift, mags, smooth.radius_arcsec, (smooth, *clumps))


def draw_galaxy_mags(
    sources: SkySourcePopulation, mag: float, *, redshift: float, rng: np.random.Generator
) -> tuple[float, ...]:
    """Magnitudes of a source galaxy from its i magnitude: young and more or less dusty, or old.

    Parameters
    ----------
    sources : SkySourcePopulation
    mag : float
        In i.
    redshift : float
    rng : numpy.random.Generator

    Returns
    -------
    tuple of float
        In the order of ``SCENE_BANDS``.
    """
    if rng.random() < sources.red_share:
        colours = track_colours(EARLY_TYPE, redshift, rng=rng)
    else:
        dust = rng.exponential(_DUST_SCALE_MAG)
        young = track_colours(STAR_FORMING, redshift, rng=rng)
        colours = tuple(colour + dust * weight for colour, weight in zip(young, _DUST, strict=True))
    return mags_from_colours(float(mag) + colours[2], colours)


def _draw_smooth(sources: SkySourcePopulation, position_arcsec, *, mag: float, mags, rng) -> SersicLight:
    axis_ratio = rng.uniform(*sources.axis_ratio)
    length_arcsec = draw_half_light_radius_arcsec(sources, mag, rng=rng)
    return SersicLight(
        x_arcsec=position_arcsec[0],
        y_arcsec=position_arcsec[1],
        # published sizes are along the major axis
        radius_arcsec=length_arcsec * math.sqrt(axis_ratio),
        sersic_index=rng.uniform(*sources.sersic_index),
        axis_ratio=axis_ratio,
        angle_rad=rng.uniform(0.0, math.pi),
        mags=mags,
    )


def _draw_clump(sources: SkySourcePopulation, smooth: SersicLight, *, rng) -> SersicLight:
    """One star-forming clump in the plane of the disc: small, round, a little bluer than the galaxy."""
    along, across = rng.normal(0.0, 0.8 * smooth.radius_arcsec, 2) / math.sqrt(smooth.axis_ratio)
    across *= smooth.axis_ratio
    cosine, sine = math.cos(smooth.angle_rad), math.sin(smooth.angle_rad)
    fainter = -2.5 * math.log10(rng.uniform(*sources.clump_flux_share))
    bluer = rng.uniform(0.0, 0.3)
    return SersicLight(
        x_arcsec=smooth.x_arcsec + cosine * along - sine * across,
        y_arcsec=smooth.y_arcsec + sine * along + cosine * across,
        radius_arcsec=smooth.radius_arcsec * rng.uniform(*sources.clump_size_share),
        sersic_index=0.5,
        axis_ratio=1.0,
        angle_rad=0.0,
        mags=tuple(mag + fainter - bluer * tilt for mag, tilt in zip(smooth.mags, _BLUE_TILT, strict=True)),
    )


def _draw_real(sources: SkySourcePopulation, position_arcsec, *, mag: float, redshift: float, mags, rng) -> SkySource:
    """A real galaxy of about this magnitude, at its own angular size, in drawn colours."""
    galaxy = nearest_real_galaxy(sources.real_sources, mag, mag_max=sources.real_mag_max, rng=rng)
    light = ImageLight(
        x_arcsec=position_arcsec[0],
        y_arcsec=position_arcsec[1],
        image=galaxy.image,
        pixel_arcsec=galaxy.pixel_arcsec,
        angle_rad=rng.uniform(0.0, 2.0 * math.pi),
        mags=mags,
    )
    return SkySource(redshift, mags, galaxy.radius_arcsec, (light,))


def _draw_quasar(sources: SkySourcePopulation, position_arcsec, *, mag: float, redshift: float, rng) -> SkySource:
    """A point in a host galaxy; neutral hydrogen dims u beyond redshift 2.4 and g beyond 3.4."""
    quasars: QuasarPopulation = sources.quasars
    u_g, g_r, r_i, i_z, z_y = (rng.normal(colour, quasars.colour_scatter_mag) for colour in quasars.colours_mag)
    colours = u_g + 1.5 * max(redshift - 2.6, 0.0), g_r + 0.8 * max(redshift - 3.2, 0.0), r_i, i_z, z_y
    mags = mags_from_colours(float(mag) + r_i, tuple(float(colour) for colour in colours))
    host_mag = mag + rng.uniform(*quasars.host_fainter_mag)
    host_mags = draw_galaxy_mags(sources, host_mag, redshift=redshift, rng=rng)
    host = _draw_smooth(sources, position_arcsec, mag=host_mag, mags=host_mags, rng=rng)
    return SkySource(redshift, mags, 0.0, (host,), (StarLight(*position_arcsec, mags),))
