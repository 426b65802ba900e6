"""Preprocessing and positions, against numpy and numbers done by hand."""

from __future__ import annotations

import dataclasses
import math

import keras
import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.network import (
    DetectorSpec,
    PublishedEncoder,
    PublishedFront,
    PublishedHead,
    ResidualStem,
    Stage,
    build_detector,
)
from lensdetect.network.layers import (
    AddPositions,
    AsinhStretch,
    BadPixels,
    PooledShare,
    PublishedScaling,
    grid_positions,
    published_positions,
)
from lensdetect.survey import SURVEYS

BANDS = SURVEYS["bologna"].bands
# The published preprocessing, and next to nothing behind it.
PUBLISHED = DetectorSpec(ResidualStem((Stage(8, stride=8),)), PublishedEncoder(()), PublishedHead(()), PublishedFront())


def front(detector: keras.Model, layer: str, cutouts: np.ndarray) -> np.ndarray:
    return np.asarray(detector.get_layer(layer)(cutouts))


@pytest.fixture(scope="module")
def published() -> keras.Model:
    return build_detector(PUBLISHED, size=9)


def test_published_front_orders_bands_r_i_g_u(published):
    flux = np.broadcast_to(np.float32([1e-12, 2e-12, 3e-12, 4e-12]), (1, 9, 9, 4))
    scaled = front(published, "front_scaling", flux)
    # u, g, r, i come in; 1e-9 is 100.
    np.testing.assert_allclose(scaled[0, 0, 0], [0.3, 0.4, 0.2, 0.1], rtol=1e-6)


def test_published_front_leaves_out_the_bands_it_lacks():
    detector = build_detector(PUBLISHED, ("g", "r"), size=9)
    flux = np.broadcast_to(np.float32([1e-12, 2e-12]), (1, 9, 9, 2))
    np.testing.assert_allclose(front(detector, "front_scaling", flux)[0, 0, 0], [0.2, 0.1], rtol=1e-6)


def test_published_front_clips_and_makes_bad_pixels_zero(published):
    flux = np.zeros((1, 9, 9, 4), np.float32)
    flux[0, 0, :6, 2] = [2e-9, -2e-9, np.nan, np.inf, -np.inf, 100.0]
    np.testing.assert_array_equal(front(published, "front_scaling", flux)[0, 0, :6, 0], [100, -100, 0, 0, 0, 100])


def test_published_front_knows_zero_points():
    bands = tuple(dataclasses.replace(band, zero_point_mag=30.0) for band in BANDS)
    detector = build_detector(PUBLISHED, bands, size=9)
    # The same light in units of zero point 30 is 1e12 times the number.
    flux = np.broadcast_to(np.float32([1, 2, 3, 4]), (1, 9, 9, 4))
    np.testing.assert_allclose(front(detector, "front_scaling", flux)[0, 0, 0], [0.3, 0.4, 0.2, 0.1], rtol=1e-5)


def test_published_front_with_numbers_of_its_own():
    spec = PublishedFront(band_order=("u", "g", "r", "i"), clip_flux=1e-11, scale=2.0)
    layer = PublishedScaling([0, 1, 2, 3], [spec.clip_flux] * 4, spec.scale)
    np.testing.assert_allclose(np.asarray(layer(np.float32([[[[5e-12, -1e-11, 1e-9, 0]]]])))[0, 0, 0], [1, -2, 2, 0])


def test_asinh_is_that_of_numpy(rng):
    sigma = [band.noise_sigma for band in BANDS]
    # From far below the sky to the brightest star.
    per_sigma = np.concatenate([rng.uniform(-20, 5, 5000), 10 ** rng.uniform(-6, 9, 5000)])
    cutouts = (per_sigma.reshape(1, 50, 50, 4) * sigma).astype(np.float32)
    found = np.asarray(AsinhStretch(sigma)(cutouts))
    expected = np.arcsinh(cutouts.astype(np.float64) / sigma)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    bright = expected > 0
    np.testing.assert_allclose(found[bright], expected[bright], rtol=1e-5, atol=1e-6)


def test_asinh_bounds_what_is_no_light():
    found = np.asarray(AsinhStretch([1e-12])(np.float32([[[[-1.0], [-1e30], [1e30], [100.0]]]])))[0, 0, :, 0]
    np.testing.assert_allclose(found, np.arcsinh([-20, -20, 1e9, 1e9]), atol=1e-4)


