"""A small detector with trained-looking weights, and its folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from lensdetect.artifact import Calibration, Card, build_detector, save_detector
from lensdetect.network import DETECTORS, spec_to_dict
from lensdetect.survey import SURVEYS

SIZE = 33


def random_weights(model: keras.Model, *, seed: int) -> None:
    """Move every weight, moving averages too, away from where it started."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        moved = variable.numpy() * rng.uniform(0.8, 1.2, variable.shape) + rng.uniform(0.0, 0.1, variable.shape)
        variable.assign(moved)


@pytest.fixture(scope="session")
def card() -> Card:
    bologna = SURVEYS["bologna"]
    return Card(
        name="arcformer_test",
        survey="bologna",
        spec=spec_to_dict(DETECTORS["arcformer_test"]),
        bands=bologna.bands,
        pixel_scale_arcsec=bologna.pixel_scale_arcsec,
        size=SIZE,
        flux_unit="AB zero point 0",
        training={"stamps": 200, "stamps_sha256": "0" * 64, "seed": 1, "epochs": 3},
        metrics={"ugri": {"auroc": 0.9, "tpr0": 0.1, "stamps": 100}, "r": {"auroc": np.float32(0.75), "stamps": 100}},
        licence="BSD-3-Clause",
        calibration=(
            Calibration(0.5, -1.25, lens_fraction=0.4, bands=("u", "g", "r", "i")),
            Calibration(0.4, -0.75, lens_fraction=0.4, bands=("g", "r", "i")),
            Calibration(0.25, 0.5, lens_fraction=0.4, bands=("r",)),
        ),
    )


@pytest.fixture(scope="session")
def model() -> keras.Model:
    keras.utils.set_random_seed(7)
    model = build_detector("arcformer_test", size=SIZE)
    random_weights(model, seed=7)
    return model


@pytest.fixture(scope="session")
def saved(model, card, tmp_path_factory) -> Path:
    """The model's folder; not to be changed."""
    return save_detector(model, tmp_path_factory.mktemp("models") / "arcformer_test-bologna" / "1", card=card)


@pytest.fixture
def copied(saved, tmp_path) -> Path:
    """A copy of the folder, to be changed at will."""
    return Path(shutil.copytree(saved, tmp_path / "arcformer_test-bologna" / "1"))


@pytest.fixture
def cutouts(rng) -> np.ndarray:
    """Ten cutouts with a bright middle, some bad pixels and sky noise."""
    noise_sigma = [band.noise_sigma for band in SURVEYS["bologna"].bands]
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    light = 3e-10 * np.exp(-(x**2 + y**2) / 20.0)
    cutouts = light[None, :, :, None] * rng.uniform(0, 1, (10, 1, 1, 4)) + rng.normal(
        0, noise_sigma, (10, SIZE, SIZE, 4)
    )
    cutouts[rng.uniform(size=cutouts.shape) < 0.01] = np.nan
    return cutouts.astype(np.float32)
