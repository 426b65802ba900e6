"""The sky's noise."""

from __future__ import annotations

import functools

import numpy as np
from scipy import ndimage

from lensdetect.errors import InputError
from lensdetect.simulation.conditions import Conditions

#: Correlations are matched to this, and kernels kept for values rounded to it.
_CORRELATION_STEP = 1e-3


def draw_sky(shape: int | tuple[int, int], conditions: Conditions, *, rng: np.random.Generator) -> np.ndarray:
    """Sky noise of all bands, mean 0.

    Correlated noise is white noise smoothed by one kernel along both axes: the
    correlation between pixels apart along both is the product of the two.

    Parameters
    ----------
    shape : int or tuple of int
        Height and width in pixels; one number for a square.
    conditions : Conditions
        Sigma of each band, and the correlation.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray
        float32 ``(height, width, band)``.

    Raises
    ------
    InputError
        If no noise has such correlations.
    """
    height, width = (shape, shape) if np.isscalar(shape) else shape
    sigma = np.asarray(conditions.noise_sigma, np.float32)
    rounded = tuple(round(value / _CORRELATION_STEP) * _CORRELATION_STEP for value in conditions.noise_correlation)
    kernel = smoothing_kernel(rounded)
    edge = len(kernel) // 2
    noise = rng.standard_normal((height + 2 * edge, width + 2 * edge, len(sigma)), np.float32)
    if edge:
        noise = ndimage.correlate1d(noise, kernel, axis=0)[edge:-edge]
        noise = ndimage.correlate1d(noise, kernel, axis=1)[:, edge:-edge]
    return noise * sigma


@functools.lru_cache(maxsize=4096)
def smoothing_kernel(correlation: tuple[float, ...]) -> np.ndarray:
    """Symmetric kernel that gives white noise some correlation and keeps its sigma.

    Its half-width is the number of correlations, so there are as many equations as
    unknowns, the taps beside the middle; they are solved by Newton's method.

    Parameters
    ----------
    correlation : tuple of float
        Between pixels 1, 2, ... apart.

    Returns
    -------
    ndarray
        ``(2 n + 1,)``, its squares sum to 1.

    Raises
    ------
    InputError
        If there is no such kernel.
    """
    wanted = np.array(correlation)
    side = 0.5 * wanted  # exact for weak correlations
    for _ in range(50):
        miss = _correlation_of(side) - wanted
        if np.abs(miss).max(initial=0.0) < 0.1 * _CORRELATION_STEP:
            kernel = _symmetric(side)
            return kernel / np.sqrt(np.sum(kernel**2))
        step = np.linalg.lstsq(_slopes(side), miss)[0]
        side = side - step * min(1.0, 0.2 / np.abs(step).max())
    raise InputError(
        f"noise_correlation must be one that a smoothing kernel of {2 * len(wanted) + 1} pixels gives, got "
        f"{', '.join(f'{value:.3f}' for value in correlation)}: lower it, or make it fall faster with distance"
    )


def _symmetric(side: np.ndarray) -> np.ndarray:
    return np.concatenate([side[::-1], [1.0], side])


def _correlation_of(side: np.ndarray) -> np.ndarray:
    """Correlations, at as many lags as there are taps on a side, of smoothed white noise."""
    kernel = _symmetric(side)
    products = np.correlate(kernel, kernel, "full")[len(kernel) - 1 :]
    return products[1 : len(side) + 1] / products[0]


def _slopes(side: np.ndarray) -> np.ndarray:
    """Derivatives of the correlations by the taps, by differences."""
    small = 1e-5 * np.eye(len(side))
    return np.stack([(_correlation_of(side + d) - _correlation_of(side - d)) / 2e-5 for d in small], axis=1)


def draw_photon_noise(pixels: np.ndarray, conditions: Conditions, *, rng: np.random.Generator) -> np.ndarray:
    """Noise of the objects' own photons, normal, which many photons are.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(height, width, band)``, noiseless flux; below 0 there are no photons.
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