def test_bad_pixels_are_zero_and_marked():
    cutouts = np.float32([[[[0.0], [np.nan], [np.inf], [-np.inf], [1e-12]]]])
    stretched = np.asarray(AsinhStretch([1e-12])(cutouts))[0, 0, :, 0]
    np.testing.assert_allclose(stretched, [0, 0, 0, 0, math.asinh(1)], atol=1e-6)
    np.testing.assert_array_equal(np.asarray(BadPixels()(cutouts))[0, 0, :, 0], [0, 1, 1, 1, 0])


@pytest.mark.parametrize(
    "layer", [PublishedScaling([1, 0], [1e-9, 2e-9], 100.0), AsinhStretch([1e-12]), BadPixels(name="front_bad_pixels")]
)
def test_preprocessing_is_float32_under_any_policy(layer):
    config = layer.get_config()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        twin = type(layer).from_config(config)
        fresh = type(layer)(**{key: value for key, value in config.items() if key not in {"dtype", "trainable"}})
    finally:
        keras.config.set_dtype_policy("float32")
    assert (twin.compute_dtype, fresh.compute_dtype) == ("float32", "float32")
    assert twin.get_config() == config


def test_share_of_a_cell_counts_the_pixels_that_are_there():
    bad = np.zeros((1, 7, 8, 1), np.float32)
    bad[0, 3, 0], bad[0, 6, 7] = 1, 1
    # Seven rows in cells of three: one is missing above, one below; of eight columns one, below.
    expected = [[0, 0, 0], [1 / 9, 0, 0], [0, 0, 1 / 4]]
    np.testing.assert_allclose(PooledShare(3)(bad)[0, ..., 0], expected, rtol=1e-6)
    copy = PooledShare.from_config(PooledShare(3).get_config())
    np.testing.assert_allclose(copy(bad), keras.layers.AveragePooling2D(3, padding="same")(bad), rtol=1e-6)


def test_published_positions_by_hand():
    code = published_positions(25, 128)
    assert code.shape == (25, 128)
    # Even positions are sines, odd ones cosines, whatever the feature.
    np.testing.assert_array_equal(code[0], np.zeros(128))
    np.testing.assert_allclose(code[1, :2], np.cos(1.0), rtol=1e-6)
    np.testing.assert_allclose(code[2, :2], np.sin(2.0), rtol=1e-6)
    np.testing.assert_allclose(code[3, [6, 7]], math.cos(3 / 12800 ** (6 / 128)), rtol=1e-6)
    np.testing.assert_allclose(code[24, 127], math.sin(24 / 12800 ** (126 / 128)), rtol=1e-6)


def test_published_positions_are_not_the_standard_ones():
    angle = np.arange(25)[:, None] / 10000.0 ** (2 * (np.arange(128) // 2) / 128)
    standard = np.where(np.arange(128) % 2, np.cos(angle), np.sin(angle))
    assert np.abs(published_positions(25, 128) - standard).max() > 0.5


def test_grid_positions_by_hand():
    code = grid_positions(3, 5, 8).reshape(3, 5, 8)
    # Rows -1, 0, 1 and columns -2 ... 2 from the middle; 1 and 1/100 radian a cell.
    np.testing.assert_allclose(code[1, 2], [0, 0, 1, 1, 0, 0, 1, 1], atol=1e-7)
    expected = [np.sin([1, 0.01]), np.cos([1, 0.01]), np.sin([-2, -0.02]), np.cos([-2, -0.02])]
    np.testing.assert_allclose(code[2, 0], np.concatenate(expected), rtol=1e-6)


def test_grid_positions_tell_all_cells_apart():
    code = grid_positions(7, 7, 96)
    distance = np.linalg.norm(code[:, None] - code[None], axis=-1) + 9 * np.eye(49)
    assert distance.min() > 0.3


def test_grid_positions_need_a_multiple_of_four():
    with pytest.raises(InputError, match="multiple of 4, got 6"):
        grid_positions(3, 3, 6)


def test_positions_are_added_to_scaled_tokens():
    code = np.arange(6.0).reshape(3, 2)
    layer = AddPositions(code, factor=2.0)
    np.testing.assert_array_equal(np.asarray(layer(np.ones((1, 3, 2), np.float32)))[0], code + 2)
    twin = AddPositions.from_config(layer.get_config())
    np.testing.assert_array_equal(np.asarray(twin(np.ones((1, 3, 2), np.float32)))[0], code + 2)
