"""Entries of a catalogue for one object."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from lensdetect.flags import FLAGS


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
