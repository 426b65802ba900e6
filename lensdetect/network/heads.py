"""Heads: tokens, or a grid, to an embedding to a logit.

In every head the pooled vector is the output of the layer ``embedding`` and the
float32 logit that of the layer ``logit``.
"""

from __future__ import annotations

from functools import singledispatch

from keras import layers

from lensdetect.errors import InputError
from lensdetect.network.activations import get_activation
from lensdetect.network.dihedral import NUM_VIEWS, DihedralConv2D, normalise_views
from lensdetect.network.naming import any_of
from lensdetect.network.spec import AttentionPoolHead, DenseRow, DihedralHead, FlattenHead, Head, PublishedHead


def build_head(spec, features):
    """Classify tokens or a grid.

    Parameters
    ----------
    spec : Head
        Which head.
    features : KerasTensor
        Tokens ``(n, tokens, dim)`` or a grid ``(n, rows, columns, dim)``.

    Returns
    -------
    KerasTensor
        float32 logits ``(n, 1)``.

    Raises
    ------
    InputError
        If ``spec`` is no head, or does not fit the grid.
    """
    x = pool_features(spec, features, prefix="head", name="embedding")
    x = dense_layers(spec, x, prefix="head")
    return layers.Dense(1, dtype="float32", name="logit")(x)


@singledispatch
def pool_features(spec, features, *, prefix: str, name: str):
    """One vector for a cutout.

    Parameters
    ----------
    spec : Head
        Which head.
    features : KerasTensor
        Tokens ``(n, tokens, dim)`` or a grid ``(n, rows, columns, dim)``.
    prefix : str
        How the names of the layers begin.
    name : str
        Of the last layer.

    Returns
    -------
    KerasTensor
        ``(n, dim)``.

    Raises
    ------
    InputError
        If ``spec`` is no head, or does not fit the grid.
    """
    raise InputError(f"head must be {any_of(Head)}, got {type(spec).__name__}")


def dense_layers(spec, x, *, prefix: str):
    """Dense layers of a head, between the pooled vector and the logit.

    Parameters
    ----------
    spec : Head
        Widths and what follows each layer.
    x : KerasTensor
        ``(n, dim)``.
    prefix : str
        How the names of the layers begin.

    Returns
    -------
    KerasTensor
        ``(n, units)``.
    """
    for number, row in enumerate(spec.rows, start=1):
        x = _dense_row(x, row, spec, prefix=prefix, number=number)
    return x


def _dense_row(x, row: DenseRow, spec, *, prefix: str, number: int):
    dense = layers.Dense(
        row.units,
        activation=get_activation(spec.activation),
        kernel_initializer=spec.initializer,
        name=f"{prefix}_dense_{number}",
    )
    x = dense(x)
    if row.batch_norm:
        x = layers.BatchNormalization(name=f"{prefix}_norm_{number}")(x)
    return layers.Dropout(row.dropout, name=f"{prefix}_dropout_{number}")(x)


def _as_tokens(features, *, prefix: str):
    if len(features.shape) == 3:
        return features
    _, rows, columns, dim = features.shape
    return layers.Reshape((rows * columns, dim), name=f"{prefix}_tokens")(features)


@pool_features.register
def _(spec: PublishedHead, features, *, prefix: str, name: str):
    return layers.GlobalAveragePooling1D(name=name)(_as_tokens(features, prefix=prefix))


@pool_features.register
def _(spec: AttentionPoolHead, features, *, prefix: str, name: str):
    tokens = _as_tokens(features, prefix=prefix)
    # One score a token; softmax over the tokens makes the weights of the mean.
    weight = layers.Dense(1, use_bias=False, name=f"{prefix}_token_score")(tokens)
    weight = layers.Softmax(axis=1, name=f"{prefix}_token_weight")(weight)
    pooled = layers.Dot(axes=1, name=f"{prefix}_pool")([weight, tokens])
    return layers.Flatten(name=name)(pooled)


@pool_features.register
def _(spec: FlattenHead, features, *, prefix: str, name: str):
    x = features
    if spec.mean_pool_pix > 1 and len(x.shape) == 4:
        side = min(spec.mean_pool_pix, *x.shape[1:3])
        x = layers.AveragePooling2D(side, strides=1, name=f"{prefix}_pool")(x)
    return layers.Flatten(name=name)(x)


@pool_features.register
def _(spec: DihedralHead, features, *, prefix: str, name: str):
    if features.shape[1:3] != (1, 1) or features.shape[-1] % NUM_VIEWS:
        raise InputError(
            "a DihedralHead needs one cell in eight views, as a dihedral ConvStem can leave it, "
            f"got features of shape {tuple(features.shape[1:])}"
        )
    x = features
    for number, row in enumerate(spec.view_rows, start=1):
        activation = get_activation(spec.activation)
        x = DihedralConv2D(row.units, 1, activation, spec.initializer, name=f"{prefix}_dense_{number}")(x)
        if row.batch_norm:
            x = normalise_views(x, name=f"{prefix}_norm_{number}")
        if row.dropout:
            x = layers.Dropout(row.dropout, name=f"{prefix}_dropout_{number}")(x)
    views = layers.Reshape((NUM_VIEWS, x.shape[-1] // NUM_VIEWS), name=f"{prefix}_views")(x)
    return layers.GlobalAveragePooling1D(name=name)(views)
