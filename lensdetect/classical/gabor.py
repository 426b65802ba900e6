"""Moments of Gabor responses to the polar image, as the Manchester SVM takes them.

Hartley+ 2017 (MNRAS 471, 3378) and Metcalf+ 2019 (A&A 625 A119): each image is
transformed to polar coordinates, where an arc about the centre is a straight
line; convolved with real Gabor kernels of several frequencies and rotations; and
each response is described by its statistical moments.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft

from lensdetect.classical.blanks import fill_blanks
from lensdetect.classical.extra import image_module

# Not in the published description; ours. Wavelengths reach from the seeing (3 to
# 5 pixels) to the width of the largest arcs.
_WAVELENGTHS_PIX = (4.0, 8.0, 16.0)
_NUM_ROTATIONS = 4
_NUM_ANGLES = 128
#: Noise as the spread of normal values about their median.
_MAD_TO_SIGMA = 1.4826


def gabor_moments(cutouts: np.ndarray, bands: tuple[str, ...]) -> np.ndarray:
    """Features of the Manchester SVM.

    Flux is scaled to the stamp's own noise and stretched by asinh first, which
    keeps the moments of bright galaxies within reach of a kernel.

    Parameters
    ----------
    cutouts : ndarray
        ``(n, height, width, band)``, NaN where bad.
    bands : tuple of str
        Names of the bands; every band is treated alike.

    Returns
    -------
    ndarray
        float32 ``(n, band * wavelength * rotation * moment)``.
    """
    stretched = _stretch(fill_blanks(cutouts))
    polar = _polar(stretched)
    pad = round(max(_WAVELENGTHS_PIX))
    # The angle closes on itself, the radius does not.
    spectrum = fft.rfft2(np.pad(polar, [(0, 0), (0, 0), (0, 0), (pad, pad)], mode="symmetric"), axes=(2, 3))
    size = (polar.shape[2], polar.shape[3] + 2 * pad)
    found = []
    for kernel in _kernels(size):
        response = fft.irfft2(spectrum * kernel, s=size, axes=(2, 3))[..., pad:-pad]
        found.append(_moments(response))
    return np.stack(found, axis=2).reshape(len(cutouts), -1).astype(np.float32)


def _stretch(cutouts: np.ndarray) -> np.ndarray:
    centred = cutouts - np.median(cutouts, axis=(1, 2), keepdims=True)
    sigma = _MAD_TO_SIGMA * np.median(np.abs(centred), axis=(1, 2), keepdims=True)
    # A missing band has no noise and stays 0.
    return np.arcsinh(np.divide(centred, sigma, out=np.zeros_like(centred), where=sigma > 0))


def _polar(cutouts: np.ndarray) -> np.ndarray:
    """Images (n, band, angle, radius) about the middle of the cutouts."""
    warp_polar = image_module("skimage.transform").warp_polar
    radius = min(cutouts.shape[1:3]) // 2
    centre = tuple((side - 1) / 2 for side in cutouts.shape[1:3])
    shape = (_NUM_ANGLES, radius)
    images = [
        warp_polar(image, center=centre, radius=radius, output_shape=shape, channel_axis=-1, mode="edge")
        for image in cutouts
    ]
    return np.moveaxis(np.asarray(images, np.float32), -1, 1)


@lru_cache(maxsize=4)
def _kernels(size: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Transforms of the real Gabor kernels, centred, on a grid of angles and radii."""
    gabor_kernel = image_module("skimage.filters").gabor_kernel
    found = []
    for wavelength in _WAVELENGTHS_PIX:
        for number in range(_NUM_ROTATIONS):
            wave = gabor_kernel(1 / wavelength, theta=np.pi * number / _NUM_ROTATIONS)
            envelope = np.abs(wave)
            # Less its envelope, so that it does not answer to the brightness itself.
            kernel = wave.real - envelope * (wave.real.sum() / envelope.sum())
            found.append(fft.rfft2(_centred(kernel.astype(np.float32), size)))
    return tuple(found)


def _centred(kernel: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    grid = np.zeros(size, np.float32)
    middle = tuple(side // 2 for side in kernel.shape)
    rows = (np.arange(kernel.shape[0]) - middle[0]) % size[0]
    columns = (np.arange(kernel.shape[1]) - middle[1]) % size[1]
    # A kernel longer than the grid wraps around; what meets is added.
    np.add.at(grid, (rows[:, None], columns[None, :]), kernel)
    return grid


def _moments(response: np.ndarray) -> np.ndarray:
    """(n, band, moment) of responses (n, band, angle, radius)."""
    mean = response.mean(axis=(2, 3))
    centred = response - mean[..., None, None]
    square = centred * centred
    variance = square.mean(axis=(2, 3))
    third, fourth = (square * centred).mean(axis=(2, 3)), (square * square).mean(axis=(2, 3))
    spread = np.sqrt(variance)
    some = variance > 0
    skewness = np.divide(third, variance * spread, out=np.zeros_like(third), where=some)
    kurtosis = np.divide(fourth, variance * variance, out=np.full_like(fourth, 3), where=some) - 3
    return np.stack([mean, spread, skewness, kurtosis], axis=-1)
