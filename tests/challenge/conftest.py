"""Stamps that classical systems learn at once, and a challenge that went through."""

from __future__ import annotations

import contextlib
import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lensdetect.challenge import ChallengePlan, __main__, challenge, running
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


class InThisProcess:
    """Stands in for the process of a system that is no network: TensorFlow does not start anew for it."""

    def __init__(self, command, *, stdout, **options):
        self._command, self._log = command, stdout

    def wait(self) -> int:
        """Do what the process would do, its messages in the same file."""
        handler, logger = logging.StreamHandler(self._log), logging.getLogger("lensdetect")
        logger.addHandler(handler)
        try:
            with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(self._log):
                patch.setattr("sys.argv", ["lensdetect.challenge", self._command[-1]])
                return __main__.main()
        finally:
            logger.removeHandler(handler)


@contextlib.contextmanager
def few_processes() -> Iterator[None]:
    """A challenge in which networks alone have a process of their own: test_killed_challenge and the command line
    have one for every system."""
    start = subprocess.Popen

    def begin(command, **options):
        return (start if "arcformer" in Path(command[-1]).name else InThisProcess)(command, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running.subprocess, "Popen", begin)
        yield


@pytest.fixture
def small_processes():
    """``few_processes`` for one test."""
    with few_processes():
        yield


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
    with few_processes():
        challenge(training_stamps, output, test=test_stamps, plan=plan, systems=systems, seed=4)
    return output
