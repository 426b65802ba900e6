"""Seeing: the convolution of an image with the PSF of its band."""

from __future__ import annotations

import math

import numpy as np
from scipy import fft

from lensdetect.survey import Band


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
