"""Sky and noise measured in the cutout itself."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from lensdetect.network import DetectorSpec, MeasuredFront, build_detector, get_spec
from lensdetect.network.measuring import MeasuredStretch, measure_sky, smooth_light


def noise(rng, sigma, *, sky=0.0, count=4, size=101) -> np.ndarray:
    return (sky + sigma * rng.standard_normal((count, size, size, len(np.atleast_1d(sigma))))).astype(np.float32)


def measured(cutouts) -> tuple[np.ndarray, np.ndarray]:
    return tuple(keras.ops.convert_to_numpy(part) for part in measure_sky(cutouts))


def test_sky_and_noise_of_each_plane_are_measured(rng):
    sigma, sky = np.array([1e-12, 3.0, 200.0, 1.0]), np.array([0.0, 100.0, -500.0, 0.0])
    found_sky, found_sigma = measured(noise(rng, sigma, sky=sky, count=20))
    assert found_sky.shape == found_sigma.shape == (20, 1, 1, 4)
    np.testing.assert_allclose(found_sigma.mean(axis=(0, 1, 2)), sigma, rtol=0.03)
    np.testing.assert_allclose((found_sky.mean(axis=(0, 1, 2)) - sky) / sigma, 0.0, atol=0.06)


def test_quantiles_are_those_of_numpy(rng):
    cutouts = noise(rng, 2.0)
    cutouts[rng.random(cutouts.shape) < 0.3] = np.nan
    low, high = np.nanquantile(cutouts[:, ::3, ::3], (0.10, 0.35), axis=(1, 2))
    sky, sigma = measured(cutouts)
    np.testing.assert_allclose(sigma[:, 0, 0], (high - low) / 0.896231, rtol=1e-4)
    np.testing.assert_allclose(sky[:, 0, 0], high + 0.385320 * sigma[:, 0, 0], atol=1e-4)


def test_bright_objects_hardly_change_what_is_measured(rng):
    cutouts = noise(rng, 1.0, count=20)
    crowded = cutouts.copy()
    crowded[:, 30:70, 20:60] += 500.0
    np.testing.assert_allclose(measured(crowded)[1].mean(), measured(cutouts)[1].mean(), rtol=0.12)


@pytest.mark.parametrize("value", [np.nan, 0.0, 7.0])
def test_a_plane_without_noise_becomes_zero(rng, value):
    cutouts = noise(rng, [1.0, 1.0], count=2)
    cutouts[..., 1] = value
    stretched = keras.ops.convert_to_numpy(MeasuredStretch()(cutouts))
    assert np.isfinite(stretched).all()
    assert (stretched[..., 1] == 0.0).all()
    assert stretched[..., 0].std() > 0.5


def test_one_good_pixel_is_no_trouble():
    cutouts = np.full((1, 33, 33, 1), np.nan, np.float32)
    cutouts[0, 0, 0] = 5.0
    assert (keras.ops.convert_to_numpy(MeasuredStretch()(cutouts)) == 0.0).all()


def test_unit_and_pedestal_do_not_change_the_logit(rng):
    model = build_detector("arcformer_small_measured")
    cutouts = noise(rng, [2.0, 1.0, 1.0, 3.0], count=2)
    cutouts[:, 40:60, 40:60] += 30.0
    logit = model.predict(cutouts, verbose=0)
    np.testing.assert_allclose(model.predict(cutouts * 1e-12, verbose=0), logit, atol=1e-3)
    np.testing.assert_allclose(model.predict(cutouts + 10.0, verbose=0), logit, atol=1e-3)


def test_one_scale_for_all_bands_keeps_their_colours(rng):
    survey = [2.0, 8.0]
    # twice as deep in one band and twice as noisy in the other: on the whole as the survey
    cutouts = noise(rng, [1.0, 16.0], count=4)
    cutouts[:, 40:60, 40:60] += np.float32([200.0, 800.0])
    stretched = keras.ops.convert_to_numpy(MeasuredStretch(noise_sigma=survey)(cutouts))
    source = np.sinh(stretched[:, 40:60, 40:60]).mean(axis=(1, 2))
    np.testing.assert_allclose(source, 100.0, rtol=0.1)


def test_a_missing_band_does_not_count_for_the_depth(rng):
    cutouts = noise(rng, [1.0, 3.0], count=4)
    cutouts[..., 0] = np.nan
    stretched = keras.ops.convert_to_numpy(MeasuredStretch(noise_sigma=[5.0, 1.0])(cutouts))
    np.testing.assert_array_equal(stretched[..., 0], 0.0)
    np.testing.assert_allclose(np.sinh(stretched[..., 1]).std(), 1.0, rtol=0.1)


def galaxy(*, axis_ratio=1.0, size=65) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size // 2
    return (1000.0 * np.exp(-np.hypot(x, y / axis_ratio) / 5.0)).astype(np.float32)[None, ..., None]


def light_of(images) -> np.ndarray:
    return keras.ops.convert_to_numpy(smooth_light(images))


@pytest.mark.parametrize("axis_ratio", [1.0, 0.4])
def test_a_galaxy_is_smooth_light_however_flat(axis_ratio):
    images = galaxy(axis_ratio=axis_ratio)
    np.testing.assert_allclose(light_of(images), images, rtol=1e-5)


def test_an_arc_and_a_ring_are_no_smooth_light():
    images = galaxy()
    y, x = np.mgrid[:65, :65] - 32
    arc = (np.abs(np.hypot(x, y) - 12) < 2) & (x > 4)
    ring = np.abs(np.hypot(x, y) - 24) < 2
    found = light_of(images + np.where(arc, 500.0, np.where(ring, 300.0, 0.0)).astype(np.float32)[None, ..., None])
    np.testing.assert_allclose(found[0, arc], images[0, arc], rtol=1e-5)
    # at most what the circle before it has
    assert found[0, ring].max() < 20.0


def test_a_saturated_core_does_not_make_the_galaxy_an_arc():
    images = galaxy()
    images[0, 31:34, 31:34] = 0.0
    np.testing.assert_allclose(light_of(images), images, rtol=1e-5)


def test_subtracted_planes_follow_the_others(rng):
    cutouts = noise(rng, [1.0, 2.0], count=2)
    cutouts[:, 40:60, 40:60] = np.nan
    once, twice = (keras.ops.convert_to_numpy(MeasuredStretch(subtract_light=own)(cutouts)) for own in (False, True))
    assert twice.shape == (2, 101, 101, 4)
    np.testing.assert_array_equal(twice[..., :2], once)
    assert (twice[..., 2:] >= 0.0).all()


def test_a_detector_with_subtracted_planes_is_one_of_a_spec(rng):
    small = get_spec("arcformer_test")
    model = build_detector(
        DetectorSpec(small.stem, small.encoder, small.head, MeasuredFront(subtract_light=True)), size=33
    )
    assert np.isfinite(model.predict(noise(rng, [1.0] * 4, size=33, count=2), verbose=0)).all()
