"""Suspicions about cutouts: glitches, saturation, stars."""

from __future__ import annotations

import numpy as np

from lensdetect.survey import Survey


def flag_quality(pixels: np.ndarray, survey: Survey, *, noise_sigma: np.ndarray | None = None) -> np.ndarray:
    """Look for what makes a false positive.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(n, size, size, band)``, NaN where there is no pixel; size of 64 or more.
    survey : Survey
        Bands in the order of the last axis.
    noise_sigma : ndarray, optional
        ``(band,)``: background rms of the tile; that of the survey if not given.

    Returns
    -------
    ndarray
        int64 ``(n,)``: bits ``saturated``, ``trail``, ``bad_column``,
        ``bad_background``, ``cosmic_ray``, ``misaligned`` and ``star_like``.
    """
    raise NotImplementedError


def flag_duplicates(ra_deg: np.ndarray, dec_deg: np.ndarray, *, radius_arcsec: float = 1.0) -> np.ndarray:
    """Objects that a catalogue lists twice.

    Parameters
    ----------
    ra_deg, dec_deg : ndarray
        ``(n,)``; NaN is no position and no duplicate.
    radius_arcsec : float
        Farthest that two entries of one object lie apart.

    Returns
    -------
    ndarray
        int64 ``(n,)``: bit ``duplicate`` for all but the first entry within the radius.
    """
    raise NotImplementedError
