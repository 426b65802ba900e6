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


@keras.saving.register_keras_serializable(package="lensdetect")
class MeasuredStretch(Float32Layer):
    """asinh of flux less the sky, over the noise, both measured in each plane; a bad pixel becomes 0.

    Sky noise is normal, so that two quantiles of the pixels give its mean and
    standard deviation: with ``z`` the inverse of the normal distribution function,
    ``sigma = (q_high - q_low) / (z_high - z_low)`` and ``sky = q_high - z_high sigma``.
    A plane that is all bad, or all of one value, becomes 0.

    Parameters
    ----------
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def call(self, cutouts):
        """Stretch raw flux ``(n, height, width, band)``."""
        sky, sigma = measure_sky(cutouts)
        per_sigma = ops.where(sigma > 0.0, 1.0 / ops.where(sigma > 0.0, sigma, 1.0), 0.0)
        stretched = asinh_of((cutouts - sky) * per_sigma)
        return ops.where(ops.isfinite(cutouts), stretched, 0.0)


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
