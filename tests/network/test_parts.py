"""Parts of the published systems: stems, encoders and heads, and branches that merge."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.network import (
    BottleneckStem,
    Branch,
    ConvRow,
    ConvStem,
    DenseRow,
    DetectorSpec,
    DihedralHead,
    EfficientNetStem,
    FlattenHead,
    MergedSpec,
    PeakFront,
    PublishedEncoder,
    PublishedFront,
    PublishedHead,
    ResNetStem,
    StandardFront,
    build_detector,
)

SMALL_STEM = ConvStem((ConvRow(4, kernel=5, pool=True), ConvRow(4, pool=True)), l2=0.0)
SKIP_STEM = ConvStem(
    (ConvRow(4, kernel=2), ConvRow(4, convolutions=2, skip=True), ConvRow(6, convolutions=3, skip=True, pool=True)),
    activation="standardised_relu",
    initializer="lecun_normal",
    trained_pool=True,
)
DIHEDRAL = DetectorSpec(
    ConvStem((ConvRow(1, kernel=4), ConvRow(2, kernel=30)), dihedral=True), None, DihedralHead(), StandardFront()
)
MERGED = MergedSpec(
    (
        Branch(SMALL_STEM, PublishedEncoder((2,), num_heads=2, key_dim=4, mlp_dim=8), PublishedHead((6,))),
        Branch(ConvStem((ConvRow(3, kernel=9),), crop_pix=11), None, FlattenHead((DenseRow(5, batch_norm=True),))),
    ),
    PublishedFront(),
    units=(4,),
)
SPECS = {
    "skip": DetectorSpec(SKIP_STEM, None, FlattenHead((DenseRow(3, dropout=0.5),), mean_pool_pix=3), StandardFront()),
    "bottleneck": DetectorSpec(BottleneckStem(8, 5, (2, 4), blocks=2), None, FlattenHead(), PublishedFront()),
    "resnet": DetectorSpec(ResNetStem((4, 8), blocks=2), None, PublishedHead(()), PeakFront()),
    "efficientnet": DetectorSpec(EfficientNetStem(), None, PublishedHead(()), PeakFront()),
    "dihedral": DIHEDRAL,
    "merged": MERGED,
}


def cutouts(rng, *, num: int = 2) -> np.ndarray:
    drawn = rng.normal(0, 1e-10, (num, 33, 33, 4)).astype(np.float32)
    drawn[0, 3:5] = np.nan
    return drawn


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "efficientnet" else name for name in SPECS]
)
def test_model_survives_its_config(name, rng):
    model = build_detector(SPECS[name], size=33)
    twin = keras.Model.from_config(model.get_config())
    assert [variable.path for variable in twin.weights] == [variable.path for variable in model.weights]
    twin.set_weights(model.get_weights())
    stamps = cutouts(rng)
    np.testing.assert_array_equal(np.asarray(twin(stamps)), np.asarray(model(stamps)))


def test_any_stem_tells_bad_pixels_from_dark_ones(rng):
    # With a front that marks bad pixels, which the published ones do not.
    missing = cutouts(rng, num=1)
    dark = missing.copy()
    missing[..., 0], dark[..., 0] = np.nan, 0.0
    for stem in (SMALL_STEM, BottleneckStem(8, 5, (2,), blocks=1), ResNetStem((8,), blocks=1)):
        model = build_detector(DetectorSpec(stem, None, PublishedHead(())), size=33)
        assert abs(float(np.asarray(model(missing) - model(dark))[0, 0])) > 1e-6


def test_skip_adds_the_middle_of_the_input(rng):
    stem = ConvStem((ConvRow(1, kernel=1, batch_norm=False), ConvRow(1, convolutions=2, skip=True, batch_norm=False)))
    model = build_detector(DetectorSpec(stem, None, FlattenHead(), PublishedFront()), ("r",), size=9)
    weights = {variable.path: variable for variable in model.weights}
    for path in ("stem_conv_2_1/kernel", "stem_conv_2_2/kernel"):
        weights[path].assign(np.zeros(weights[path].shape))
    weights["stem_conv_1/kernel"].assign(np.ones((1, 1, 1, 1)))
    stamp = abs(rng.normal(0, 1e-11, (1, 9, 9, 1))).astype(np.float32)
    grid = keras.Model(model.input, model.get_layer("stem_conv_2_activation").output)
    # ELU leaves what is positive; half of the variance of the sum is the skip's.
    expected = np.sqrt(0.5) * stamp[:, 2:-2, 2:-2] * 1e11
    np.testing.assert_allclose(np.asarray(grid(stamp)), expected, rtol=1e-5)


def test_skip_of_the_encoder_jumps_over_all_attentions(rng):
    stamps = cutouts(rng)
    changes = []
    for skip_attention in (True, False):
        encoder = PublishedEncoder((1, 1), num_heads=2, key_dim=4, mlp_dim=8, skip_attention=skip_attention)
        model = build_detector(DetectorSpec(SMALL_STEM, encoder, PublishedHead(()), PublishedFront()), size=33)
        for variable in model.get_layer("encoder_mlp_2").weights:
            variable.assign(np.zeros(variable.shape))
        tokens = keras.Model(model.input, model.get_layer("encoder_norm").output)
        before = np.asarray(tokens(stamps))
        attention = model.get_layer("encoder_group_1_attention_1")
        attention.set_weights([2 * weight + 0.1 for weight in attention.get_weights()])
        changes.append(np.abs(np.asarray(tokens(stamps)) - before).max())
    assert changes[0] == 0
    assert changes[1] > 1e-3


def test_branches_share_nothing_and_are_named_apart():
    model = build_detector(MERGED, size=33)
    assert model.get_layer("embedding").output.shape == (None, 4 + 3 * 3 * 3)
    names = {layer.name for layer in model.layers}
    assert {
        "stem_a_conv_1",
        "stem_b_crop",
        "encoder_a_norm",
        "head_a_dense_1",
        "head_b_norm_1",
        "head_merge_1",
    } <= names
    assert model.get_layer("stem_b_crop").output.shape == (None, 11, 11, 4)


def test_each_branch_looks_at_its_own_pixels(rng):
    model = build_detector(MERGED, size=33)
    outputs = keras.Model(model.input, [model.get_layer(f"head_{letter}_output").output for letter in "ab"])
    stamps = cutouts(rng)
    edge_changed = stamps.copy()
    edge_changed[:, :10] += np.float32(1e-9)
    (whole, middle), (whole_after, middle_after) = outputs(stamps), outputs(edge_changed)
    assert np.abs(np.asarray(whole) - np.asarray(whole_after)).max() > 1e-6
    np.testing.assert_array_equal(np.asarray(middle), np.asarray(middle_after))


def test_bottleneck_stem_has_its_layers():
    model = build_detector(DetectorSpec(BottleneckStem(), None, FlattenHead(), PublishedFront()), size=17)
    convolutions = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    on_the_way = [name for name in convolutions if not name.endswith("shortcut")]
    assert len(on_the_way) == 46
    assert len(convolutions) == 46 + 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConvRow(8, padding="full"), "padding of a ConvRow must be valid or same, got full"),
        (lambda: ConvRow(8, padding="same", skip=True), "must not be padded, got padding same"),
        (lambda: EfficientNetStem("B9"), "must be B0 to B7, got B9"),
        (lambda: MergedSpec(MERGED.branches[:1]), "needs 2 to 26 branches, got 1"),
    ],
)
def test_parts_that_cannot_be(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_crop_needs_an_image_as_large():
    stem = ConvStem((ConvRow(2),), crop_pix=45)
    with pytest.raises(InputError, match="needs cutouts of at least 45 pixels, got 33"):
        build_detector(DetectorSpec(stem, None, FlattenHead(), PublishedFront()), size=33)
