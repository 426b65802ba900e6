"""Draw early-type galaxies: redshift, velocity dispersion, luminosity, size and colours tied together."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.simulation.colours import EARLY_TYPE, mags_from_colours, track_colours
from lensdetect.simulation.scene import Light, SersicLight
from lensdetect.simulation.sky.distances import arcsec_per_kpc, comoving_volume_weight, distance_modulus_mag
from lensdetect.simulation.sky.parameters import EarlyTypePopulation

#: Draws without a galaxy within the limits after which there is none.
_MOST_DRAWS = 10_000

#: Knots of the inverted cumulative distributions.
_KNOTS = 2001

#: K correction of old populations in r, from colours of nearby ellipticals (g-r
#: 0.77, u-g 1.70): light seen in r left as g at z = 0.31 and as u at z = 0.75,
#: where the correction is the colour minus 2.5 log(1 + z) (Hogg+ 2002,
#: astro-ph/0210394); linear between, and on beyond.
_K_REDSHIFT, _K_MAG = (0.0, 0.31, 0.75, 1.19), (0.0, 0.48, 1.86, 3.24)


@dataclass(frozen=True)
class EarlyType:
    """One early-type galaxy.

    Parameters
    ----------
    redshift : float
    velocity_dispersion_km_s : float
    mags : tuple of float
        Total magnitudes in the order of ``SCENE_BANDS``.
    radius_arcsec : float
        Half-light radius.
    axis_ratio, angle_rad : float
        Of its light.
    light : tuple of Light
        Its components, at its centre.
    x_arcsec, y_arcsec : float
        Centre.
    """

    redshift: float
    velocity_dispersion_km_s: float
    mags: tuple[float, ...]
    radius_arcsec: float
    axis_ratio: float
    angle_rad: float
    light: tuple[Light, ...]
    x_arcsec: float
    y_arcsec: float


def draw_early_type(
    parameters: EarlyTypePopulation, *, rng: np.random.Generator, by_cross_section: bool = False
) -> EarlyType:
    """Draw a galaxy from those within the magnitude limits.

    Parameters
    ----------
    parameters : EarlyTypePopulation
    rng : numpy.random.Generator
    by_cross_section : bool
        Whether heavy galaxies are drawn more often, as their Einstein radius
        squared: in proportion to the fourth power of the velocity dispersion.

    Returns
    -------
    EarlyType

    Raises
    ------
    InputError
        If hardly any galaxy is within the limits.
    """
    for _ in range(_MOST_DRAWS):
        for redshift, sigma, mag in draw_within_limits(parameters, 8, rng=rng, by_cross_section=by_cross_section):
            return dress_early_type(parameters, redshift, velocity_dispersion_km_s=sigma, mag=mag, rng=rng)
    raise InputError(
        f"early_types must have galaxies in mag_range {parameters.mag_range}, got none of {8 * _MOST_DRAWS:,} drawn: "
        "widen it, or sigma_range_km_s or redshift_range"
    )


def draw_within_limits(
    parameters: EarlyTypePopulation, count: int, *, rng: np.random.Generator, by_cross_section: bool = False
) -> np.ndarray:
    """Redshifts, velocity dispersions and magnitudes of many galaxies, and of them those within the limits.

    Parameters
    ----------
    parameters : EarlyTypePopulation
    count : int
        How many are drawn; fewer are left.
    rng : numpy.random.Generator
    by_cross_section : bool
        As in ``draw_early_type``.

    Returns
    -------
    ndarray
        ``(n, 3)``: redshift, velocity dispersion in km/s, r magnitude.
    """
    redshift = _draw_quantiles(_redshift_quantiles(parameters.redshift_range), count, rng=rng)
    sigma = _draw_quantiles(_sigma_quantiles(parameters, 4 if by_cross_section else 0), count, rng=rng)
    mag = apparent_mag(sigma, redshift, evolution_mag=parameters.evolution_mag)
    mag = mag + rng.normal(0.0, parameters.luminosity_scatter_mag, count)
    bright, faint = parameters.mag_range
    return np.stack((redshift, sigma, mag), axis=1)[(mag >= bright) & (mag <= faint)]


def _draw_quantiles(quantiles: np.ndarray, count: int, *, rng) -> np.ndarray:
    return np.interp(rng.random(count) * (_KNOTS - 1), np.arange(_KNOTS), quantiles)


def _quantiles(values: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Values at evenly spaced quantiles of a tabulated density."""
    cumulative = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(values))))
    return np.interp(np.linspace(0.0, cumulative[-1], _KNOTS), cumulative, values)


