"""Preprocessing that measures sky and noise in the cutout itself, so that it suits any survey's depth."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from scipy.special import ndtri

from lensdetect.network.layers import Float32Layer, asinh_of

#: Shares of a plane's pixels at or below the two fluxes that sky and noise are measured
#: between: objects add light, so the faint part of a plane is that of the sky alone.
LOW_SHARE, HIGH_SHARE = 0.10, 0.35

#: Every so many rows and columns are looked at: 34 x 34 of 101 x 101 pixels know the
#: noise to 4 %, and sorting all of them would cost as much as the rest of a small network.
STEP_PIX = 3

#: Radius of the core of a galaxy, whose brightest pixel is where its light begins to fall.
CORE_PIX = 4


@keras.saving.register_keras_serializable(package="lensdetect")
class MeasuredStretch(Float32Layer):
    """asinh of flux less the sky, over the noise, both measured in each plane; a bad pixel becomes 0.

    Sky noise is normal, so that two quantiles of the pixels give its mean and
    standard deviation: with ``z`` the inverse of the normal distribution function,
    ``sigma = (q_high - q_low) / (z_high - z_low)`` and ``sky = q_high - z_high sigma``.
    A plane that is all bad, or all of one value, becomes 0.

    Parameters
    ----------
    subtract_light : bool
        Whether the planes follow once more, less ``smooth_light``.
    noise_sigma : list of float, optional
        Noise of each band, in its flux units: all bands are then divided by it and by ``depth_of``
        the cutout, which keeps the colours.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(self, subtract_light: bool = False, noise_sigma=None, **kwargs):
        super().__init__(**kwargs)
        self.subtract_light = subtract_light
        self.noise_sigma = None if noise_sigma is None else list(noise_sigma)

    def call(self, cutouts):
        """Stretch raw flux ``(n, height, width, band)``; with ``subtract_light`` there are twice the planes."""
        sky, sigma = measure_sky(cutouts)
        if self.noise_sigma is not None:
            sigma = depth_of(sigma, self.noise_sigma) * np.asarray(self.noise_sigma, np.float32)
        per_sigma = ops.where(sigma > 0.0, 1.0 / ops.where(sigma > 0.0, sigma, 1.0), 0.0)
        scaled = ops.where(ops.isfinite(cutouts), (cutouts - sky) * per_sigma, 0.0)
        if not self.subtract_light:
            return asinh_of(scaled)
        return ops.concatenate((asinh_of(scaled), asinh_of(scaled - smooth_light(scaled))), axis=-1)

    def get_config(self):
        """Arguments that rebuild this layer."""
        return {**super().get_config(), "subtract_light": self.subtract_light, "noise_sigma": self.noise_sigma}


def smooth_light(images):
    """Light of a galaxy in the middle: alike on opposite sides, and falling outward.

    A pixel counts no more than the one opposite, so that an arc with nothing
    across it is no light of the galaxy, while a flattened galaxy is all of it.
    Nor does it count more than the brightest such pixel of any circle further
    in, from the core on: a ring behind a gap is no light of the galaxy either.

    Parameters
    ----------
    images : tensor
        ``(n, height, width, band)``, the sky at 0 and no NaN.

    Returns
    -------
    tensor
        Of the same shape, at most ``images``.
    """
    height, width, bands = images.shape[1:]
    alike = ops.minimum(images, ops.flip(images, axis=(1, 2)))
    circle = _circles(height, width)
    flat = ops.reshape(ops.transpose(alike, (1, 2, 0, 3)), (height * width, -1))
    falling = _running_minimum(ops.max(ops.take(flat, _members(circle), axis=0), axis=1))
    highest = ops.reshape(ops.take(falling, circle, axis=0), (height, width, -1, bands))
    return ops.minimum(alike, ops.transpose(highest, (2, 0, 1, 3)))


