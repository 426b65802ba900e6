"""Fronts of the published systems, against their formulas in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.network import ConvRow, ConvStem, DetectorSpec, FlattenHead, PeakFront, StandardFront, build_detector
from lensdetect.network.activations import standardised_relu
from lensdetect.survey import SURVEYS

SHAPE = (3, 6, 6, 4)


def scaled(front, cutouts, *, bands=None) -> np.ndarray:
    spec = DetectorSpec(ConvStem((ConvRow(2),)), None, FlattenHead(), front)
    model = build_detector(spec, bands, size=cutouts.shape[1])
    return np.asarray(model.get_layer("front_scaling")(cutouts))


@pytest.fixture
def cutouts(rng) -> np.ndarray:
    return rng.normal(0, 5e-11, SHAPE).astype(np.float32)


def test_standard_front_is_mean_and_deviation_in_the_published_order(cutouts):
    cutouts[0, 1, 2, 3] = np.nan
    # Bands come as u, g, r, i and leave as r, i, g, u.
    expected = (np.nan_to_num(cutouts)[..., [2, 3, 1, 0]] - 1.685e-12) / 5.122e-11
    np.testing.assert_allclose(scaled(StandardFront(), cutouts), expected, atol=1e-5)


def test_standard_front_in_another_flux_unit(cutouts):
    # DES counts in units of zero point 30: 10^12 of them are one of zero point 0.
    des = SURVEYS["bologna"].bands
    from dataclasses import replace

    bands = tuple(replace(band, zero_point_mag=30.0, noise_sigma=band.noise_sigma * 1e12) for band in des)
    found = scaled(StandardFront(), cutouts * np.float32(1e12), bands=bands)
    np.testing.assert_allclose(found, scaled(StandardFront(), cutouts), rtol=1e-5, atol=1e-6)


def test_peak_front_is_the_root_of_flux_over_its_peak(cutouts):
    cutouts[1, 2, 2, :] = np.nan
    cutouts[2, 0, 0, 0] = np.inf
    positive = np.where(np.isfinite(cutouts), np.clip(cutouts, 0, None), 0)
    expected = np.sqrt(positive / positive.max(axis=(1, 2, 3), keepdims=True))
    found = scaled(PeakFront(), cutouts)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.max(axis=(1, 2, 3)) == pytest.approx(1)


def test_peak_front_of_nothing_is_nothing():
    cutouts = np.full(SHAPE, np.nan, np.float32)
    cutouts[1], cutouts[2] = -1e-11, 0
    np.testing.assert_array_equal(scaled(PeakFront(), cutouts), 0)


@pytest.mark.parametrize("front", [StandardFront(), PeakFront()])
def test_values_beyond_all_light_stay_finite(front):
    cutouts = np.full(SHAPE, 1e30, np.float32)
    cutouts[1] *= -1
    assert np.isfinite(scaled(front, cutouts)).all()


def test_standard_front_names_bands_that_it_lacks(cutouts):
    with pytest.raises(InputError, match="takes the bands r, g, got i, u: give StandardFront another band_order"):
        scaled(StandardFront(band_order=("r", "g")), cutouts)


def test_standardised_relu_keeps_mean_and_variance(rng):
    found = np.asarray(standardised_relu(rng.normal(size=200_000)))
    # Three standard deviations of the mean, and of the variance.
    assert found.mean() == pytest.approx(0, abs=0.007)
    assert found.var() == pytest.approx(1, abs=0.02)