@functools.lru_cache(maxsize=16)
def _sigma_quantiles(parameters: EarlyTypePopulation, power: int) -> np.ndarray:
    sigma = np.linspace(*parameters.sigma_range_km_s, _KNOTS)
    scaled = sigma / parameters.sigma_star_km_s
    density = scaled**parameters.sigma_alpha * np.exp(-(scaled**parameters.sigma_beta)) / sigma
    return _quantiles(sigma, density * scaled**power)


@functools.lru_cache(maxsize=16)
def _redshift_quantiles(redshift_range: tuple[float, float]) -> np.ndarray:
    redshift = np.linspace(*redshift_range, _KNOTS)
    return _quantiles(redshift, comoving_volume_weight(redshift))


def absolute_mag(velocity_dispersion_km_s):
    """Absolute r magnitude of an early type today, on average.

    From ``log sigma = -2.97 - 0.37 M - 0.006 M**2`` (Hyde & Bernardi 2009).

    Parameters
    ----------
    velocity_dispersion_km_s : float or ndarray
        Up to 540 km/s, where the parabola ends.

    Returns
    -------
    float or ndarray
    """
    under_root = 0.37**2 - 4.0 * 0.006 * (2.97 + np.log10(velocity_dispersion_km_s))
    return (-0.37 + np.sqrt(np.maximum(under_root, 0.0))) / (2.0 * 0.006)


def half_light_radius_kpc(velocity_dispersion_km_s: float) -> float:
    """Half-light radius of an early type in kpc, on average.

    ``log R = 2.46 - 2.79 V + 0.84 V**2`` with V the logarithm of the velocity
    dispersion (Hyde & Bernardi 2009).
    """
    v = math.log10(velocity_dispersion_km_s)
    return 10.0 ** (2.46 - 2.79 * v + 0.84 * v**2)


def apparent_mag(velocity_dispersion_km_s, redshift, *, evolution_mag: float):
    """Apparent r magnitude, on average: distance, K correction and passive brightening.

    Parameters
    ----------
    velocity_dispersion_km_s, redshift : float or ndarray
    evolution_mag : float
        Brightening per unit redshift.

    Returns
    -------
    float or ndarray
    """
    k_correction = np.interp(redshift, _K_REDSHIFT, _K_MAG)
    brighter = evolution_mag * redshift
    return absolute_mag(velocity_dispersion_km_s) + distance_modulus_mag(redshift) + k_correction - brighter


def dress_early_type(
    parameters: EarlyTypePopulation, redshift: float, *, velocity_dispersion_km_s: float, mag: float, rng
) -> EarlyType:
    """Draw size, shape and colours of a galaxy whose magnitude is drawn.

    Parameters
    ----------
    parameters : EarlyTypePopulation
    redshift, velocity_dispersion_km_s : float
    mag : float
        Total, in r.
    rng : numpy.random.Generator

    Returns
    -------
    EarlyType
    """
    radius_kpc = half_light_radius_kpc(velocity_dispersion_km_s) * 10.0 ** rng.normal(0.0, parameters.size_scatter_dex)
    jitter = parameters.centre_jitter_arcsec
    light = SersicLight(
        x_arcsec=rng.uniform(-jitter, jitter),
        y_arcsec=rng.uniform(-jitter, jitter),
        radius_arcsec=radius_kpc * arcsec_per_kpc(redshift),
        sersic_index=float(np.clip(rng.normal(parameters.sersic_index, parameters.sersic_index_scatter), 2.5, 6.0)),
        axis_ratio=_draw_axis_ratio(parameters, velocity_dispersion_km_s, rng=rng),
        angle_rad=rng.uniform(0.0, math.pi),
        mags=mags_from_colours(float(mag), track_colours(EARLY_TYPE, redshift, rng=rng)),
    )
    return EarlyType(
        redshift=float(redshift),
        velocity_dispersion_km_s=float(velocity_dispersion_km_s),
        mags=light.mags,
        radius_arcsec=light.radius_arcsec,
        axis_ratio=light.axis_ratio,
        angle_rad=light.angle_rad,
        light=(light,),
        x_arcsec=light.x_arcsec,
        y_arcsec=light.y_arcsec,
    )


def _draw_axis_ratio(parameters: EarlyTypePopulation, sigma_km_s: float, *, rng) -> float:
    scale = max(parameters.flattening + parameters.flattening_per_km_s * sigma_km_s, 0.05)
    for _ in range(_MOST_DRAWS):
        axis_ratio = 1.0 - rng.rayleigh(scale)
        if axis_ratio >= parameters.axis_ratio_min:
            return float(axis_ratio)
    raise InputError(
        f"early_types must have axis ratios above axis_ratio_min {parameters.axis_ratio_min:g}, got none of "
        f"{_MOST_DRAWS:,} drawn: lower it, or flattening"
    )
