"""Seeing, sky and masks: what stands between the sky and a stamp."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import fft

from lensdetect.simulation.population import ObservingPopulation
from lensdetect.survey import Band, Survey


@dataclass(frozen=True)
class Conditions:
    """Under which one stamp is taken; tuples in the order of the survey's bands.

    Parameters
    ----------
    psf_fwhm_arcsec : tuple of float
        Width of the PSF.
    noise_sigma : tuple of float
        Standard deviation of the sky in one pixel, in flux.
    noise_correlation : float
        Correlation of the sky between a pixel and the next.
    """

    psf_fwhm_arcsec: tuple[float, ...]
    noise_sigma: tuple[float, ...]
    noise_correlation: float = 0.0


def draw_conditions(
    observing: ObservingPopulation, survey: Survey, *, real_like: bool, rng: np.random.Generator
) -> Conditions:
    """Draw seeing and noise of one stamp.

    Parameters
    ----------
    observing : ObservingPopulation
        The scatter about the survey's typical values.
    survey : Survey
        The typical values.
    real_like : bool
        Whether it shall look like a real survey stamp: noisier, correlated.
    rng : numpy.random.Generator

    Returns
    -------
    Conditions
    """
    seeing = observing.real_seeing_scatter if real_like else observing.seeing_scatter
    count = len(survey.bands)
    width = np.exp(rng.normal(0.0, seeing, count))
    noise = np.exp(rng.normal(0.0, observing.noise_scatter, count))
    correlation = 0.0
    if real_like:
        noise = noise * rng.uniform(*observing.real_noise_factor)
        correlation = rng.uniform(*observing.real_noise_correlation)
    return Conditions(
        psf_fwhm_arcsec=tuple(float(w * band.psf_fwhm_arcsec) for w, band in zip(width, survey.bands, strict=True)),
        noise_sigma=tuple(float(n * band.noise_sigma) for n, band in zip(noise, survey.bands, strict=True)),
        noise_correlation=correlation,
    )


def psf_transfer(fwhm_arcsec: float, beta: float, *, cells: int, cell_arcsec: float) -> np.ndarray:
    """Fourier transform of a round Moffat PSF, on the frequencies of ``rfft2``.

    The PSF is ``(1 + (r / a)**2) ** -beta`` with ``a = fwhm / (2 sqrt(2**(1/beta)
    - 1))``, a Gaussian for infinite beta. It is even, so a cosine transform of
    one quadrant gives all of it.

    Parameters
    ----------
    fwhm_arcsec : float
        Full width at half maximum.
    beta : float
        Index of the profile.
    cells : int
        Side of the padded image, even.
    cell_arcsec : float
        Side of one cell.

    Returns
    -------
    ndarray
        float32 ``(cells, cells // 2 + 1)``, real, 1 at frequency zero.
    """
    axis = np.arange(cells // 2 + 1) * cell_arcsec
    squared = axis[:, None] ** 2 + axis**2
    if math.isinf(beta):
        quadrant = np.exp(-4.0 * math.log(2.0) * squared / fwhm_arcsec**2)
    else:
        scale = fwhm_arcsec / (2.0 * math.sqrt(2.0 ** (1.0 / beta) - 1.0))
        quadrant = np.exp(-beta * np.log1p(squared / scale**2))
    transfer = fft.dctn(quadrant.astype(np.float32), type=1)
    transfer /= transfer[0, 0]
    return np.concatenate([transfer, transfer[-2:0:-1]])


def blur(planes: np.ndarray, survey_bands: tuple[Band, ...], *, fwhm_arcsec, cell_arcsec: float) -> np.ndarray:
    """Convolve each band with its PSF.

    Parameters
    ----------
    planes : ndarray
        float32 ``(..., band, cells, cells)``, flux per cell.
    survey_bands : tuple of Band
        Where the PSF's index comes from.
    fwhm_arcsec : tuple of float
        PSF width of each band.
    cell_arcsec : float
        Side of one cell.

    Returns
    -------
    ndarray
        float32, of the same shape.
    """
    cells = planes.shape[-1]
    # half a frame of padding: what wraps around is farther away than any part of the stamp from its centre
    padded = 2 * fft.next_fast_len(-(-(cells + cells // 2) // 2), real=True)
    out = np.empty_like(planes)
    for number, (band, fwhm) in enumerate(zip(survey_bands, fwhm_arcsec, strict=True)):
        transfer = psf_transfer(fwhm, band.psf_beta, cells=padded, cell_arcsec=cell_arcsec)
        spectrum = fft.rfft2(planes[..., number, :, :], s=(padded, padded))
        spectrum *= transfer
        out[..., number, :, :] = fft.irfft2(spectrum, s=(padded, padded))[..., :cells, :cells]
    return out


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
    if conditions.noise_correlation == 0.0:
        return rng.standard_normal((size, size, len(sigma)), np.float32) * sigma
    rho = conditions.noise_correlation
    side = np.float32((1.0 - math.sqrt(1.0 - 2.0 * rho**2)) / (2.0 * rho))
    white = rng.standard_normal((size + 2, size + 2, len(sigma)), np.float32)
    smooth = white[1:-1] + side * (white[:-2] + white[2:])
    smooth = smooth[:, 1:-1] + side * (smooth[:, :-2] + smooth[:, 2:])
    return smooth * (sigma / (1.0 + 2.0 * side**2))


def draw_mask(size: int, bands: int, *, observing: ObservingPopulation, rng: np.random.Generator) -> np.ndarray:
    """Holes: rectangles or bands of full rows or columns, each band on its own.

    Parameters
    ----------
    size : int
        Side of the stamp in pixels.
    bands : int
        Number of bands.
    observing : ObservingPopulation
        How many holes, how large.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray
        bool ``(size, size, band)``, True where masked.
    """
    mask = np.zeros((size, size, bands), bool)
    if rng.random() >= observing.masked_fraction:
        return mask
    for band in range(bands):
        if rng.random() >= observing.masked_band_fraction:
            continue
        longest = 0.6 if rng.random() < observing.large_mask_fraction else 0.15
        height, width = (max(1, int(size * rng.uniform(0.01, longest))) for _ in range(2))
        style = rng.random()  # half rectangles; full rows and columns are thin, as bad columns and chip gaps are
        if style < 0.25:
            height, width = size, max(1, width // 3)
        elif style < 0.5:
            height, width = max(1, height // 3), size
        top, left = (int(rng.integers(0, size - extent + 1)) for extent in (height, width))
        mask[top : top + height, left : left + width, band] = True
    return mask
