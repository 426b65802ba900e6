"""Encoders: self-attention over the cells of a grid.

Every attention also returns its weights, so that ``attention_maps`` can take
them out of a built detector.
"""

from __future__ import annotations

import math
from functools import singledispatch

from keras import layers, regularizers

from lensdetect.errors import InputError
from lensdetect.network.layers import AddPositions, grid_positions, published_positions
from lensdetect.network.naming import any_of
from lensdetect.network.spec import Encoder, PreNormEncoder, PublishedEncoder


@singledispatch
def build_encoder(spec, grid, *, prefix: str = "encoder"):
    """Let the cells of a grid attend to each other.

    Parameters
    ----------
    spec : Encoder
        Which encoder.
    grid : KerasTensor
        ``(n, rows, columns, dim)``.
    prefix : str
        How the names of the layers begin.

    Returns
    -------
    KerasTensor
        ``(n, rows * columns, dim)``, tokens row by row.

    Raises
    ------
    InputError
        If ``spec`` is no encoder, or does not fit the width of the grid.
    """
    raise InputError(f"encoder must be {any_of(Encoder)}, got {type(spec).__name__}")


def self_attention(tokens, *, num_heads: int, key_dim: int, dropout: float, l2: float, name: str):
    """Multi-head self-attention, with its weights as a second output.

    Parameters
    ----------
    tokens : KerasTensor
        ``(n, tokens, dim)``.
    num_heads, key_dim : int
        Number of heads, and dimension of one head.
    dropout : float
        Dropout of the attention probabilities.
    l2 : float
        Weight of the squared kernels in the loss.
    name : str
        Of the layer.

    Returns
    -------
    KerasTensor
        ``(n, tokens, dim)``.
    """
    attention = layers.MultiHeadAttention(
        num_heads,
        key_dim,
        value_dim=key_dim,
        dropout=dropout,
        kernel_regularizer=regularizers.L2(l2) if l2 else None,
        name=name,
    )
    attended, _ = attention(tokens, tokens, return_attention_scores=True)
    return attended


@build_encoder.register
def _(spec: PublishedEncoder, grid, *, prefix: str = "encoder"):
    _, rows, columns, dim = grid.shape
    x = layers.Reshape((rows * columns, dim), name=f"{prefix}_tokens")(grid)
    code = published_positions(rows * columns, dim)
    x = tokens = AddPositions(code, factor=math.sqrt(dim), name=f"{prefix}_positions")(x)
    for group, count in enumerate(spec.groups, start=1):
        branches = [
            self_attention(
                x,
                num_heads=spec.num_heads,
                key_dim=spec.key_dim,
                dropout=spec.attention_dropout,
                l2=spec.l2,
                name=f"{prefix}_group_{group}_attention_{branch}",
            )
            for branch in range(1, count + 1)
        ]
        x = layers.Add(name=f"{prefix}_group_{group}_sum")(branches) if count > 1 else branches[0]
    y = layers.Dense(spec.mlp_dim, activation="elu", name=f"{prefix}_mlp_1")(x)
    y = layers.Dropout(spec.dropout, name=f"{prefix}_mlp_1_dropout")(y)
    y = layers.Dense(dim, activation="elu", name=f"{prefix}_mlp_2")(y)
    y = layers.Dropout(spec.dropout, name=f"{prefix}_mlp_2_dropout")(y)
    around = tokens if spec.skip_attention else x
    x = layers.Add(name=f"{prefix}_residual")([around, y])
    return layers.LayerNormalization(epsilon=1e-6, name=f"{prefix}_norm")(x)


@build_encoder.register
def _(spec: PreNormEncoder, grid, *, prefix: str = "encoder"):
    _, rows, columns, dim = grid.shape
    if dim % spec.num_heads:
        raise InputError(f"the {spec.num_heads} heads must share the token width evenly, got a width of {dim}")
    x = layers.Reshape((rows * columns, dim), name=f"{prefix}_tokens")(grid)
    x = AddPositions(grid_positions(rows, columns, dim), name=f"{prefix}_positions")(x)
    for number in range(1, spec.num_blocks + 1):
        x = encoder_block(x, spec, name=f"{prefix}_block_{number}")
    return layers.LayerNormalization(epsilon=1e-6, name=f"{prefix}_norm")(x)


def encoder_block(tokens, spec: PreNormEncoder, *, name: str):
    """Attention and feed-forward, each normalised before and skipped around.

    Parameters
    ----------
    tokens : KerasTensor
        ``(n, tokens, dim)``.
    spec : PreNormEncoder
        Sizes.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    KerasTensor
        ``(n, tokens, dim)``.
    """
    dim = tokens.shape[-1]
    y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_attention_norm")(tokens)
    y = self_attention(
        y, num_heads=spec.num_heads, key_dim=dim // spec.num_heads, dropout=0.0, l2=0.0, name=f"{name}_attention"
    )
    y = layers.Dropout(spec.dropout, name=f"{name}_attention_dropout")(y)
    x = layers.Add(name=f"{name}_attention_residual")([tokens, y])
    y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_mlp_norm")(x)
    y = layers.Dense(spec.mlp_dim, activation="relu", name=f"{name}_mlp_1")(y)
    y = layers.Dense(dim, name=f"{name}_mlp_2")(y)
    y = layers.Dropout(spec.dropout, name=f"{name}_mlp_dropout")(y)
    return layers.Add(name=f"{name}_mlp_residual")([x, y])
