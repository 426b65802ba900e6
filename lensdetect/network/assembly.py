"""From preprocessed images to a logit: a chain of parts, or branches that merge."""

from __future__ import annotations

import string

import keras
from keras import layers

# Each of these modules registers the builders of its specs.
from lensdetect.network import conv_stems as conv_stems
from lensdetect.network import residual_stems as residual_stems
from lensdetect.network.activations import get_activation
from lensdetect.network.encoders import build_encoder
from lensdetect.network.heads import build_head, dense_layers, pool_features
from lensdetect.network.spec import Branch, DetectorSpec, MergedSpec
from lensdetect.network.stems import build_stem


def chain_parts(spec: DetectorSpec, images, *, bad=None):
    """Stem, encoder if there is one, head.

    Parameters
    ----------
    spec : DetectorSpec
        The parts.
    images : KerasTensor
        ``(n, height, width, band)``, preprocessed.
    bad : KerasTensor, optional
        Of the same shape, 1 where a pixel is bad.

    Returns
    -------
    KerasTensor
        float32 logits ``(n, 1)``.
    """
    return build_head(spec.head, _extract(spec, images, bad=bad, branch=""))


def merge_branches(spec: MergedSpec, images, *, bad=None):
    """All branches, and dense layers over what they say.

    The layer ``embedding`` holds the pooled vectors of all branches, one after
    the other.

    Parameters
    ----------
    spec : MergedSpec
        The branches and how they merge.
    images : KerasTensor
        ``(n, height, width, band)``, preprocessed.
    bad : KerasTensor, optional
        Of the same shape, 1 where a pixel is bad.

    Returns
    -------
    KerasTensor
        float32 logits ``(n, 1)``.
    """
    named = list(zip(string.ascii_lowercase, spec.branches, strict=False))
    pooled = []
    for letter, branch in named:
        features = _extract(branch, images, bad=bad, branch=f"_{letter}")
        pooled.append(pool_features(branch.head, features, prefix=f"head_{letter}", name=f"head_{letter}_embedding"))
    embedding = layers.Concatenate(name="embedding")(pooled)
    outputs, start = [], 0
    for (letter, branch), vector in zip(named, pooled, strict=True):
        stop = start + vector.shape[-1]
        own = TakeFeatures(start, stop, name=f"head_{letter}_take")(embedding)
        own = dense_layers(branch.head, own, prefix=f"head_{letter}")
        output = layers.Dense(
            spec.outputs, activation=spec.output_activation, dtype="float32", name=f"head_{letter}_output"
        )
        outputs.append(output(own))
        start = stop
    x = layers.Concatenate(name="head_outputs")(outputs)
    for number, units in enumerate(spec.units, start=1):
        x = layers.Dense(units, activation=get_activation(spec.activation), name=f"head_merge_{number}")(x)
    return layers.Dense(1, dtype="float32", name="logit")(x)


def _extract(spec: DetectorSpec | Branch, images, *, bad, branch: str):
    """Tokens of the encoder, or the grid of the stem where there is no encoder."""
    grid = build_stem(spec.stem, images, bad=bad, prefix=f"stem{branch}")
    return grid if spec.encoder is None else build_encoder(spec.encoder, grid, prefix=f"encoder{branch}")


@keras.saving.register_keras_serializable(package="lensdetect")
class TakeFeatures(keras.layers.Layer):
    """Some of the features of a vector.

    Parameters
    ----------
    start, stop : int
        The first, and the one after the last.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(self, start, stop, **kwargs):
        super().__init__(**kwargs)
        self.start = start
        self.stop = stop

    def call(self, vector):
        """Take from ``(n, dim)``."""
        return vector[:, self.start : self.stop]

    def get_config(self):
        """Arguments that rebuild this layer."""
        return {**super().get_config(), "start": self.start, "stop": self.stop}
