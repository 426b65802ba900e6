"""One flipped bit makes a pixel that no detector can have measured."""

from __future__ import annotations

import numpy as np
import pytest

from lensdetect import flags
from lensdetect.data import open_cutouts
from lensdetect.images.plausible import absurd


@pytest.fixture
def cutouts(rng):
    """Three cutouts of noise, with a galaxy a thousand times as bright, in the flux of the survey."""
    axis = np.arange(41) - 20
    galaxy = 1e-9 * np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / 4.0)
    return (rng.normal(0.0, 1e-12, (3, 41, 41, 4)) + galaxy[..., None]).astype(np.float32)


@pytest.mark.parametrize("value", [1e38, -1e38, 3e-3, 1e19])
@pytest.mark.parametrize("place", [(20, 20), (0, 3), (40, 40)])
def test_an_absurd_pixel_is_no_data_and_said(cutouts, bologna, value, place):
    expected = cutouts.copy()
    cutouts[1][*place, 2] = value
    source = open_cutouts(cutouts, survey=bologna, size=41)
    batch = source.read([0, 1, 2])
    assert [flags.names(value) for value in batch.flags] == [(), ("masked",), ()]
    assert batch.reasons[1] == "band r: 1 pixels beyond 1e+06 times the noise"
    expected[1][*place, 2] = np.nan
    np.testing.assert_array_equal(batch.pixels, expected)


@pytest.mark.parametrize("masked", [(slice(9), slice(9)), (slice(1), slice(None)), (slice(None), slice(1))])
def test_masked_pixels_hide_no_absurd_one(cutouts, bologna, masked):
    expected = cutouts.copy()
    cutouts[1][*masked, 2], cutouts[1, 20, 20, 2] = bologna.masked_value, 1e-3
    cutouts[2][*masked, 3] = bologna.masked_value
    batch = open_cutouts(cutouts, survey=bologna, size=41).read([0, 1, 2])
    assert "band r: 1 pixels beyond 1e+06 times the noise" in batch.reasons[1] and "beyond" not in batch.reasons[2]
    expected[1][*masked, 2], expected[1, 20, 20, 2], expected[2][*masked, 3] = np.nan, np.nan, np.nan
    np.testing.assert_array_equal(batch.pixels, expected)


def test_what_is_bright_stays(cutouts, bologna):
    cutouts[0, 18:23, 18:23] += 1e-7  # a star of a hundred thousand times the noise
    batch = open_cutouts(cutouts, survey=bologna, size=41).read([0, 1, 2])
    assert not batch.flags.any() and batch.pixels.tobytes() == cutouts.tobytes()


def test_an_image_without_noise_is_judged_by_its_numbers_alone():
    image = np.zeros((5, 5), np.float32)
    image[2, 2], image[1, 1] = 1e12, 1e20
    assert np.argwhere(absurd(image)).tolist() == [[1, 1]]
    assert not absurd(np.full((5, 5), np.nan, np.float32)).any()
