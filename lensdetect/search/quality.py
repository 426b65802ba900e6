"""Suspicions about cutouts: glitches, saturation, stars, and entries of a catalogue for one object."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from lensdetect.errors import InputError
from lensdetect.flags import FLAGS
from lensdetect.search.backgrounds import find_bad_backgrounds
from lensdetect.search.cores import find_cosmic_rays, find_saturated_cores, find_stars
from lensdetect.search.lines import find_bad_columns, find_trails
from lensdetect.search.planes import planes_of
from lensdetect.survey import Survey

#: Smaller cutouts have too little sky.
_SMALLEST_PIX = 64

#: Cutouts looked at together: as many as fit into a processor's cache.
_BLOCK = 16


def flag_quality(pixels: np.ndarray, survey: Survey, *, noise_sigma: np.ndarray | None = None) -> np.ndarray:
    """Look for what makes a false positive.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(n, size, size, band)``, NaN where there is no pixel.
    survey : Survey
        Bands in the order of the last axis.
    noise_sigma : ndarray, optional
        ``(band,)``: background rms of the tile; that of the survey if not given.

    Returns
    -------
    ndarray
        int64 ``(n,)``: bits ``saturated``, ``trail``, ``bad_column``,
        ``bad_background``, ``cosmic_ray`` and ``star_like``; 0 for cutouts
        smaller than 64 pixels, which have too little sky.

    Raises
    ------
    InputError
        If the bands are not the survey's.
    """
    pixels = np.asarray(pixels, np.float32)
    if pixels.ndim != 4 or pixels.shape[-1] != len(survey.bands):
        raise InputError(
            f"cutouts must be (n, size, size, {len(survey.bands)}) for the bands {', '.join(survey.band_names)}, "
            f"got {pixels.shape}: add a plane of NaN for a missing band"
        )
    flags = np.zeros(len(pixels), np.int64)
    if min(pixels.shape[1:3]) < _SMALLEST_PIX:
        return flags
    typical = np.array([band.noise_sigma for band in survey.bands])
    sigma = typical if noise_sigma is None else np.where(np.isfinite(noise_sigma), noise_sigma, typical)
    for start in range(0, len(pixels), _BLOCK):
        some = slice(start, start + _BLOCK)
        flags[some] = _flag_block(pixels[some], survey, sigma)
    return flags


def _flag_block(pixels: np.ndarray, survey: Survey, sigma: np.ndarray) -> np.ndarray:
    planes = planes_of(pixels, sigma)
    suspicions = {
        "saturated": find_saturated_cores(planes),
        "trail": find_trails(planes),
        "bad_column": find_bad_columns(planes),
        "bad_background": find_bad_backgrounds(planes),
        "cosmic_ray": find_cosmic_rays(planes, survey),
        "star_like": find_stars(planes, survey),
    }
    return sum(np.where(found, FLAGS[name].value, 0) for name, found in suspicions.items())


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
        int64 ``(n,)``: bit ``duplicate`` for all that have an earlier entry within the radius.
    """
    ra, dec = np.radians(np.asarray(ra_deg, float)), np.radians(np.asarray(dec_deg, float))
    flags = np.zeros(len(ra), np.int64)
    rows = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    if len(rows):
        ra, dec = ra[rows], dec[rows]
        places = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
        chord = 2.0 * np.sin(0.5 * np.radians(radius_arcsec / 3600.0))
        pairs = cKDTree(places).query_pairs(chord, output_type="ndarray")
        flags[rows[pairs.max(axis=1)]] = FLAGS["duplicate"].value
    return flags
