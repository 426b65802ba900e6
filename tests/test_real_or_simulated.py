"""Real against simulated galaxies: pairs that differ in nothing else, and a classifier that has not seen them."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture
def pairs():
    return importlib.import_module("galaxy_pairs")


@pytest.fixture
def gauge():
    pytest.importorskip("sklearn")
    return importlib.import_module("real_or_simulated")


def galaxies(mags, *, seed: int, sigma_pix: float = 5.0) -> np.ndarray:
    """Round galaxies of some magnitudes in r, zero point 30, in faint noise."""
    y, x = np.mgrid[:101, :101] - 50
    light = np.exp(-0.5 * (x**2 + y**2) / sigma_pix**2)
    flux = 10.0 ** (0.4 * (30.0 - np.asarray(mags)))
    noise = np.random.default_rng(seed).normal(size=(len(mags), 101, 101, 3))
    return ((flux / light.sum())[:, None, None, None] * light[..., None] + noise).astype(np.float32)


def test_pairs_are_alike_in_magnitude_and_lack_the_same_pixels(pairs):
    mags = np.array([18.0, 19.0, 20.0, 21.0])
    real, simulated = galaxies(mags, seed=1), galaxies([21.1, 17.0, 19.9, 16.0, 18.1, 19.1], seed=2)
    real[0, :10] = np.nan
    simulated[4, :, 95:, 1] = np.nan
    found = pairs.paired(real, simulated, np.arange(4))
    np.testing.assert_array_equal(found.fold, np.arange(4))
    np.testing.assert_allclose(pairs.magnitudes(found.simulated) - pairs.magnitudes(found.real), 0.1, atol=0.25)
    np.testing.assert_array_equal(np.isnan(found.real), np.isnan(found.simulated))
    assert np.isnan(found.real[0, :10]).all() and np.isnan(found.real[0, :, 95:, 1]).all()
    assert np.isfinite(found.real[1:]).all()
    shown = pairs.side_by_side(found, count=4, columns=2)
    assert len(shown) == 8
    np.testing.assert_array_equal(shown[2], pairs.fit(found.simulated[:1], 75)[0])


def test_pairs_are_alike_in_colours_if_asked(pairs):
    real = galaxies([20.0], seed=1)
    redder = galaxies([20.0, 20.1, 20.2, 20.3], seed=2)
    redder[:3, ..., 0] *= 0.5
    found = pairs.paired(real, redder, np.zeros(1), alike=pairs.ALIKE["g, r, i"])
    np.testing.assert_allclose(found.simulated[0], redder[3], rtol=1e-6)


def test_the_made_up_survey_has_the_noise_and_pixels_of_the_set(pairs):
    sets = importlib.import_module("real_sets")
    sigma = np.array([1.0, 3.0, 2.0])
    pixels = np.random.default_rng(1).normal(size=(12, 81, 81, 3)) * sigma
    table = pd.DataFrame({"id": range(12)})
    found = sets.RealSet("kids_field", pixels.astype(np.float32), pairs.BANDS, (30.0,) * 3, 0.339, table)
    survey = pairs.survey_like([found], (1.1, 0.9, 1.0))
    assert survey.band_names == pairs.BANDS and survey.pixel_scale_arcsec == 0.339
    np.testing.assert_allclose([1.05 * band.noise_sigma for band in survey.bands], sigma, rtol=0.05)
    assert [band.psf_fwhm_arcsec for band in survey.bands] == [1.1, 0.9, 1.0]
    for band, conditions in zip(survey.bands, survey.conditions, strict=True):
        low, high = conditions.noise_range
        assert low <= band.noise_sigma <= high < 1.2 * low


def test_a_stamp_is_cut_about_its_brightest_pixel(pairs):
    stamp = np.zeros((21, 21, 3), np.float32)
    stamp[12, 9] = 100.0
    # Brighter, but too far away to be the same galaxy.
    stamp[2, 2] = 900.0
    found = pairs.centred(stamp, 3)
    assert found.shape == (15, 15, 3) and found[7, 7, 1] == 100.0


def test_simulated_stamps_come_in_the_form_of_a_set(pairs, tmp_path):
    sets = importlib.import_module("real_sets")
    noise = np.random.default_rng(1).normal(size=(4, 61, 61, 3)).astype(np.float32)
    found = sets.RealSet("des_griz", noise, pairs.BANDS, (30.0,) * 3, 0.4, pd.DataFrame({"id": range(4)}))
    survey = pairs.survey_like([found], (1.1, 0.95, 0.9))
    made = pairs.simulated_like(found, survey, tmp_path, count=8, seed=1, workers=1)
    assert made.bands == pairs.BANDS and len(made) <= 8 and not set(made.table["kind"]) & {"star", "lens"}
    assert (made.table["glitches"] == "").all() and np.isfinite(made.pixels).any(axis=(1, 2)).all()
    assert sets.at_scale(made, pixel_scale_arcsec=pairs.SCALE_ARCSEC, size=pairs.SIZE).shape[1:] == (101, 101, 3)


def test_what_differs_is_told_and_what_does_not_is_not(gauge, rng):
    fold = np.arange(120) % 4
    real, simulated = rng.normal(size=(2, 120, 20))
    alike, *_ = gauge.auroc(*gauge.told_apart(real, simulated, fold))
    area, low, high = gauge.auroc(*gauge.told_apart(real + 1.0, simulated, fold))
    assert abs(alike - 0.5) < 0.12 and area > 0.95 and low < area < high <= 1.0
    control = gauge.shuffled(real + 1.0, simulated, fold, seed=1)
    assert abs(control.mean() - 0.5) < 0.1 and len(control) > 10


def test_the_classifier_has_not_seen_the_fold_that_it_scores(gauge):
    # In each fold another feature tells real from simulated: what was learned elsewhere says nothing.
    fold, real = np.repeat(np.arange(4), 30), np.zeros((120, 4))
    real[np.arange(120), fold] = 1.0
    area, *_ = gauge.auroc(*gauge.told_apart(real, -real, fold))
    assert area == pytest.approx(0.5, abs=0.01)


def test_row_and_page(gauge, pairs, tmp_path):
    brighter = galaxies(np.linspace(18, 20, 24), seed=1), galaxies(np.linspace(18.5, 20.5, 24), seed=2, sigma_pix=7.0)
    found = pairs.Pairs(*brighter, np.arange(24) % 4)
    features = tuple(pairs.properties(cutouts)[["concentration"]].to_numpy() for cutouts in brighter)
    row = gauge.measure(found, features, seed=1)
    assert row["pairs"] == 24 and row["auroc"] > 0.9 and row["concentration"] == 1.0 and row["magnitude in r"] < 0.5
    assert row["shuffled_low"] <= row["shuffled"] <= row["shuffled_high"]
    text = gauge.as_markdown(pd.DataFrame([{"set": "A", "alike in": "r"} | row]))
    assert text.splitlines()[2].startswith("| A | r | 24 | ") and "concentration" in text.splitlines()[0]
    gauge.draw(found, tmp_path / "sheet.jpg", title="a sheet")
    assert (tmp_path / "sheet.jpg").stat().st_size > 10_000
