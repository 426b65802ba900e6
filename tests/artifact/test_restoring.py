from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

import lensdetect
from lensdetect.artifact import build_detector, restore, save_detector
from lensdetect.errors import ArtifactError, InputError


def values_of(model, begin=""):
    return {variable.path: variable.numpy() for variable in model.weights if variable.path.startswith(begin)}


def same(first, second):
    assert first.keys() == second.keys() and first
    return all(np.array_equal(first[path], second[path]) for path in first)


def test_restored_detector_gives_the_same_logits(model, saved, card, cutouts):
    restored = lensdetect.build_detector("arcformer_test", size=card.size, weights=saved)
    assert same(values_of(restored), values_of(model))
    np.testing.assert_array_equal(restored.predict(cutouts, verbose=0), model.predict(cutouts, verbose=0))


@pytest.mark.slow
def test_restored_detector_can_be_trained(saved, card, cutouts):
    restored = build_detector("arcformer_test", size=card.size, weights=saved)
    before = values_of(restored)
    restored.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    restored.fit(cutouts, np.arange(10) % 2, verbose=0)
    assert not same(before, values_of(restored))


def test_stem_alone_leaves_the_rest_fresh(model, saved, card):
    fresh = build_detector("arcformer_test", size=card.size)
    before = values_of(fresh)
    restore(fresh, saved, parts="stem")
    assert same(values_of(fresh, "stem_"), values_of(model, "stem_"))
    for begin in ("encoder_", "head_", "logit"):
        assert same(values_of(fresh, begin), {path: before[path] for path in values_of(fresh, begin)})


def test_several_parts(model, saved, card):
    restored = build_detector("arcformer_test", size=card.size, weights=saved, parts=("stem", "encoder"))
    assert same(values_of(restored, "encoder_"), values_of(model, "encoder_"))
    assert not same(values_of(restored, "head_"), values_of(model, "head_"))


def test_stem_goes_into_a_detector_of_another_size(model, saved):
    restored = build_detector("arcformer_test", size=65, weights=saved, parts="stem")
    assert same(values_of(restored, "stem_"), values_of(model, "stem_"))


def test_names_of_both_sides_are_listed(saved, model, card):
    before = values_of(model)
    x = model.get_layer("stem_stage_1_relu").output
    x = keras.layers.Conv2D(3, 1, name="stem_new")(x)
    other = keras.Model(model.input, keras.layers.Dense(1, name="logit")(keras.layers.Flatten(name="embedding")(x)))
    with pytest.raises(ArtifactError) as caught:
        restore(other, saved)
    message = str(caught.value)
    assert "missing: stem_new/bias, stem_new/kernel; not in the detector: encoder_block_1_attention" in message
    assert "stem_stage_2_conv/kernel" in message
    assert "of another shape: logit/kernel (8, 1) for" in message
    assert message.endswith("build it with the spec, bands and size of the card, or restore fewer parts")
    assert same(before, values_of(model))


def test_other_bands_have_other_shapes(saved, card):
    model = build_detector("arcformer_test", ("g", "r", "i"), size=card.size)
    with pytest.raises(
        ArtifactError, match=r"built \(stem\); of another shape: stem_stage_1_conv/kernel \(5, 5, \d, 8\) for \(5"
    ):
        restore(model, saved, parts="stem")


def test_bands_of_the_card_are_taken(card, tmp_path):
    bands = card.bands[1:]
    model = build_detector("arcformer_test", bands, size=card.size)
    folder = save_detector(model, tmp_path / "1", card=dataclasses.replace(card, bands=bands, calibration=()))
    assert build_detector("arcformer_test", size=card.size, weights=folder).input_shape[-1] == 3
    with pytest.raises(ArtifactError, match="of another shape"):
        build_detector("arcformer_test", size=card.size, weights=folder, parts="stem")


def test_unknown_part(saved, model):
    with pytest.raises(InputError, match="unknown part 'sten': did you mean stem"):
        restore(model, saved, parts="sten")


def test_nothing_to_restore(saved):
    cutouts = keras.Input((33, 33, 4), name="cutouts")
    model = keras.Model(cutouts, keras.layers.Flatten(name="embedding")(cutouts))
    with pytest.raises(ArtifactError, match="not in the detector: encoder_"):
        restore(model, saved, parts="encoder")
