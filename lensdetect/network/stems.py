"""Stems: images to a grid of features."""

from __future__ import annotations

from functools import singledispatch

from keras import layers

from lensdetect.errors import InputError
from lensdetect.network.layers import PooledShare
from lensdetect.network.naming import any_of
from lensdetect.network.spec import ResidualStem, Stem


@singledispatch
def build_stem(spec, images, *, bad=None, prefix: str = "stem"):
    """Reduce images to a grid of features.

    Parameters
    ----------
    spec : Stem
        Which stem.
    images : KerasTensor
        ``(n, height, width, band)``, preprocessed.
    bad : KerasTensor, optional
        Of the same shape, 1 where a pixel is bad.
    prefix : str
        How the names of the layers begin.

    Returns
    -------
    KerasTensor
        ``(n, rows, columns, dim)``; the cells become tokens.

    Raises
    ------
    InputError
        If ``spec`` is no stem, or the images are too small for it.
    """
    raise InputError(f"stem must be {any_of(Stem)}, got {type(spec).__name__}")


def with_bad_pixels(images, bad, *, prefix: str):
    """Images with the planes that mark bad pixels, if the front gave any.

    Parameters
    ----------
    images : KerasTensor
        ``(n, height, width, band)``.
    bad : KerasTensor or None
        Of the same shape.
    prefix : str
        How the name of the layer begins.

    Returns
    -------
    KerasTensor
        ``(n, height, width, band)`` or twice as many planes.
    """
    return images if bad is None else layers.Concatenate(name=f"{prefix}_input")([images, bad])


@build_stem.register
def _(spec: ResidualStem, images, *, bad=None, prefix: str = "stem"):
    x = images
    for number, stage in enumerate(spec.stages, start=1):
        name = f"{prefix}_stage_{number}"
        x = convolve(x, stage.filters, kernel=stage.kernel, stride=stage.stride, name=f"{name}_conv")
        if number == 1 and bad is not None:
            x = layers.Add(name=f"{name}_sum")([x, _bad_features(bad, stage, name=f"{name}_bad")])
        x = layers.ReLU(name=f"{name}_relu")(normalise(x, name=f"{name}_norm"))
        for block in range(1, stage.blocks + 1):
            x = residual_block(x, name=f"{name}_block_{block}")
    return x


def _bad_features(bad, stage, *, name: str):
    """Bad pixels on the grid of the first stage: a pooled mask costs a tenth of twice the bands."""
    pooled = PooledShare(stage.stride, name=f"{name}_pool")(bad)
    return convolve(pooled, stage.filters, kernel=1, stride=1, name=f"{name}_conv")


def convolve(x, filters: int, *, kernel: int, stride: int, name: str):
    """Padded convolution without bias.

    Parameters
    ----------
    x : KerasTensor
        ``(n, height, width, feature)``.
    filters : int
        Number of output features.
    kernel, stride : int
        Of the convolution.
    name : str
        Of the layer.

    Returns
    -------
    KerasTensor
        ``(n, ceil(height / stride), ceil(width / stride), filters)``.
    """
    return layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)


def normalise(x, *, name: str):
    """Batch normalisation with a memory of some 30 batches, for short trainings too.

    Parameters
    ----------
    x : KerasTensor
        ``(n, height, width, feature)``.
    name : str
        Of the layer.

    Returns
    -------
    KerasTensor
        Of the same shape.
    """
    return layers.BatchNormalization(momentum=0.97, name=name)(x)


def residual_block(x, *, name: str):
    """Two 3 x 3 convolutions and a skip around them (He+ 2016, arXiv 1512.03385).

    Parameters
    ----------
    x : KerasTensor
        ``(n, height, width, feature)``.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    KerasTensor
        Of the same shape.
    """
    y = convolve(x, x.shape[-1], kernel=3, stride=1, name=f"{name}_conv_1")
    y = layers.ReLU(name=f"{name}_relu_1")(normalise(y, name=f"{name}_norm_1"))
    y = convolve(y, x.shape[-1], kernel=3, stride=1, name=f"{name}_conv_2")
    y = layers.Add(name=f"{name}_add")([x, normalise(y, name=f"{name}_norm_2")])
    return layers.ReLU(name=f"{name}_relu_2")(y)
