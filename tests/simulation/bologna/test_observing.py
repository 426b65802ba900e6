"""Sky and masks of the challenge's stamps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lensdetect.simulation import BolognaPopulation, render_stamp
from lensdetect.simulation.bologna import ObservingPopulation
from lensdetect.simulation.bologna.observing import draw_mask
from lensdetect.simulation.scene import IsothermalMass, Scene
from lensdetect.survey import SURVEYS

BOLOGNA = SURVEYS["bologna"]
STEADY = ObservingPopulation(noise_scatter=0.0, masked_fraction=0.0)


def render_empty(observing: ObservingPopulation, *, real_like: bool, rng) -> np.ndarray:
    scene = Scene("elliptical", 1.0, (IsothermalMass(0.0, 0.0, 1.0),), (0.0, 0.0), (), real_like=real_like)
    return render_stamp(scene, BOLOGNA, population=BolognaPopulation(observing=observing), rng=rng).pixels


def test_real_like_sky_is_stronger_and_correlated(rng):
    for pixels in [render_empty(STEADY, real_like=True, rng=rng) for _ in range(5)]:
        ratio = pixels.std(axis=(0, 1)) / [band.noise_sigma for band in BOLOGNA.bands]
        assert np.all((ratio > 2.4 * 0.96) & (ratio < 3.9 * 1.04))
        for band in range(4):
            for lag, wanted in enumerate(STEADY.real_noise_correlation, start=1):
                found = np.corrcoef(pixels[:, lag:, band].ravel(), pixels[:, :-lag, band].ravel())[0, 1]
                assert found == pytest.approx(wanted, abs=0.04)


def test_masked_pixels_are_nan_band_by_band(rng):
    observing = dataclasses.replace(STEADY, masked_fraction=1.0)
    stamps = [render_empty(observing, real_like=False, rng=rng) for _ in range(12)]
    masked = np.isnan(np.array(stamps)).mean(axis=(1, 2))
    assert 0.2 < (masked > 0).mean() < 0.7
    assert any(len(set(row)) > 1 for row in masked)  # bands have holes of their own
    assert np.median(masked[masked > 0]) < 0.05


def test_a_share_of_the_stamps_has_masks(rng):
    observing = ObservingPopulation()
    masks = [draw_mask(51, 4, observing=observing, rng=rng) for _ in range(1500)]
    share = np.mean([mask.any() for mask in masks])
    some = 1.0 - (1.0 - observing.masked_band_fraction) ** 4
    assert share == pytest.approx(observing.masked_fraction * some, abs=0.035)
    assert max(mask.mean(axis=(0, 1)).max() for mask in masks) > 0.1  # large ones occur
