"""Seeing: cells are blurred with the PSF of their band and summed into pixels, in one Fourier transform.

The frame is padded so that no light comes back around its edge from nearer than
``_REACH_PIX`` pixels: the kernel is the whole Moffat profile, wider than 101 pixels.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from scipy import fft, special

from lensdetect.survey import Band

#: Cells along one side of a pixel; the fold of the spectrum is written for two.
SUPERSAMPLING = 2

#: The kernel is faithful out to this distance from every source of light, in pixels.
_REACH_PIX = 50

#: Steps of the tabulated transfer function for one unit of frequency times scale, and where it ends.
_TABLE_STEPS, _TABLE_END = 256.0, 40.0


def psf_transfer(fwhm_arcsec: float, beta: float, *, frequency: np.ndarray) -> np.ndarray:
    """Fourier transform of a round Moffat PSF.

    The PSF is ``(1 + (r / a)**2) ** -beta`` with ``a = fwhm / (2 sqrt(2**(1/beta)
    - 1))``; its transform is ``2 (x / 2)**n K_n(x) / Gamma(n)`` with ``n = beta -
    1``, ``x = a`` times frequency and the modified Bessel function K. For infinite
    beta it is a Gaussian.

    Parameters
    ----------
    fwhm_arcsec : float
        Full width at half maximum.
    beta : float
        Index of the profile, above 1.
    frequency : ndarray
        Radians per arcsec.

    Returns
    -------
    ndarray
        float32, of the same shape, 1 at frequency zero.
    """
    if math.isinf(beta):
        scale = fwhm_arcsec / math.sqrt(8.0 * math.log(2.0))
    else:
        scale = fwhm_arcsec / (2.0 * math.sqrt(2.0 ** (1.0 / beta) - 1.0))
    values, slopes = _transfer_table(beta)
    place = frequency * np.float32(scale * _TABLE_STEPS)
    step = place.astype(np.int32)
    place -= step
    place *= slopes.take(step, mode="clip")
    place += values.take(step, mode="clip")
    return place


@functools.lru_cache(maxsize=64)
def _transfer_table(beta: float) -> tuple[np.ndarray, np.ndarray]:
    """The transform against frequency times scale, in even steps: values and differences, 0 at the end."""
    x = np.arange(int(_TABLE_END * _TABLE_STEPS) + 1) / _TABLE_STEPS
    if math.isinf(beta):
        values = np.exp(-0.5 * x**2)
    else:
        order = beta - 1.0
        values = np.ones_like(x)
        values[1:] = 2.0 * (0.5 * x[1:]) ** order * special.kv(order, x[1:]) / special.gamma(order)
    values[-1] = 0.0
    slopes = np.append(np.diff(values), 0.0)
    return values.astype(np.float32), slopes.astype(np.float32)


def observe_planes(
    planes: np.ndarray, bands: tuple[Band, ...], *, fwhm_arcsec: tuple[float, ...], cell_arcsec: float, margin_pix: int
) -> np.ndarray:
    """Convolve each band with its PSF and sum cells into pixels.

    Parameters
    ----------
    planes : ndarray
        float32 ``(n, band, cells, cells)``, flux per cell, two cells a pixel; used up.
    bands : tuple of Band
        Where the PSF's index comes from.
    fwhm_arcsec : tuple of float
        PSF width of each band.
    cell_arcsec : float
        Side of one cell.
    margin_pix : int
        Pixels along each edge that are left out of the result.

    Returns
    -------
    ndarray
        float32 ``(n, size, size, band)``, flux per pixel.
    """
    pixels = planes.shape[-1] // SUPERSAMPLING
    padded = 2 * fft.next_fast_len(math.ceil((pixels - margin_pix + _REACH_PIX) / 2), real=True)
    inside = slice(margin_pix, pixels - margin_pix)
    frequency = _frequencies(padded, cell_arcsec)
    size = pixels - 2 * margin_pix
    out = np.empty((len(planes), size, size, len(bands)), np.float32)
    for number, (band, fwhm) in enumerate(zip(bands, fwhm_arcsec, strict=True)):
        transfer = psf_transfer(fwhm, band.psf_beta, frequency=frequency)
        for plane, image in zip(planes, out, strict=True):
            spectrum = fft.rfft2(_sum_neighbours(plane[number]), s=(2 * padded, 2 * padded), overwrite_x=True)
            columns = fft.ifft(_fold(spectrum, transfer), axis=0, overwrite_x=True)
            image[..., number] = fft.irfft(columns[inside], n=padded, axis=1)[:, inside]
    return out


@functools.lru_cache(maxsize=8)
def _frequencies(padded: int, cell_arcsec: float) -> np.ndarray:
    """Frequencies of a quadrant of the transform of ``2 * padded`` cells, in radians per arcsec."""
    axis = np.arange(padded + 1) * (math.pi / (padded * cell_arcsec))
    return np.hypot(axis, axis[:, None]).astype(np.float32)


def _sum_neighbours(plane: np.ndarray) -> np.ndarray:
    """Sums of two by two cells, in the place of the first of them."""
    rows = plane[:-1] + plane[1:]
    return rows[:, :-1] + rows[:, 1:]


def _fold(spectrum: np.ndarray, transfer: np.ndarray) -> np.ndarray:
    """Half spectrum of every second sample of a convolution: what is above the new highest frequency folds back.

    Parameters
    ----------
    spectrum : ndarray
        ``(2 n, n + 1)``, half spectrum of the image, n even; used up.
    transfer : ndarray
        ``(n + 1, n + 1)``, quadrant of the kernel's.

    Returns
    -------
    ndarray
        ``(n, n // 2 + 1)``.
    """
    n = len(transfer) - 1
    spectrum[: n + 1] *= transfer
    spectrum[n + 1 :] *= transfer[-2:0:-1]
    rows = spectrum[:n] + spectrum[n:]
    folded = rows[:, : n // 2 + 1].copy()
    mirrored = rows[:, : n // 2 - 1 : -1].conj()
    folded[0] += mirrored[0]
    folded[1:] += mirrored[:0:-1]
    folded *= np.float32(0.25)
    return folded
