"""The sky's noise: sigma, correlations, shapes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.simulation.render import typical_conditions
from lensdetect.simulation.render.sky import draw_photon_noise, draw_sky
from lensdetect.survey import SURVEYS

TYPICAL = typical_conditions(SURVEYS["bologna"])


def correlation_at(plane: np.ndarray, lag: int, axis: int) -> float:
    plane = np.moveaxis(plane, axis, 0).astype(float)
    return float((plane[lag:] * plane[:-lag]).mean() / (plane**2).mean())


@pytest.mark.parametrize(
    "wanted", [(0.16,), (0.33,), (0.25, 0.08, 0.02), (0.15, -0.03, 0.06), (0.6, 0.25, 0.05), (0.3, 0.1)]
)
def test_sky_has_the_wanted_correlations_and_sigma(wanted, rng):
    conditions = dataclasses.replace(TYPICAL, noise_correlation=wanted)
    sky = draw_sky(700, conditions, rng=rng)
    assert sky.dtype == np.float32
    assert sky.std(axis=(0, 1)) == pytest.approx(TYPICAL.noise_sigma, rel=0.01)
    for lag, value in enumerate(wanted, 1):
        for axis in (0, 1):
            measured = np.mean([correlation_at(sky[..., band], lag, axis) for band in range(4)])
            assert measured == pytest.approx(value, abs=0.01)


def test_white_sky_is_white(rng):
    sky = draw_sky(500, TYPICAL, rng=rng)
    assert sky.std(axis=(0, 1)) == pytest.approx(TYPICAL.noise_sigma, rel=0.01)
    assert all(abs(correlation_at(sky[..., band], 1, 0)) < 0.01 for band in range(4))


@pytest.mark.parametrize("correlation", [(), (0.25, 0.08, 0.02)])
def test_any_rectangle_can_be_drawn(rng, correlation):
    conditions = dataclasses.replace(TYPICAL, noise_correlation=correlation)
    assert draw_sky((7, 30), conditions, rng=rng).shape == (7, 30, 4)
    assert draw_sky(np.int64(9), conditions, rng=rng).shape == (9, 9, 4)


def test_impossible_correlations_are_refused(rng):
    conditions = dataclasses.replace(TYPICAL, noise_correlation=(0.95, 0.1))
    with pytest.raises(InputError, match=r"noise_correlation must be one .* 5 pixels gives, got 0.950, 0.100: lower"):
        draw_sky(20, conditions, rng=rng)


def test_photon_noise_has_the_variance_of_the_photons(rng):
    conditions = dataclasses.replace(TYPICAL, photon_flux=(2.0, 1.0, 0.5, 0.1))
    pixels = np.full((400, 400, 4), 50.0, np.float32)
    assert draw_photon_noise(pixels, conditions, rng=rng).var(axis=(0, 1)) == pytest.approx([100, 50, 25, 5], rel=0.03)
    assert not draw_photon_noise(-pixels, conditions, rng=rng).any()
