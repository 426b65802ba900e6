"""How much a detector computes: multiply-adds for one cutout, from its layers."""

from __future__ import annotations

import math
from functools import singledispatch

import keras
from keras import layers

from lensdetect.errors import InputError
from lensdetect.network.dihedral import NUM_VIEWS, DihedralConv2D


def operations(model: keras.Model) -> int:
    """Multiply-adds for one cutout.

    Counted are convolutions, dense layers, attention and weighted sums over
    tokens: what grows with the product of two widths. Normalisation,
    activations, poolings and the front are linear in the pixels and left out.

    Parameters
    ----------
    model : keras.Model
        From ``build_detector``.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If a layer has weights and is of a kind that cannot be counted.
    """
    return sum(layer_operations(layer) for layer in model.layers)


@singledispatch
def layer_operations(layer) -> int:
    """Multiply-adds of one layer for one cutout.

    Parameters
    ----------
    layer : keras.layers.Layer
        Built, and used once.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If the layer has a matrix of weights and is of a kind that cannot be counted.
    """
    if any(len(variable.shape) > 1 for variable in layer.weights):
        raise InputError(f"operations can be counted of convolutions, dense layers and attention, got {layer!r}")
    return 0


@layer_operations.register
def _(layer: layers.Conv2D) -> int:
    return math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)


@layer_operations.register
def _(layer: layers.DepthwiseConv2D) -> int:
    return math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)


@layer_operations.register
def _(layer: DihedralConv2D) -> int:
    # The kernel of one view is used in eight.
    return NUM_VIEWS * math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)


@layer_operations.register
def _(layer: layers.Dense) -> int:
    return math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape)


@layer_operations.register
def _(layer: layers.Dot) -> int:
    first, second = layer.input
    # The axis that is summed over is the first of both.
    return math.prod(first.shape[1:]) * math.prod(second.shape[2:])


@layer_operations.register
def _(layer: layers.MultiHeadAttention) -> int:
    tokens = layer.output[0].shape[1]
    projections = sum(math.prod(variable.shape) for variable in layer.weights if variable.path.endswith("kernel"))
    # Scores of all pairs of tokens, and the sum of values that they weight.
    pairs = tokens * tokens * layer.num_heads * (layer.key_dim + layer.value_dim)
    return tokens * projections + pairs
