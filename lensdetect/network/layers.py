"""Layers that Keras does not have: preprocessing and positions."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from lensdetect.errors import InputError


class Float32Layer(keras.layers.Layer):
    """A layer that is float32 whatever the policy: raw flux of 1e-11 is 0 in float16.

    Parameters
    ----------
    **kwargs
        Of ``keras.layers.Layer``; a dtype among them has no effect.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs | {"dtype": "float32"})


@keras.saving.register_keras_serializable(package="lensdetect")
class PublishedScaling(Float32Layer):
    """Reorder bands, set bad pixels to 0, clip and scale the flux.

    Parameters
    ----------
    order : list of int
        Index of the input band for each output band.
    clip_flux : list of float
        Clip level of each output band, in that band's flux units.
    scale : float
        Value of ``clip_flux`` after scaling.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(self, order, clip_flux, scale, **kwargs):
        super().__init__(**kwargs)
        self.order = list(order)
        self.clip_flux = list(clip_flux)
        self.scale = scale

    def call(self, cutouts):
        """Scale ``(n, height, width, band)`` raw flux."""
        flux = ops.take(cutouts, np.asarray(self.order), axis=-1)
        flux = ops.where(ops.isfinite(flux), flux, 0.0)
        # One factor, so that the flux is rounded once: the published network
        # answers to the last bit of its input with 3e-5 in probability.
        factor = np.asarray([self.scale / clip for clip in self.clip_flux], np.float32)
        return ops.clip(flux * factor, -self.scale, self.scale)

    def get_config(self):
        """Arguments that rebuild this layer."""
        return {**super().get_config(), "order": self.order, "clip_flux": self.clip_flux, "scale": self.scale}


def asinh_of(scaled):
    """Asinh of flux in sigma, bounded to -20 and 1e9.

    Parameters
    ----------
    scaled : tensor

    Returns
    -------
    tensor
    """
    # asinh(x) = log(x + sqrt(x^2 + 1)) is some seven times faster on a CPU than
    # the asinh kernel, which is not vectorised. It loses digits far below zero,
    # where there is no light: 1e-4 at the bound of -20 sigma. The upper bound
    # keeps x^2 finite, whatever a file holds that is no bad pixel.
    bounded = ops.clip(scaled, -20.0, 1e9)
    return ops.log(bounded + ops.sqrt(bounded * bounded + 1.0))


@keras.saving.register_keras_serializable(package="lensdetect")
class AsinhStretch(Float32Layer):
    """Noise-scaled asinh of the flux; a bad pixel becomes 0.

    Parameters
    ----------
    noise_sigma : list of float
        Sky noise of each band, in its flux units.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(self, noise_sigma, **kwargs):
        super().__init__(**kwargs)
        self.noise_sigma = list(noise_sigma)

    def build(self, shape):
        """Lay the factors out like a cutout: broadcasting over 4 bands is slow."""
        per_sigma = np.asarray([1.0 / sigma for sigma in self.noise_sigma], np.float32)
        self._factor = np.broadcast_to(per_sigma, shape[1:]).copy()

    def call(self, cutouts):
        """Stretch raw flux ``(n, height, width, band)``."""
        return ops.where(ops.isfinite(cutouts), asinh_of(cutouts * self._factor), 0.0)

    def get_config(self):
        """Arguments that rebuild this layer."""
        return {**super().get_config(), "noise_sigma": self.noise_sigma}


