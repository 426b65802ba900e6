"""A small detector and small stamps, and a way to run a command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from astropy.io import fits

from lensdetect.artifact import Calibration, Card, build_detector, save_detector, shipped
from lensdetect.cli import main
from lensdetect.network import DETECTORS, spec_to_dict
from lensdetect.simulation import simulate
from lensdetect.survey import SURVEYS, get_survey

SIZE = 33
NUM_STAMPS = 6


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def lensdetect(capsys) -> Callable[..., Result]:
    """Run a command line; an error is one line, whatever it is."""

    def run(*argv) -> Result:
        capsys.readouterr()
        code = main([str(word) for word in argv])
        found = Result(code, *capsys.readouterr())
        if code == 2:
            last = found.err.splitlines()[-1]
            assert last.startswith("lensdetect: ") and "Traceback" not in found.err
        return found

    return run


@pytest.fixture
def start() -> Callable[..., subprocess.Popen]:
    """Start a command line as a process of its own, in a plain environment."""
    started = []
    # Whoever runs the tests may have asked TensorFlow to talk.
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}

    def run(*argv) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "lensdetect.cli", *map(str, argv)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def detector(tmp_path_factory) -> Path:
    """Folder of an untrained detector with its card; not to be changed."""
    bologna = SURVEYS["bologna"]
    keras.utils.set_random_seed(3)
    card = Card(
        name="arcformer_test",
        survey="bologna",
        spec=spec_to_dict(DETECTORS["arcformer_test"]),
        bands=bologna.bands,
        pixel_scale_arcsec=bologna.pixel_scale_arcsec,
        size=SIZE,
        flux_unit="AB zero point 0",
        training={"data_seed": 1},
        metrics={
            "ugri": {"auroc": 0.91, "tpr0": 0.2, "tpr10": 0.5, "stamps": 100, "lenses": 40},
            "r": {"auroc": 0.75, "tpr0": 0.1, "tpr10": None, "stamps": 100, "lenses": 40},
        },
        licence="BSD-3-Clause",
        calibration=(Calibration(lens_fraction=0.4, bands=bologna.band_names),),
    )
    folder = tmp_path_factory.mktemp("models") / "arcformer_test-bologna" / "1"
    return save_detector(build_detector("arcformer_test", size=SIZE), folder, card=card)


@pytest.fixture
def shipping(detector, few_known_lenses, monkeypatch) -> Path:
    """Let that detector be the one that comes with the package, for every survey."""
    monkeypatch.setattr("lensdetect.search.known.lenscat_file", lambda: few_known_lenses)
    monkeypatch.setattr(shipped, "models_folder", lambda: detector.parents[1])
    monkeypatch.setattr(shipped, "GROUND_DETECTOR", detector.parent.name)
    monkeypatch.setattr(shipped, "OTHER_DETECTORS", {"bologna": detector.parent.name})
    return detector


@pytest.fixture
def copied_detector(detector, tmp_path) -> Path:
    """A copy of the folder, to be changed at will."""
    return Path(shutil.copytree(detector, tmp_path / "arcformer_test-bologna" / "1"))


@pytest.fixture(scope="session")
def stamps(tmp_path_factory) -> Path:
    """Simulated stamps; not to be changed."""
    folder = tmp_path_factory.mktemp("stamps") / "shards"
    return simulate(
        get_survey("bologna"), folder, count=NUM_STAMPS, seed=5, size=SIZE, workers=1, lens_fraction=0.5, progress=False
    )


@pytest.fixture(scope="session")
def challenge_files(tmp_path_factory) -> Path:
    """The same stamps as files of the challenge."""
    folder = tmp_path_factory.mktemp("stamps") / "Data.0"
    return simulate(
        get_survey("bologna"),
        folder,
        count=NUM_STAMPS,
        seed=5,
        size=SIZE,
        workers=1,
        lens_fraction=0.5,
        layout="challenge",
        progress=False,
    )


@pytest.fixture
def challenge(challenge_files, tmp_path) -> Path:
    """A copy of them, to be changed at will."""
    return Path(shutil.copytree(challenge_files, tmp_path / "Data.0"))


@pytest.fixture
def pixels(stamps) -> np.ndarray:
    """Pixels of the simulated stamps, u, g, r, i."""
    return np.load(stamps / "00000.npy")


@pytest.fixture
def write_cube() -> Callable[[Path, np.ndarray], Path]:
    """Write one object ``(height, width, band)`` as a FITS cube."""

    def write(path: Path, cutout: np.ndarray) -> Path:
        path.parent.mkdir(exist_ok=True)
        fits.PrimaryHDU(np.moveaxis(cutout, -1, 0).copy()).writeto(path)
        return path

    return write
