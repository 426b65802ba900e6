"""Requests that a model server replays before it takes the first real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

from lensdetect.artifact.card import EXTRA_FOLDER, Card
from lensdetect.artifact.integrity import WARMUP_FILE

SIGNATURES = ("serving_default", "embed")


def write_warmup(folder: Path, card: Card, *, seed: int = 0, num_cutouts: int = 2) -> None:
    """Write one request for every signature: cutouts of sky noise.

    Parameters
    ----------
    folder : Path
        An existing SavedModel.
    card : Card
        Bands with their noise, and size of the cutouts.
    seed : int
        Of the noise.
    num_cutouts : int
        Number of cutouts in a request.
    """
    rng = np.random.default_rng(seed)
    noise_sigma = [band.noise_sigma for band in card.bands]
    (folder / EXTRA_FOLDER).mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / WARMUP_FILE)) as writer:
        for signature in SIGNATURES:
            cutouts = rng.normal(0.0, noise_sigma, (num_cutouts, card.size, card.size, len(card.bands)))
            request = predict_pb2.PredictRequest(
                model_spec=model_pb2.ModelSpec(name=f"{card.name}-{card.survey}", signature_name=signature),
                inputs={"cutouts": tf.make_tensor_proto(cutouts, tf.float32)},
            )
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())
