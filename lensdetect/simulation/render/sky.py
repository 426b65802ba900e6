"""The sky's noise."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.conditions import Conditions


def draw_sky(size: int, conditions: Conditions, *, rng: np.random.Generator) -> np.ndarray:
    """Sky noise of all bands, mean 0.

    Correlated noise is white noise smoothed by ``(a, 1, a)`` along both axes;
    its correlation between neighbours is ``2 a / (1 + 2 a**2)``.

    Parameters
    ----------
    size : int
        Side of the stamp in pixels.
    conditions : Conditions
        Sigma of each band, and the correlation.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray
        float32 ``(size, size, band)``.
    """
    sigma = np.asarray(conditions.noise_sigma, np.float32)
    if not conditions.noise_correlation:
        return rng.standard_normal((size, size, len(sigma)), np.float32) * sigma
    rho = conditions.noise_correlation[0]
    side = np.float32((1.0 - math.sqrt(1.0 - 2.0 * rho**2)) / (2.0 * rho))
    white = rng.standard_normal((size + 2, size + 2, len(sigma)), np.float32)
    smooth = white[1:-1] + side * (white[:-2] + white[2:])
    smooth = smooth[:, 1:-1] + side * (smooth[:, :-2] + smooth[:, 2:])
    return smooth * (sigma / (1.0 + 2.0 * side**2))


def draw_photon_noise(pixels: np.ndarray, conditions: Conditions, *, rng: np.random.Generator) -> np.ndarray:
    """Noise of the objects' own photons, normal, which many photons are.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(size, size, band)``, noiseless flux; below 0 there are no photons.
    conditions : Conditions
        Flux of one photon in each band.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray
        float32, of the same shape.
    """
    sigma = np.sqrt(np.maximum(pixels, 0.0) * np.asarray(conditions.photon_flux, np.float32))
    return sigma * rng.standard_normal(pixels.shape, np.float32)
