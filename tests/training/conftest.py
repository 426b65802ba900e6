"""Stamps that a tiny detector learns in seconds, and runs of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lensdetect.network import AttentionPoolHead, Augmentation, DetectorSpec, PublishedEncoder, ResidualStem, Stage
from lensdetect.stamps import Shards, Stamp, write_manifest, write_shard
from lensdetect.survey import SURVEYS, Survey
from lensdetect.training import CosineSchedule, Plan, Run, TrainingStage, export, train

SIZE = 33


def stamp(number: int, rng: np.random.Generator, survey: Survey) -> Stamp:
    """A galaxy in its noise; every third has a bright ring around it and is a lens."""
    is_lens = number % 3 == 0
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    radius = np.hypot(x, y)
    light = 5e-11 * np.exp(-radius / 3) + is_lens * 2e-11 * np.exp(-((radius - rng.uniform(7, 9)) ** 2) / 4)
    noise = rng.normal(0, [band.noise_sigma for band in survey.bands], (SIZE, SIZE, len(survey.bands)))
    truth = {
        "id": f"{number}",
        "is_lens": is_lens,
        "has_source": is_lens,
        "kind": "lens" if is_lens else "plain",
        "einstein_radius_arcsec": 1.6 if is_lens else 0.0,
        "arc_pixel_count": 300 * is_lens,
        "arc_flux_sigma": 3000.0 * is_lens,
        "arc_snr": 100.0 * is_lens,
        "seed": number,
    }
    return Stamp((light[..., None] + noise).astype(np.float32), truth)


def write_stamps(folder: Path, *, count: int, seed: int, survey: Survey) -> Shards:
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    write_manifest(
        folder,
        {
            "survey": survey.name,
            "bands": list(survey.band_names),
            "pixel_scale_arcsec": survey.pixel_scale_arcsec,
            "seed": seed,
        },
    )
    stamps = [stamp(number, rng, survey) for number in range(count)]
    for index in range(2):
        write_shard(folder, index, stamps[index::2])
    return Shards(folder)


@pytest.fixture(scope="session")
def bologna() -> Survey:
    return SURVEYS["bologna"]


@pytest.fixture(scope="session")
def stamps(tmp_path_factory, bologna) -> Shards:
    return write_stamps(tmp_path_factory.mktemp("stamps") / "train", count=160, seed=1, survey=bologna)


@pytest.fixture(scope="session")
def unseen(tmp_path_factory, bologna) -> Shards:
    return write_stamps(tmp_path_factory.mktemp("stamps") / "test", count=48, seed=2, survey=bologna)


@pytest.fixture(scope="session")
def spec() -> DetectorSpec:
    """Two convolutions, next to nothing behind them, and dropout: few variables compile fast."""
    return DetectorSpec(
        stem=ResidualStem((Stage(8, kernel=5, stride=4), Stage(8, stride=4))),
        encoder=PublishedEncoder((), mlp_dim=8, dropout=0.2),
        head=AttentionPoolHead((), dropout=0.0),
    )


@pytest.fixture(scope="session")
def plan() -> Plan:
    """Ends early: no AUROC is better than 1."""
    return Plan(
        name="quick",
        stages=(TrainingStage(40, CosineSchedule(1e-2), weight_decay=0.01),),
        batch_size=8,
        augmentation=Augmentation(max_shift_pix=1, band_sets=((("g", "r", "i"), 0.2), (("r",), 0.15))),
        validation_fraction=0.25,
        patience=8,
    )


@pytest.fixture(scope="session")
def trained(stamps, bologna, plan, tmp_path_factory) -> Run:
    """A finished run, not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    return train("arcformer_test", stamps, folder, survey=bologna, plan=plan, seed=5)


@pytest.fixture(scope="session")
def artifact(trained, stamps, unseen, bologna) -> Path:
    """The run's artifact, measured on unseen stamps."""
    return export(trained, stamps, survey=bologna, test=unseen)
