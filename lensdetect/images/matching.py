"""Who is near whom on the sky."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

_ARCSEC = 180.0 * 3600.0 / np.pi


class SkyTree:
    """Positions on the sky, to be asked for the nearest.

    Parameters
    ----------
    ra_deg, dec_deg : array_like
        ``(n,)``, all finite.
    """

    def __init__(self, ra_deg, dec_deg):
        self._tree = cKDTree(unit_vectors(ra_deg, dec_deg)) if len(ra_deg) else None

    def nearest(self, ra_deg, dec_deg, *, within_arcsec: float) -> tuple[np.ndarray, np.ndarray]:
        """Nearest of the positions to each of some others.

        Parameters
        ----------
        ra_deg, dec_deg : array_like
            ``(m,)``.
        within_arcsec : float
            What lies farther away is not looked at.

        Returns
        -------
        tuple of ndarray
            Number of the nearest, -1 where there is none, and its distance in
            arcsec, NaN there; ``(m,)``.
        """
        numbers, distances = np.full(len(ra_deg), -1), np.full(len(ra_deg), np.nan)
        vectors = unit_vectors(ra_deg, dec_deg)
        known = np.isfinite(vectors).all(axis=1)
        if self._tree is None or not known.any():
            return numbers, distances
        chord, found = self._tree.query(vectors[known], distance_upper_bound=chord_of(within_arcsec))
        near = np.isfinite(chord)
        rows = np.flatnonzero(known)[near]
        numbers[rows] = found[near]
        distances[rows] = 2.0 * np.arcsin(0.5 * chord[near]) * _ARCSEC
        return numbers, distances

    def pairs(self, within_arcsec: float) -> list[tuple[int, int]]:
        """Pairs of the positions that lie together, the lower number first."""
        if self._tree is None:
            return []
        return sorted(self._tree.query_pairs(chord_of(within_arcsec)))


def chord_of(angle_arcsec: float) -> float:
    """Straight distance on the unit sphere of two positions that far apart."""
    return 2.0 * np.sin(0.5 * angle_arcsec / _ARCSEC)


def unit_vectors(ra_deg, dec_deg) -> np.ndarray:
    """Positions as unit vectors ``(n, 3)``."""
    ra, dec = np.radians(np.asarray(ra_deg, float)), np.radians(np.asarray(dec_deg, float))
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
