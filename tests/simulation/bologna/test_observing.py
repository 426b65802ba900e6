"""Sky and masks of the challenge's stamps."""

from __future__ import annotations

import dataclasses

import numpy as np

from lensdetect.simulation import BolognaPopulation, render_stamp
from lensdetect.simulation.bologna import ObservingPopulation
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
            neighbours = np.corrcoef(pixels[:, 1:, band].ravel(), pixels[:, :-1, band].ravel())[0, 1]
            assert 0.14 - 0.04 < neighbours < 0.19 + 0.04


def test_masked_pixels_are_nan_band_by_band(rng):
    observing = dataclasses.replace(STEADY, masked_fraction=1.0)
    stamps = [render_empty(observing, real_like=False, rng=rng) for _ in range(12)]
    masked = np.isnan(np.array(stamps)).mean(axis=(1, 2))
    assert 0.2 < (masked > 0).mean() < 0.7
    assert any(len(set(row)) > 1 for row in masked)  # bands have holes of their own
    assert np.median(masked[masked > 0]) < 0.05
