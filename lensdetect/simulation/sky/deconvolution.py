"""Take the PSF out of the image of a galaxy, and cut the galaxy out of its surroundings."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter, label

#: The galaxy is where the image, smoothed by so many pixels, exceeds so many sigma.
_SMOOTHING_PIX, _THRESHOLD_SIGMA = 2.0, 1.5

#: The edge of the cut is drawn out by so many pixels and softened.
_EDGE_PIX = 3


def deconvolve(image: np.ndarray, psf: np.ndarray, *, noise_variance: float, left_fwhm_pix: float) -> np.ndarray:
    """Divide an image by its PSF where it has signal, and smooth it to a narrow Gaussian.

    The Wiener filter takes the power of a point of the image's flux for the
    signal: the strongest deconvolution that its noise allows.

    Parameters
    ----------
    image : ndarray
        ``(height, width)``, sky subtracted.
    psf : ndarray
        Of any shape, centred on its middle pixel (number ``size // 2``).
    noise_variance : float
        Of one pixel of the image.
    left_fwhm_pix : float
        Width of the Gaussian that is left.

    Returns
    -------
    ndarray
        Of the image's shape, of about the same sum.
    """
    shape = tuple(int(2 ** np.ceil(np.log2(a + b))) for a, b in zip(image.shape, psf.shape, strict=True))
    transfer = np.fft.rfft2(psf / psf.sum(), shape)
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    middle = psf.shape[0] // 2, psf.shape[1] // 2
    transfer *= np.exp(2j * np.pi * (rows * middle[0] + columns * middle[1]))
    sigma = left_fwhm_pix / 2.3548
    left = np.exp(-2.0 * (np.pi * sigma) ** 2 * (rows**2 + columns**2))
    noise_over_signal = noise_variance * image.size / max(image.sum() ** 2, noise_variance * image.size)
    wiener = np.conj(transfer) / (np.abs(transfer) ** 2 + noise_over_signal) * (1.0 + noise_over_signal)
    return np.fft.irfft2(np.fft.rfft2(image, shape) * wiener * left, shape)[: image.shape[0], : image.shape[1]]


def segment_weight(image: np.ndarray, *, noise_sigma: float) -> np.ndarray:
    """Weight of every pixel: 1 in the galaxy, falling softly to 0 around it.

    The galaxy is the part above the noise that holds the brightest pixel of the middle.

    Parameters
    ----------
    image : ndarray
        ``(height, width)``, sky subtracted.
    noise_sigma : float
        Of one pixel.

    Returns
    -------
    ndarray
        Of the same shape, 0 to 1.
    """
    smooth = gaussian_filter(image, _SMOOTHING_PIX, mode="constant")
    parts, count = label(smooth > _THRESHOLD_SIGMA * noise_sigma)
    height, width = image.shape
    inner = np.zeros(image.shape, bool)
    inner[height // 4 : height - height // 4, width // 4 : width - width // 4] = True
    peak = np.unravel_index(np.argmax(np.where(inner, smooth, -np.inf)), image.shape)
    if parts[peak] == 0:  # too faint to be told from the sky: all of it is kept
        return np.ones(image.shape)
    galaxy = binary_dilation(parts == parts[peak], iterations=_EDGE_PIX)
    # zero beyond the image: light that is cut by its border would show as an edge
    return gaussian_filter(galaxy.astype(float), 0.5 * _EDGE_PIX, mode="constant")
