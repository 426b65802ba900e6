"""A search and a challenge where Keras runs on another library than TensorFlow."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lensdetect.stamps import Stamp, write_manifest, write_shard
from lensdetect.survey import SURVEYS

#: Each starts a library, which compiles.
pytestmark = pytest.mark.slow

SIZE = 17


@pytest.fixture(params=["jax", "torch"])
def backend(request, monkeypatch) -> str:
    """Library that Keras runs on in the processes of a test."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    monkeypatch.setenv("KERAS_BACKEND", request.param)
    return request.param


@pytest.fixture(scope="module")
def dots(tmp_path_factory) -> Path:
    """Stamps of noise; every third has a bright middle and is a lens."""
    folder, survey, rng = tmp_path_factory.mktemp("dots") / "stamps", SURVEYS["bologna"], np.random.default_rng(1)
    folder.mkdir()
    manifest = {"survey": "bologna", "bands": list(survey.band_names), "seed": 1}
    write_manifest(folder, manifest | {"pixel_scale_arcsec": survey.pixel_scale_arcsec})
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    dot = 4e-11 * np.exp(-(x**2 + y**2) / 8)[..., None]
    blank = {"kind": "", "einstein_radius_arcsec": 1.6, "arc_pixel_count": 1, "arc_flux_sigma": 1.0, "arc_snr": 9.0}
    stamps = [
        Stamp(
            (number % 3 == 0) * dot + rng.normal(0, 2e-12, (SIZE, SIZE, 4)),
            blank | {"id": str(number), "is_lens": number % 3 == 0, "has_source": number % 3 == 0, "seed": 1},
        )
        for number in range(200)
    ]
    write_shard(folder, 0, stamps)
    return folder


def finish(process, patience_s: float) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=patience_s)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def test_search_ends_with_a_command_that_trains(backend, start, dots, tmp_path, patience_s):
    tuned = tmp_path / "tuned"
    options = ("--detector", "arcformer_test", "--search", "bayesian", "--trials", 1, "--epochs", 1, "--parts", "plan")
    code, out, err = finish(start("tune", "--data", dots, "--output", tuned, *options), patience_s)
    assert code == 0, err
    table = pd.read_csv(tuned / "trials.csv")
    assert table["status"].tolist() == ["done"] and table["val_auroc"].between(0, 1).all()
    assert "train the best: lensdetect train" in out and (tuned / "trials.png").is_file()


def test_challenge_ranks_a_network(backend, start, dots, tmp_path, patience_s):
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"systems": ["arcformer_test"], "epochs": 2, "recipe": "adamw"}))
    output = tmp_path / "output"
    code, out, err = finish(start("challenge", "--data", dots, "--plan", plan, "--output", output), patience_s)
    assert code == 0, out + err
    row = pd.read_csv(output / "results.csv").set_index("system").loc["arcformer_test"]
    assert 0 <= row["auroc"] <= 1
    history = pd.read_csv(next((output / "systems").iterdir()) / "run" / "history.csv")
    assert len(history) == 2 and np.isfinite(history["val_loss"]).all()
