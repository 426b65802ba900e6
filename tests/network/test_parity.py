"""Our ``lens_detector_15`` against numbers that the published network gave.

The authors' own network was given weights and input drawn as here, and its
probabilities written down.
"""

from __future__ import annotations

import keras
import numpy as np
import pytest

from lensdetect.network import build_detector

PROBABILITY = [0.9304304122924805, 0.9236559271812439, 0.9336336851119995, 0.9121747612953186]
TOLERANCE = 2e-5

CONVOLUTIONS = [(4, 4, 4, 16), (3, 3, 16, 16), (3, 3, 16, 32), (3, 3, 32, 32)] + [
    (3, 3, *features) for features in ((32, 64), (64, 64), (64, 128), (128, 128))
]


def published_variables() -> list[tuple[str, tuple[int, ...]]]:
    """Last part of the name and shape of every variable, in the order of the drawing."""
    found = []
    for shape in CONVOLUTIONS:
        features = shape[-1:]
        found += [("kernel", shape), ("bias", features)]
        found += [(name, features) for name in ("gamma", "beta", "moving_mean", "moving_variance")]
    for _ in range(4):
        found += [("kernel", (128, 8, 128)), ("bias", (8, 128))] * 3 + [("kernel", (8, 128, 128)), ("bias", (128,))]
    found += [("kernel", (128, 256)), ("bias", (256,)), ("kernel", (256, 128)), ("bias", (128,))]
    found += [("gamma", (128,)), ("beta", (128,))]
    for before, after in ((128, 1024), (1024, 512), (512, 128), (128, 1)):
        found += [("kernel", (before, after)), ("bias", (after,))]
    return found


def draw(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    drawn = rng.standard_normal(shape)
    if name == "kernel":
        return 1.5 * drawn / np.sqrt(np.prod(shape[:-1]))
    if name == "gamma":
        return 1 + 0.1 * drawn
    return 1 + np.abs(0.1 * drawn) if name == "moving_variance" else 0.1 * drawn


def build(policy: str) -> keras.Model:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = build_detector("lens_detector_15")
    finally:
        keras.config.set_dtype_policy(before)
    rng = np.random.default_rng(15)
    for variable in model.weights:
        variable.assign(draw(variable.path.split("/")[-1], tuple(variable.shape), rng))
    return model


@pytest.fixture(scope="module")
def detector() -> keras.Model:
    return build("float32")


@pytest.fixture(scope="module")
def precise() -> keras.Model:
    """The same, computing in float64 behind its front.

    With these weights the last bit of a float32 input moves the probability by
    up to 3e-5, and every CPU rounds sums in an order of its own. In float64 all
    machines agree, and what is left is the rounding of the published network.
    """
    return build("float64")


@pytest.fixture(scope="module")
def scaled() -> np.ndarray:
    """Input in the published units, bands in the published order R, I, G, U."""
    return np.random.default_rng(16).normal(0, 15, (4, 101, 101, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def raw(scaled) -> np.ndarray:
    """The same as flux, bands in the order u, g, r, i."""
    return (scaled / 100 * 1e-9)[..., ["rigu".index(band) for band in "ugri"]].astype(np.float32)


def probability(logit) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(logit, np.float64)[:, 0]))


def test_has_the_published_variables_in_order(detector):
    ours = [(variable.path.split("/")[-1], tuple(variable.shape)) for variable in detector.weights]
    assert ours == published_variables()


def test_network_agrees_behind_the_front(precise, scaled):
    behind = keras.Model(precise.get_layer("front_scaling").output, precise.output)
    found = probability(behind.predict_on_batch(scaled))
    np.testing.assert_allclose(found, PROBABILITY, rtol=0, atol=TOLERANCE)


def test_whole_detector_agrees_from_raw_flux(precise, raw):
    np.testing.assert_allclose(probability(precise.predict_on_batch(raw)), PROBABILITY, rtol=0, atol=TOLERANCE)


def test_float32_agrees_to_its_rounding(detector, raw):
    # 2e-5 on the CPUs at hand; a standard position code misses by 1e-3.
    np.testing.assert_allclose(probability(detector.predict_on_batch(raw)), PROBABILITY, rtol=0, atol=6e-5)


def test_bands_in_another_order_do_not_agree(detector, scaled):
    found = probability(detector.predict_on_batch((scaled / 100 * 1e-9).astype(np.float32)))
    assert np.abs(found - PROBABILITY).max() > 1e-3
