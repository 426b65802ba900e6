from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from lensdetect.artifact import build_detector, load_card, load_detector, save_detector
from lensdetect.errors import ArtifactError, InputError
from lensdetect.network import DETECTORS, spec_to_dict


def test_scores_of_the_folder_are_those_of_the_model(model, saved, card, cutouts):
    expected = model.predict(cutouts, verbose=0)[:, 0]
    scores = load_detector(saved)(cutouts)
    np.testing.assert_allclose(scores.logit, expected, rtol=1e-6, atol=1e-6)
    assert np.ptp(expected) > 1e-3
    probability = 1 / (1 + np.exp(-(0.5 * expected.astype(float) - 1.25)))
    np.testing.assert_allclose(scores.probability, probability, atol=1e-6)


def test_embedding_is_that_of_the_model(model, saved, cutouts):
    expected = keras.Model(model.input, model.get_layer("embedding").output).predict(cutouts, verbose=0)
    np.testing.assert_allclose(load_detector(saved).embed(cutouts), expected, rtol=1e-5, atol=1e-6)


def test_signatures_have_a_free_batch(saved, card):
    signatures = tf.saved_model.load(str(saved)).signatures
    assert sorted(signatures) == ["embed", "serving_default"]
    for function in signatures.values():
        (spec,) = function.structured_input_signature[1].values()
        assert (spec.name, spec.shape.as_list()) == ("cutouts", [None, card.size, card.size, 4])
    outputs = signatures["serving_default"].structured_outputs
    assert {name: (spec.shape.as_list(), spec.dtype) for name, spec in outputs.items()} == {
        "logit": ([None], tf.float32),
        "probability": ([None], tf.float32),
    }
    assert list(signatures["embed"].structured_outputs) == ["embedding"]


def test_each_weight_is_stored_once_under_its_path(model, saved):
    folder = saved / "variables"
    stored = sum(path.stat().st_size for path in folder.iterdir())
    assert stored < 1.3 * 4 * model.count_params() + 10_000
    reader = tf.train.load_checkpoint(str(folder / "variables"))
    sizes = [np.prod(shape, dtype=int) for shape in reader.get_variable_to_shape_map().values() if shape]
    assert sum(sizes) == model.count_params()


@pytest.mark.slow
def test_large_detector_takes_four_bytes_a_parameter(card, tmp_path):
    model = build_detector("arcformer_small", size=33)
    big = dataclasses.replace(card, name="arcformer_small", spec=spec_to_dict(DETECTORS["arcformer_small"]))
    folder = save_detector(model, tmp_path / "1", card=big)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name != "saved_model.pb")
    assert size < 1.3 * 4 * model.count_params()


@pytest.mark.slow
def test_mixed_precision_is_saved_as_its_float32_twin(card, model, cutouts, tmp_path):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = build_detector("arcformer_test", size=card.size)
        mixed.set_weights(model.get_weights())
        folder = save_detector(mixed, tmp_path / "1", card=card)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy(policy)
    np.testing.assert_allclose(
        load_detector(folder)(cutouts).logit, model.predict(cutouts, verbose=0)[:, 0], rtol=1e-6, atol=1e-6
    )


def test_card_must_describe_the_model(card, tmp_path):
    model = build_detector("arcformer_test", size=card.size)
    other = dataclasses.replace(card, spec=spec_to_dict(DETECTORS["arcformer_small"]))
    with pytest.raises(ArtifactError, match=r"the model to save must hold the weights .* missing: encoder_block_2"):
        save_detector(model, tmp_path / "1", card=other)
    assert list(tmp_path.iterdir()) == []


def test_taken_folder_is_refused_and_an_empty_one_is_not(model, card, copied, tmp_path):
    with pytest.raises(ArtifactError, match=r"saved to a new folder, .*bologna/1 is taken: choose the next version"):
        save_detector(model, copied, card=card)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert load_card(save_detector(model, empty, card=card)).name == card.name


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError("disk full"), ArtifactError),
        (tf.errors.ResourceExhaustedError(None, None, "disk full"), ArtifactError),
        (KeyboardInterrupt("disk full"), KeyboardInterrupt),
    ],
)
def test_interrupted_save_leaves_nothing(model, card, tmp_path, monkeypatch, error, raised):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("lensdetect.artifact.saving.write_warmup", fail)
    with pytest.raises(raised, match="disk full"):
        save_detector(model, tmp_path / "1", card=card)
    assert list(tmp_path.iterdir()) == []


def test_other_backends_are_told_to_export(model, card, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(InputError, match=r"under Keras's tensorflow backend, got jax: .* KERAS_BACKEND=tensorflow"):
        save_detector(model, tmp_path / "1", card=card)
