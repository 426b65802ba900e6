"""Every row of the zoo, custom specs, and what a detector promises."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest

import lensdetect.network
from lensdetect.errors import InputError
from lensdetect.network import (
    DETECTORS,
    AsinhFront,
    AttentionPoolHead,
    ConvRow,
    ConvStem,
    DetectorSpec,
    MeasuredFront,
    PreNormEncoder,
    PublishedEncoder,
    PublishedFront,
    PublishedHead,
    ResidualStem,
    Stage,
    attention_maps,
    build_detector,
    get_spec,
)
from lensdetect.survey import SURVEYS

# All parameters, and those that are trained: without the moving averages.
PARAMETERS = {
    "lens_detector_15": (3_194_849, 3_193_889),
    "arcformer_small": (392_257, 391_585),
    "arcformer_test": (8_705, 8_593),
}
NOISE_SIGMA = np.asarray([band.noise_sigma for band in SURVEYS["bologna"].bands])


def count(variables) -> int:
    return sum(int(np.prod(variable.shape)) for variable in variables)


def sky(rng, num: int, *, size: int, bands: slice = slice(None)) -> np.ndarray:
    """Noise with a bright galaxy in the middle, in raw flux."""
    noise_sigma = NOISE_SIGMA[bands]
    y, x = np.mgrid[:size, :size] - size // 2
    light = 3e-10 * np.exp(-(x**2 + y**2) / 20.0)[..., None]
    return (light + rng.normal(0, noise_sigma, (num, size, size, len(noise_sigma)))).astype(np.float32)


def run(model: keras.Model, cutouts: np.ndarray) -> np.ndarray:
    return np.asarray(model(cutouts, training=False))


@cache
def shared(name: str, *, size: int = 101) -> keras.Model:
    """A detector that no test changes."""
    keras.utils.set_random_seed(3)
    return build_detector(name, size=size)


@pytest.fixture
def detector() -> keras.Model:
    return shared("arcformer_test", size=33)


@pytest.mark.parametrize("name", PARAMETERS)
def test_row_builds_as_expected(name):
    model = shared(name)
    assert (model.count_params(), count(model.trainable_weights)) == PARAMETERS[name]
    assert model.input_shape == (None, 101, 101, 4)
    assert model.output_shape == (None, 1)
    assert model.output.dtype == "float32"
    assert model.name == name


@pytest.mark.parametrize("name", PARAMETERS)
def test_layer_names_say_where_they_belong(name):
    # They are the keys of saved weights, and say what "stem" restores.
    names = [layer.name for layer in shared(name).layers]
    begins = ("front_", "stem_", "encoder_", "head_")
    others = [layer for layer in names if not layer.startswith(begins)]
    assert sorted(others) == ["cutouts", "embedding", "logit"]
    assert len(set(names)) == len(names)


def test_small_detector_is_small():
    assert PARAMETERS["arcformer_small"][0] <= 1_000_000


@pytest.mark.parametrize("bands", [("r",), ("g", "r", "i"), ("i", "u"), None])
def test_any_bands(bands, rng):
    model = build_detector("arcformer_test", bands, size=33)
    num = 4 if bands is None else len(bands)
    logit = run(model, sky(rng, 3, size=33, bands=slice(num)))
    assert logit.shape == (3, 1)
    assert logit.dtype == np.float32
    assert np.isfinite(logit).all()


def test_published_detector_of_three_bands_differs_in_its_first_convolution_alone():
    three = build_detector("lens_detector_15", ("g", "r", "i"))
    assert PARAMETERS["lens_detector_15"][0] - three.count_params() == 4 * 4 * 16


def test_bands_may_be_rows_of_another_survey(rng):
    kids, bologna = (build_detector("arcformer_test", SURVEYS[name].bands, size=33) for name in ("kids", "bologna"))
    kids.set_weights(bologna.get_weights())
    cutouts = sky(rng, 2, size=33)
    ratio = np.asarray([band.noise_sigma for band in SURVEYS["kids"].bands]) / NOISE_SIGMA
    # The same stamp in units of the noise is the same to the network.
    np.testing.assert_allclose(run(kids, (cutouts * ratio).astype(np.float32)), run(bologna, cutouts), rtol=1e-4)


@pytest.mark.parametrize("num", [1, 5])
def test_all_but_one_value_may_be_bad(detector, rng, num):
    cutouts = np.full((num, 33, 33, 4), np.nan, np.float32)
    cutouts[:, 5, 7, 2] = 1e-11
    assert np.isfinite(run(detector, cutouts)).all()


@pytest.mark.parametrize("name", ["arcformer_test", "arcformer_small"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_pixels_do_not_leak(name, bad, rng):
    model = shared(name, size=33)
    cutouts = sky(rng, 4, size=33)
    clean = run(model, cutouts)
    cutouts[0] = bad
    cutouts[1, ..., 1] = bad
    cutouts[2][rng.random((33, 33, 4)) < 0.3] = bad
    logit = run(model, cutouts)
    assert np.isfinite(logit).all()
    np.testing.assert_allclose(logit[3], clean[3], rtol=1e-5)


def test_all_bad_values_are_the_same(detector, rng):
    cutouts = sky(rng, 1, size=33)
    logits = []
    for bad in (np.nan, np.inf, -np.inf):
        cutouts[:, 3:9, 4:20, 1] = bad
        logits.append(float(run(detector, cutouts)[0, 0]))
    assert len(set(logits)) == 1


def test_missing_band_is_not_a_band_without_flux(detector, rng):
    missing = sky(rng, 1, size=33)
    dark = missing.copy()
    missing[..., 0], dark[..., 0] = np.nan, 0.0
    assert abs(float((run(detector, missing) - run(detector, dark))[0, 0])) > 1e-5


def test_values_beyond_all_light_stay_finite(detector):
    # Some images mark bad pixels by 1e30, and nobody said so.
    cutouts = np.full((2, 33, 33, 4), 1e30, np.float32)
    cutouts[1] *= -1
    assert np.isfinite(run(detector, cutouts)).all()


def test_attention_maps_of_every_block(rng):
    spec = DetectorSpec(
        ResidualStem((Stage(8, kernel=5, stride=8),)), PreNormEncoder(2, 4, 16), AttentionPoolHead((4,)), AsinhFront()
    )
    maps = attention_maps(build_detector(spec, size=33))(sky(rng, 3, size=33))
    assert list(maps) == ["encoder_block_1_attention", "encoder_block_2_attention"]
    for weights in map(np.asarray, maps.values()):
        assert weights.shape == (3, 4, 25, 25)
        assert (weights >= 0).all()
        np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)


def test_attention_maps_of_the_published_detector():
    maps = attention_maps(shared("lens_detector_15")).output
    assert {name: weights.shape for name, weights in maps.items()} == {
        f"encoder_group_{group}_attention_{branch}": (None, 8, 25, 25) for group in (1, 2) for branch in (1, 2)
    }


def test_attention_maps_need_attention():
    spec = DetectorSpec(ResidualStem((Stage(8, stride=8),)), PublishedEncoder(()), AttentionPoolHead())
    with pytest.raises(InputError, match="attention weights need a detector with encoder blocks, custom_detector"):
        attention_maps(build_detector(spec, size=33))


FRONTS = [AsinhFront(), MeasuredFront(), PublishedFront()]
STEMS = [
    ResidualStem((Stage(8, kernel=5, stride=4), Stage(8, stride=2, blocks=1))),
    ConvStem((ConvRow(8, kernel=4, pool=True), ConvRow(8, pool=True, dropout=0.5)), l2=0.0),
]
ENCODERS = [PreNormEncoder(1, 2, 16), PublishedEncoder((2, 1), num_heads=2, key_dim=4, mlp_dim=16)]
HEADS = [AttentionPoolHead((4,)), PublishedHead((8, 4)), AttentionPoolHead(())]


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("head", HEADS)
def test_any_combination_of_parts_builds(front, stem, encoder, head):
    model = build_detector(DetectorSpec(stem, encoder, head, front), size=33)
    assert model.name == "custom_detector"
    cutouts = np.full((2, 33, 33, 4), np.nan, np.float32)
    cutouts[1] = 1e-11
    assert np.isfinite(model(cutouts)).all()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_faint_flux_and_a_float32_logit(policy, rng):
    plain = shared("arcformer_test", size=33)
    keras.config.set_dtype_policy(policy)
    try:
        mixed = build_detector("arcformer_test", size=33)
    finally:
        keras.config.set_dtype_policy("float32")
    assert mixed.get_layer("stem_stage_1_conv").compute_dtype == policy.removeprefix("mixed_")
    mixed.set_weights(plain.get_weights())
    cutouts = sky(rng, 4, size=33)
    logit = run(mixed, cutouts)
    assert logit.dtype == np.float32
    # 1e-11 is 0 in float16: the front must have scaled it before.
    np.testing.assert_allclose(logit, run(plain, cutouts), atol=0.05)
    assert np.isfinite(run(mixed, np.full((1, 33, 33, 4), 1e-11, np.float32))).all()


@pytest.mark.parametrize("spec", ["arcformer_test", DetectorSpec(STEMS[1], ENCODERS[1], HEADS[1], PublishedFront())])
def test_is_a_plain_functional_model_that_survives_its_config(spec, rng):
    model = build_detector(spec, size=33)
    assert type(model).__name__ == "Functional"
    twin = keras.Model.from_config(model.get_config())
    assert [variable.path for variable in twin.weights] == [variable.path for variable in model.weights]
    twin.set_weights(model.get_weights())
    cutouts = sky(rng, 2, size=33)
    cutouts[0, ..., 1] = np.nan
    np.testing.assert_array_equal(run(twin, cutouts), run(model, cutouts))


def test_spec_is_returned_as_it_is():
    assert get_spec(DETECTORS["arcformer_test"]) is DETECTORS["arcformer_test"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("arcformer_smal",), "unknown detector 'arcformer_smal': did you mean arcformer_small"),
        (("arcformer_test", ("r", "z")), "unknown band of survey bologna 'z': did you mean"),
        (("arcformer_test", ("r", "g", "r")), r"each only once, got \['r', 'g', 'r'\]"),
        (("arcformer_test", ()), r"at least one band .* got \[\]"),
        ((DetectorSpec(STEMS[0], PreNormEncoder(1, 3, 16), HEADS[0]),), "the 3 heads must share .* got a width of 8"),
        (
            (DetectorSpec(ResidualStem((Stage(6, stride=8),)), PreNormEncoder(1, 3), HEADS[0]),),
            "multiple of 4, got 6",
        ),
        ((DetectorSpec(HEADS[0], ENCODERS[0], HEADS[0]),), "stem must be ConvStem, .* got AttentionPoolHead"),
        ((DetectorSpec(STEMS[0], HEADS[0], HEADS[0]),), "encoder must be PublishedEncoder .* got AttentionPoolHead"),
        ((DetectorSpec(STEMS[0], ENCODERS[0], STEMS[0]),), "head must be PublishedHead, .* got ResidualStem"),
        ((DetectorSpec(STEMS[0], ENCODERS[0], HEADS[0], HEADS[0]),), "front must be PublishedFront, .* got Attention"),
        (
            (DetectorSpec(STEMS[0], ENCODERS[0], HEADS[0], PublishedFront(("r", "g"))),),
            "takes the bands r, g, got i, u: give PublishedFront another band_order",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(arguments, message):
    with pytest.raises(InputError, match=message):
        build_detector(*arguments, size=33)


@pytest.mark.parametrize(("size", "fits"), [(69, True), (68, False), (33, False)])
def test_smallest_cutout_of_the_published_detector(size, fits):
    if fits:
        assert build_detector("lens_detector_15", size=size).get_layer("encoder_tokens").output.shape == (None, 1, 128)
        return
    with pytest.raises(InputError, match=f"needs cutouts of at least 69 pixels, got {size}"):
        build_detector("lens_detector_15", size=size)


def test_size_must_be_one():
    with pytest.raises(InputError, match="at least one pixel, got a size of 0"):
        build_detector("arcformer_test", size=0)


def test_network_needs_keras_alone():
    # So that it also trains under Keras's other backends.
    folder = Path(lensdetect.network.__file__).parent
    imported = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
    assert "keras" in imported
    assert not imported & {"tensorflow", "jax", "torch", "tf_keras"}
