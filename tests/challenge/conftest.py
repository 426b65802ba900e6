"""Stamps that classical systems learn at once, and a challenge that went through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lensdetect.challenge import ChallengePlan, challenge
from lensdetect.stamps import Stamp, write_manifest, write_shard
from lensdetect.survey import SURVEYS

SIZE = 33


def write_stamps(folder: Path, *, count: int, seed: int) -> Path:
    """Galaxies in noise; every third has a ring and is a lens, fainter from one to the next."""
    survey = SURVEYS["bologna"]
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    manifest = {"survey": survey.name, "bands": list(survey.band_names), "seed": seed}
    write_manifest(folder, manifest | {"pixel_scale_arcsec": survey.pixel_scale_arcsec})
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    radius, sigma = np.hypot(x, y), [band.noise_sigma for band in survey.bands]
    stamps = []
    for number in range(count):
        is_lens, ring_pix = number % 3 == 0, rng.uniform(7, 9)
        light = 5e-11 * np.exp(-radius / 3) + is_lens * 2e-11 * np.exp(-((radius - ring_pix) ** 2) / 4)
        pixels = light[..., None] + rng.normal(0, sigma, (SIZE, SIZE, len(sigma)))
        truth = {
            "id": f"{number}",
            "is_lens": is_lens,
            "has_source": is_lens,
            "kind": "lens" if is_lens else "plain",
            "einstein_radius_arcsec": 0.2 * ring_pix,
            "arc_pixel_count": 300 * is_lens,
            "arc_flux_sigma": 3000.0 * is_lens,
            "arc_snr": 100.0 * is_lens,
            "seed": seed,
        }
        stamps.append(Stamp(pixels.astype(np.float32), truth))
    write_shard(folder, 0, stamps)
    return folder


@pytest.fixture(scope="session")
def training_stamps(tmp_path_factory) -> Path:
    return write_stamps(tmp_path_factory.mktemp("challenge") / "train", count=150, seed=1)


@pytest.fixture(scope="session")
def test_stamps(tmp_path_factory) -> Path:
    return write_stamps(tmp_path_factory.mktemp("challenge") / "test", count=90, seed=2)


@pytest.fixture(scope="session")
def plan() -> ChallengePlan:
    """Two epochs, with batches that so few stamps fill."""
    return ChallengePlan("tiny", ("arcformer_test", "manchester_svm", "all_star"), epochs=2, recipe="published")


@pytest.fixture(scope="session")
def finished(training_stamps, test_stamps, plan, tmp_path_factory) -> Path:
    """Output of a challenge of two systems, one that cannot be run on such stamps, and a committee."""
    pytest.importorskip("skimage")
    output = tmp_path_factory.mktemp("challenge") / "output"
    systems = ("arcformer_test@gri", "all_star", "oracle", "rank_mean:arcformer_test@gri+all_star")
    challenge(training_stamps, output, test=test_stamps, plan=plan, systems=systems, seed=4)
    return output
