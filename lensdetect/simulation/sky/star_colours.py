"""Magnitudes of stars."""

from __future__ import annotations

from lensdetect.simulation.colours import mags_from_colours


def stellar_mags(mag: float, g_r_mag: float) -> tuple[float, ...]:
    """Magnitudes of a star: a straight stellar locus, along which the other colours redden with g-r.

    Parameters
    ----------
    mag : float
        r magnitude.
    g_r_mag : float
        Its g-r.

    Returns
    -------
    tuple of float
        In the order of ``SCENE_BANDS``.
    """
    redder = 0.1 + 0.6 * max(g_r_mag - 0.5, 0.0)
    return mags_from_colours(mag, (0.5 + 1.5 * g_r_mag, g_r_mag, redder, 0.6 * redder, 0.3 * redder))
