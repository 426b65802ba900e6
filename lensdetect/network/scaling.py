"""Preprocessing layers of the published systems other than the paper's."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from lensdetect.network.layers import Float32Layer

#: Bound of scaled flux in standard deviations: a file that marks bad pixels by
#: 1e30, and nobody said so, must not make a NaN of the logit.
LARGEST_SIGMA = 1e6


@keras.saving.register_keras_serializable(package="lensdetect")
class StandardScaling(Float32Layer):
    """Reorder bands, set bad pixels to no flux, subtract a mean, divide by a deviation.

    Parameters
    ----------
    order : list of int
        Index of the input band for each output band.
    mean_flux, sigma_flux : list of float
        Of each output band, in that band's flux units.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(self, order, mean_flux, sigma_flux, **kwargs):
        super().__init__(**kwargs)
        self.order = list(order)
        self.mean_flux = list(mean_flux)
        self.sigma_flux = list(sigma_flux)

    def call(self, cutouts):
        """Scale ``(n, height, width, band)`` raw flux."""
        flux = ops.take(cutouts, np.asarray(self.order), axis=-1)
        flux = ops.where(ops.isfinite(flux), flux, 0.0)
        sigma = np.asarray(self.sigma_flux)
        offset = (np.asarray(self.mean_flux) / sigma).astype(np.float32)
        scaled = flux * (1 / sigma).astype(np.float32) - offset
        return ops.clip(scaled, -LARGEST_SIGMA, LARGEST_SIGMA)

    def get_config(self):
        """Arguments that rebuild this layer."""
        own = {"order": self.order, "mean_flux": self.mean_flux, "sigma_flux": self.sigma_flux}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="lensdetect")
class PeakScaling(Float32Layer):
    """Flux over the brightest pixel of the cutout, then a power; a bad pixel is 0.

    Parameters
    ----------
    unit_flux : list of float
        What each band is divided by, so that the bands have one unit.
    power : float
        Of the flux over its peak.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(self, unit_flux, power, **kwargs):
        super().__init__(**kwargs)
        self.unit_flux = list(unit_flux)
        self.power = power

    def call(self, cutouts):
        """Scale ``(n, height, width, band)`` raw flux."""
        # 1e12 a unit, so that the flux of a pixel is of the order of 1.
        factor = np.asarray([1e12 / unit for unit in self.unit_flux], np.float32)
        flux = ops.where(ops.isfinite(cutouts), ops.clip(cutouts * factor, 0.0, 1e30), 0.0)
        peak = ops.amax(flux, axis=(1, 2, 3), keepdims=True)
        return ops.power(flux / ops.where(peak > 0, peak, 1.0), self.power)

    def get_config(self):
        """Arguments that rebuild this layer."""
        return {**super().get_config(), "unit_flux": self.unit_flux, "power": self.power}
