"""A trained detector to its folder: a SavedModel that serves and fine-tunes."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import keras
import tensorflow as tf

from lensdetect import network
from lensdetect.artifact.card import CARD_FILE, Card
from lensdetect.artifact.integrity import hash_files
from lensdetect.artifact.warmup import write_warmup
from lensdetect.artifact.weights import assign_weights
from lensdetect.errors import ArtifactError, InputError, one_line
from lensdetect.runs import write_folder


def save_detector(model: keras.Model, folder: Path | str, *, card: Card) -> Path:
    """Save a detector, whole or not at all.

    What is written is the float32 twin of the model, built anew from the card:
    so the card is known to describe it, and it runs well on any device
    whatever the precision of training was.

    Parameters
    ----------
    model : keras.Model
        From ``build_detector``, trained.
    folder : path
        ``<name>-<survey>/<version>``; must not exist, or be empty.
    card : Card
        Of this detector; ``files_sha256`` is filled in.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If Keras does not run on TensorFlow.
    ArtifactError
        If the folder is taken or cannot be written, or the card describes another model.
    """
    folder = Path(folder)
    if keras.config.backend() != "tensorflow":
        raise InputError(
            f"a detector must be saved under Keras's tensorflow backend, got {keras.config.backend()}: "
            "train anywhere, then export the run with KERAS_BACKEND=tensorflow"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArtifactError(f"a detector must be saved to a new folder, {folder} is taken: choose the next version")
    twin = _float32_twin(model, card)
    try:
        write_folder(folder, lambda partial: _write(twin, partial, card))
    # TensorFlow has errors of its own for a full disk.
    except (OSError, tf.errors.OpError) as error:
        why = getattr(error, "strerror", None) or one_line(error)
        raise ArtifactError(
            f"a detector must be saved where there is room, got {why} in {folder}: make some"
        ) from error
    return folder


def _write(twin: keras.Model, folder: Path, card: Card) -> None:
    _write_saved_model(twin, folder, card)
    write_warmup(folder, card)
    card = dataclasses.replace(card, files_sha256=hash_files(folder))
    (folder / CARD_FILE).write_text(card.to_json(), encoding="utf-8")


def _float32_twin(model: keras.Model, card: Card) -> keras.Model:
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        twin = network.build_detector(network.spec_from_dict(card.spec), card.bands, size=card.size)
    finally:
        keras.config.set_dtype_policy(policy)
    values = {variable.path: variable.numpy() for variable in model.weights}
    assign_weights(twin, values, source="the model to save", parts="all")
    return twin


def _write_saved_model(model: keras.Model, folder: Path, card: Card) -> None:
    # The functions close over the model instead of holding it: a module that
    # tracked both would store each variable twice.
    module = tf.Module()
    module.weights = {variable.path: variable.value for variable in model.weights}
    both = keras.Model(model.input, [model.output, model.get_layer("embedding").output])
    cutouts = tf.TensorSpec((None, card.size, card.size, len(card.bands)), tf.float32, name="cutouts")

    @tf.function(input_signature=[cutouts])
    def forward(cutouts):
        logit, embedding = both(cutouts, training=False)
        # Where no pixel is known there is nothing to say; the network would answer with its bias.
        known = tf.reduce_any(tf.math.is_finite(cutouts), axis=(1, 2, 3))
        logit = tf.where(known, tf.cast(logit[:, 0], tf.float32), math.nan)
        return logit, tf.where(known[:, None], tf.cast(embedding, tf.float32), math.nan)

    # Both signatures call one function, so that its constants are stored once.
    @tf.function(input_signature=[cutouts])
    def serve(cutouts):
        logit, _ = forward(cutouts)
        return {"logit": logit, "probability": _probability(logit, cutouts, card)}

    @tf.function(input_signature=[cutouts])
    def embed(cutouts):
        return {"embedding": forward(cutouts)[1]}

    tf.saved_model.save(module, str(folder), signatures={"serving_default": serve, "embed": embed})


def _probability(logit: tf.Tensor, cutouts: tf.Tensor, card: Card) -> tf.Tensor:
    """What ``Card.probability`` says, each cutout by the bands that it has."""
    present = tf.reduce_any(tf.math.is_finite(cutouts), axis=(1, 2))
    every = card.calibration_of()
    slope, intercept = tf.fill(tf.shape(logit), every.slope), tf.fill(tf.shape(logit), every.intercept)
    # The smallest set that holds all bands comes last and stays; of equal ones the first on the card.
    for one in sorted(reversed(card.calibration), key=lambda one: -len(one.bands)):
        absent = tf.constant([name not in one.bands for name in card.band_names])
        fits = ~tf.reduce_any(present & absent, axis=1)
        slope, intercept = tf.where(fits, one.slope, slope), tf.where(fits, one.intercept, intercept)
    return tf.sigmoid(slope * logit + intercept)