def _circles(height: int, width: int) -> np.ndarray:
    """Number of the circle that each pixel is on, row by row; 0 is the core."""
    y, x = np.mgrid[:height, :width] - np.array([height - 1, width - 1])[:, None, None] / 2
    # A core that is saturated, and so dark, must not count as a gap.
    return np.maximum(np.hypot(y, x).round().astype(np.int32) - CORE_PIX, 0).ravel()


def _members(circle: np.ndarray) -> np.ndarray:
    """Pixels of each circle, ``(circles, longest)``; short ones repeat their first."""
    each = [np.flatnonzero(circle == number) for number in range(circle.max() + 1)]
    longest = max(map(len, each))
    return np.stack([np.pad(pixels, (0, longest - len(pixels)), constant_values=pixels[0]) for pixels in each])


def _running_minimum(rows):
    """Least value of each row and all before it."""
    step = 1
    while step < rows.shape[0]:
        rows = ops.minimum(rows, ops.concatenate((rows[:step], rows[:-step])))
        step *= 2
    return rows


def depth_of(sigma, noise_sigma):
    """How much noisier a cutout is than a survey: the geometric mean over its bands.

    Parameters
    ----------
    sigma : tensor
        Noise of every plane, ``(n, 1, 1, band)``; 0 where a band is missing.
    noise_sigma : list of float
        Noise of the survey in each band.

    Returns
    -------
    tensor
        ``(n, 1, 1, 1)``; 0 where no band has noise.
    """
    there = sigma > 0.0
    ratio = ops.where(there, sigma, 1.0) / np.asarray(noise_sigma, np.float32)
    number = ops.sum(ops.cast(there, "float32"), axis=-1, keepdims=True)
    total = ops.sum(ops.where(there, ops.log(ratio), 0.0), axis=-1, keepdims=True)
    return ops.where(number > 0.0, ops.exp(total / ops.maximum(number, 1.0)), 0.0)


def measure_sky(cutouts):
    """Sky and noise of every plane, from the faint part of its pixels.

    Parameters
    ----------
    cutouts : tensor
        ``(n, height, width, band)``, raw flux, NaN where bad.

    Returns
    -------
    sky, sigma : tensor
        ``(n, 1, 1, band)``; 0 where a plane has no good pixel.
    """
    pixels = cutouts[:, ::STEP_PIX, ::STEP_PIX, :]
    height, width, bands = pixels.shape[1:]
    pixels = ops.transpose(ops.reshape(pixels, (-1, height * width, bands)), (0, 2, 1))
    good = ops.isfinite(pixels)
    # Bad pixels go to the end, where no quantile of the good ones is.
    ordered = ops.sort(ops.where(good, pixels, np.float32(np.finfo(np.float32).max)), axis=-1)
    last = ops.sum(ops.cast(good, "float32"), axis=-1, keepdims=True) - 1.0
    low, high = (_at(ordered, ops.maximum(last, 0.0) * share) for share in (LOW_SHARE, HIGH_SHARE))
    z_low, z_high = (float(ndtri(share)) for share in (LOW_SHARE, HIGH_SHARE))
    sigma = (high - low) / (z_high - z_low)
    measured = ops.stack((high - z_high * sigma, sigma))
    measured = ops.where(last >= 0.0, measured, 0.0)
    # (2, n, band, 1) -> (2, n, 1, 1, band)
    return tuple(ops.transpose(part, (0, 2, 1))[:, None] for part in (measured[0], measured[1]))


def _at(ordered, place):
    """Values of ``(n, band, pixel)`` at a place ``(n, band, 1)`` between two pixels."""
    below = ops.floor(place)
    above = ops.minimum(below + 1.0, ordered.shape[-1] - 1.0)
    lower, upper = (ops.take_along_axis(ordered, ops.cast(index, "int32"), axis=-1) for index in (below, above))
    # Of a plane with one good pixel the next is none.
    upper = ops.where(place > below, upper, lower)
    return lower + (place - below) * (upper - lower)
