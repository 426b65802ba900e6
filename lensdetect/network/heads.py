"""Heads: tokens to an embedding to a logit.

In every head the pooled vector is the output of the layer ``embedding`` and the
float32 logit that of the layer ``logit``.
"""

from __future__ import annotations

from functools import singledispatch

from keras import layers

from lensdetect.errors import InputError
from lensdetect.network.spec import AttentionPoolHead, PublishedHead


@singledispatch
def build_head(spec, tokens):
    """Classify tokens.

    Parameters
    ----------
    spec : PublishedHead or AttentionPoolHead
        Which head.
    tokens : KerasTensor
        ``(n, tokens, dim)``.

    Returns
    -------
    KerasTensor
        float32 logits ``(n, 1)``.

    Raises
    ------
    InputError
        If ``spec`` is no head.
    """
    raise InputError(f"head must be PublishedHead or AttentionPoolHead, got {type(spec).__name__}")


def classifier(x, spec, *, activation: str):
    """Dense layers with dropout, then the logit.

    Parameters
    ----------
    x : KerasTensor
        ``(n, dim)``.
    spec : PublishedHead or AttentionPoolHead
        Widths and dropout.
    activation : str
        Of the dense layers.

    Returns
    -------
    KerasTensor
        float32 ``(n, 1)``.
    """
    for number, units in enumerate(spec.units, start=1):
        x = layers.Dense(units, activation=activation, name=f"head_dense_{number}")(x)
        x = layers.Dropout(spec.dropout, name=f"head_dropout_{number}")(x)
    return layers.Dense(1, dtype="float32", name="logit")(x)


@build_head.register
def _(spec: PublishedHead, tokens):
    return classifier(layers.GlobalAveragePooling1D(name="embedding")(tokens), spec, activation="elu")


@build_head.register
def _(spec: AttentionPoolHead, tokens):
    # One score a token; softmax over the tokens makes the weights of the mean.
    weight = layers.Dense(1, use_bias=False, name="head_token_score")(tokens)
    weight = layers.Softmax(axis=1, name="head_token_weight")(weight)
    pooled = layers.Dot(axes=1, name="head_pool")([weight, tokens])
    return classifier(layers.Flatten(name="embedding")(pooled), spec, activation="relu")
