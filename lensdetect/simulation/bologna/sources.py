"""Draw the source: a smooth galaxy with clumps, mostly blue."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.bologna.parameters import SourcePopulation
from lensdetect.simulation.colours import EARLY_TYPE, Colours, mags_from_colours, track_colours
from lensdetect.simulation.galaxies import draw_size
from lensdetect.simulation.scene import IsothermalMass, SersicLight

_MOST_CLUMPS = 6

#: How a clump's blueness, drawn in g-r, goes over the magnitudes of ``SCENE_BANDS``.
_BLUE_TILT = (2.0, 1.0, 0.0, -0.5, -0.7, -0.8)


def draw_source(
    source: SourcePopulation, einstein_radius_arcsec: float, *, centre: IsothermalMass, rng: np.random.Generator
) -> tuple[SersicLight, ...]:
    """Draw a source behind a deflector.

    Parameters
    ----------
    source : SourcePopulation
    einstein_radius_arcsec : float
        Of the deflector; it sets how far off the source may be.
    centre : IsothermalMass
        Where the deflector is.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of SersicLight
        The smooth component first, then clumps; positions are unlensed.
    """
    near = rng.random() < np.interp(einstein_radius_arcsec, source.at_arcsec, source.near_share)
    widest = np.interp(einstein_radius_arcsec, source.at_arcsec, source.near_arcsec if near else source.far_arcsec)
    offset = float(widest) * math.sqrt(rng.random())
    direction = rng.uniform(0.0, 2.0 * math.pi)
    fainter = 0.0 if near else float(np.interp(einstein_radius_arcsec, source.at_arcsec, source.far_fainter_mag))
    mag, size_arcsec = _draw_mag_and_size(source, fainter, rng=rng)
    smooth = SersicLight(
        mags=mags_from_colours(mag, _draw_colours(source, rng=rng)),
        x_arcsec=centre.x_arcsec + offset * math.cos(direction),
        y_arcsec=centre.y_arcsec + offset * math.sin(direction),
        radius_arcsec=size_arcsec,
        sersic_index=rng.uniform(*source.sersic_index),
        axis_ratio=rng.uniform(*source.axis_ratio),
        angle_rad=rng.uniform(0.0, math.pi),
    )
    count = min(int(rng.poisson(source.clumps_mean)), _MOST_CLUMPS)
    return (smooth, *(_draw_clump(source, smooth, rng=rng) for _ in range(count)))


def _draw_mag_and_size(source: SourcePopulation, fainter_mag: float, *, rng) -> tuple[float, float]:
    """Unlensed r magnitude, and half-light radius in arcsec."""
    if rng.random() < source.compact_share:
        mag = rng.normal(source.compact_mag_mean, source.compact_mag_sigma) + fainter_mag
        return float(mag), float(source.compact_arcsec * 10.0 ** rng.normal(0.0, source.compact_scatter_dex))
    mag = float(np.interp(rng.random(), source.mag_quantiles, source.mag)) + fainter_mag
    return mag, draw_size(max(mag, source.size_levels_at_mag), source.sizes, rng=rng)


def _draw_colours(source: SourcePopulation, *, rng) -> Colours:
    if rng.random() < source.red_fraction:
        return track_colours(EARLY_TYPE, rng.uniform(0.7, 1.0), rng=rng)
    return tuple(
        float(rng.normal(*pair))
        for pair in (source.u_g_mag, source.g_r_mag, source.r_i_mag, source.i_z_mag, source.z_y_mag)
    )


def _draw_clump(source: SourcePopulation, smooth: SersicLight, *, rng) -> SersicLight:
    """One star-forming clump: small, round, Gaussian, a little bluer than the galaxy."""
    dx, dy = rng.normal(0.0, 0.8 * smooth.radius_arcsec, 2)
    fainter = -2.5 * math.log10(rng.uniform(*source.clump_flux_share))
    bluer = rng.uniform(0.0, 0.3)
    return SersicLight(
        x_arcsec=smooth.x_arcsec + dx,
        y_arcsec=smooth.y_arcsec + dy,
        radius_arcsec=smooth.radius_arcsec * rng.uniform(*source.clump_size_share),
        sersic_index=0.5,
        axis_ratio=1.0,
        angle_rad=0.0,
        mags=tuple(mag + fainter - bluer * tilt for mag, tilt in zip(smooth.mags, _BLUE_TILT, strict=True)),
    )