@keras.saving.register_keras_serializable(package="lensdetect")
class BadPixels(Float32Layer):
    """1 where a pixel is bad (not finite), 0 elsewhere.

    Parameters
    ----------
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def call(self, cutouts):
        """Mark the bad pixels of raw flux ``(n, height, width, band)``."""
        return 1.0 - ops.cast(ops.isfinite(cutouts), "float32")


@keras.saving.register_keras_serializable(package="lensdetect")
class PooledShare(keras.layers.Layer):
    """Mean over square cells; a cell at the border counts the pixels that are there.

    What ``AveragePooling2D(padding="same")`` gives under TensorFlow and JAX.
    Under PyTorch Keras 3.15 pads that with copies of the edge.

    Parameters
    ----------
    side : int
        Height and width of a cell, in pixels.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(self, side, **kwargs):
        super().__init__(**kwargs)
        self.side = side

    def call(self, images):
        """Pool ``(n, height, width, band)`` to ``(n, ceil(height / side), ceil(width / side), band)``."""
        height, width = images.shape[1:3]
        padded = ops.pad(images, ((0, 0), _around(height, self.side), _around(width, self.side), (0, 0)))
        there = np.outer(_share_there(height, self.side), _share_there(width, self.side))[..., None]
        return ops.average_pool(padded, self.side, self.side, padding="valid") / ops.cast(there, images.dtype)

    def get_config(self):
        """Arguments that rebuild this layer."""
        return {**super().get_config(), "side": self.side}


def _around(length: int, side: int) -> tuple[int, int]:
    """Pixels to add before and after, so that whole cells fit: the odd one after, as in a convolution."""
    missing = -length % side
    return missing // 2, missing - missing // 2


def _share_there(length: int, side: int) -> np.ndarray:
    """Share of each cell along an axis that holds pixels."""
    return np.pad(np.ones(length, np.float32), _around(length, side)).reshape(-1, side).mean(axis=1)


def published_positions(length: int, dim: int) -> np.ndarray:
    """Position code of the published detectors.

    Not the usual sinusoid: the base is 12800, and sine and cosine alternate
    over positions, not over features.

    Parameters
    ----------
    length : int
        Number of tokens.
    dim : int
        Width of a token.

    Returns
    -------
    ndarray
        float32 ``(length, dim)``.
    """
    angle = np.arange(length)[:, None] / 12800.0 ** (2 * (np.arange(dim) // 2) / dim)
    angle[0::2] = np.sin(angle[0::2])
    angle[1::2] = np.cos(angle[1::2])
    return angle.astype(np.float32)


def grid_positions(height: int, width: int, dim: int) -> np.ndarray:
    """Sine and cosine of row and column, a quarter of the features each.

    The fixed 2-D code of Beyer+ 2022 (arXiv 2205.01580), with frequencies from
    1 down to 1/100 radian a cell: grids here have some ten cells a side, not
    the ten thousand steps of a text.

    Parameters
    ----------
    height, width : int
        Cells of the grid.
    dim : int
        Width of a token, a multiple of 4.

    Returns
    -------
    ndarray
        float32 ``(height * width, dim)``, row by row.

    Raises
    ------
    InputError
        If ``dim`` is not a multiple of 4.
    """
    if dim % 4:
        raise InputError(f"2-D positions need a token width that is a multiple of 4, got {dim}")
    frequency = 100.0 ** (-np.arange(dim // 4) / max(dim // 4 - 1, 1))
    # Counted from the middle: the deflector sits there, whatever the size.
    row = (np.arange(height) - (height - 1) / 2)[:, None, None] * frequency
    column = (np.arange(width) - (width - 1) / 2)[None, :, None] * frequency
    row, column = np.broadcast_arrays(row, column)
    code = np.concatenate([np.sin(row), np.cos(row), np.sin(column), np.cos(column)], axis=-1)
    return code.reshape(height * width, dim).astype(np.float32)


@keras.saving.register_keras_serializable(package="lensdetect")
class AddPositions(keras.layers.Layer):
    """Scale tokens and add a fixed position code.

    Parameters
    ----------
    code : list or ndarray
        ``(tokens, dim)``.
    factor : float
        What the tokens are multiplied by first.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(self, code, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.code = np.asarray(code, np.float32)
        self.factor = factor

    def call(self, tokens):
        """Add the code to ``(n, tokens, dim)``."""
        return tokens * self.factor + ops.cast(self.code, tokens.dtype)

    def get_config(self):
        """Arguments that rebuild this layer."""
        return {**super().get_config(), "code": self.code.tolist(), "factor": self.factor}
