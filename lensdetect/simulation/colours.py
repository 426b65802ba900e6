"""Colours of galaxies over redshift, and magnitudes from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: The colours u-g, g-r, r-i, i-z and z-y, in AB mag.
Colours = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class ColourTrack:
    """Colours of one type of galaxy over redshift, interpolated linearly.

    Parameters
    ----------
    redshift : tuple of float
        Knots, increasing.
    u_g_mag, g_r_mag, r_i_mag, i_z_mag, z_y_mag : tuple of float
        Colours at the knots, in AB mag.
    scatter_mag : float
        Standard deviation of each colour about the track, normal, in mag.
    """

    redshift: tuple[float, ...]
    u_g_mag: tuple[float, ...]
    g_r_mag: tuple[float, ...]
    r_i_mag: tuple[float, ...]
    i_z_mag: tuple[float, ...]
    z_y_mag: tuple[float, ...]
    scatter_mag: float


#: Old populations; rounded from template colours of elliptical galaxies, and
#: consistent with the red centres of the genuine stamps (g-r 0.95 to 1.5,
#: r-i 0.7 to 0.95).
EARLY_TYPE = ColourTrack(
    redshift=(0.1, 0.3, 0.5, 0.7, 1.0),
    u_g_mag=(1.80, 1.70, 1.45, 1.10, 0.80),
    g_r_mag=(0.85, 1.25, 1.50, 1.45, 1.30),
    r_i_mag=(0.38, 0.52, 0.75, 0.95, 1.05),
    i_z_mag=(0.25, 0.31, 0.36, 0.45, 0.65),
    z_y_mag=(0.15, 0.17, 0.20, 0.25, 0.35),
    scatter_mag=0.08,
)

#: Star-forming discs; rounded from template colours of Sbc to Scd galaxies.
LATE_TYPE = ColourTrack(
    redshift=(0.1, 0.3, 0.5, 0.7, 1.0),
    u_g_mag=(1.10, 0.90, 0.65, 0.45, 0.35),
    g_r_mag=(0.50, 0.75, 0.90, 0.85, 0.60),
    r_i_mag=(0.25, 0.30, 0.40, 0.55, 0.55),
    i_z_mag=(0.15, 0.18, 0.22, 0.28, 0.38),
    z_y_mag=(0.08, 0.10, 0.12, 0.15, 0.20),
    scatter_mag=0.15,
)


def track_colours(track: ColourTrack, redshift: float, *, rng: np.random.Generator) -> Colours:
    """Colours of a galaxy type at a redshift, with scatter, in mag."""
    rows = (track.u_g_mag, track.g_r_mag, track.r_i_mag, track.i_z_mag, track.z_y_mag)
    return tuple(float(np.interp(redshift, track.redshift, row) + rng.normal(0.0, track.scatter_mag)) for row in rows)


def mags_from_colours(mag: float, colours: Colours) -> tuple[float, ...]:
    """Magnitudes in the order of ``SCENE_BANDS`` from the one in r and the colours."""
    u_g, g_r, r_i, i_z, z_y = colours
    return mag + g_r + u_g, mag + g_r, mag, mag - r_i, mag - r_i - i_z, mag - r_i - i_z - z_y
