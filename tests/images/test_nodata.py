"""What holds no data is NaN, by one rule."""

from __future__ import annotations

import numpy as np
import pytest

from lensdetect.images.nodata import erase_no_data


@pytest.fixture
def planes(rng):
    return rng.normal(0.0, 1e-12, (3, 31, 31)).astype(np.float32)


def gone(planes) -> list[int]:
    return np.isnan(planes).sum(axis=(1, 2)).tolist()


def test_noise_is_kept(planes):
    before = planes.copy()
    erase_no_data(planes, masked_value=100.0)
    assert planes.tobytes() == before.tobytes()


def test_more_than_a_few_zeros_are_no_data(planes):
    planes[0, 0, :4] = 0.0
    planes[1, :, 20:] = 0.0
    planes[2] = 0.0
    erase_no_data(planes)
    assert gone(planes) == [0, 31 * 11, 31 * 31]


def test_a_plane_of_one_value_is_no_data(planes):
    planes[0], planes[1] = 3.0, -0.0
    planes[1, :5] = np.nan
    planes[2, 0, 0] = planes[2, 15, 15] = planes[2, -1, -1] = 1.0
    erase_no_data(planes)
    assert gone(planes) == [961, 961, 0]


def test_half_precision_that_became_zero_is_no_data(planes):
    half = planes.astype(np.float16).astype(np.float32)
    erase_no_data(half)
    assert np.isnan(half).all()


def test_whole_numbers_are_zero_by_chance(rng):
    counts = rng.poisson(2.0, (2, 31, 31)).astype(np.float32)
    before = counts.copy()
    erase_no_data(counts)
    np.testing.assert_array_equal(counts, before)


def test_the_masked_value_of_a_survey(planes):
    planes[1, 4, :7] = 100.0
    erase_no_data(planes, masked_value=100.0)
    assert gone(planes) == [0, 7, 0]
