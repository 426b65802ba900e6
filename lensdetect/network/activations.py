"""Activations by name: those of Keras, and one that it lacks."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import ops

# Mean and inverse standard deviation of max(x, 0) for standard normal x.
_MEAN, _PER_SIGMA = 0.3989422804014327, 1.712858550449663


@keras.saving.register_keras_serializable(package="lensdetect")
def standardised_relu(x):
    """ReLU that keeps the mean and the variance of standard normal input.

    So that a deep stack without batch normalisation neither fades nor bursts
    (Arpit+ 2016, arXiv 1603.01431); LASTRO EPFL uses it throughout.

    Parameters
    ----------
    x : tensor
        Of any shape.

    Returns
    -------
    tensor
        Of the same shape.
    """
    return (ops.relu(x) - _MEAN) * _PER_SIGMA


_OWN = {"standardised_relu": standardised_relu}


def get_activation(name: str) -> str | Callable:
    """Activation as Keras's layers take it.

    Parameters
    ----------
    name : str
        One of Keras, or "standardised_relu".

    Returns
    -------
    str or callable
    """
    return _OWN.get(name, name)
