"""``lensdetect export``, and what commands say where Keras has nothing to run on."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from lensdetect.artifact import load_card
from lensdetect.cli import quiet
from lensdetect.errors import InputError
from lensdetect.simulation import simulate
from lensdetect.survey import get_survey


@pytest.fixture(scope="module")
def noise_stamps(tmp_path_factory):
    """240 stamps of noise, half of them lenses in name."""
    folder = tmp_path_factory.mktemp("noise") / "stamps"
    simulate(get_survey("bologna"), folder, count=4, seed=9, size=33, workers=1, lens_fraction=0.5, progress=False)
    truth = pd.concat([pd.read_parquet(folder / "00000.parquet")] * 60, ignore_index=True)
    truth = truth.assign(id=[str(number) for number in range(240)], is_lens=np.arange(240) % 2 == 0)
    np.save(folder / "00000.npy", np.random.default_rng(1).normal(0, 2e-12, (240, 33, 33, 4)).astype(np.float32))
    truth.to_parquet(folder / "00000.parquet", index=False)
    return folder


def command(data, output, *more):
    return (
        *("train", "--data", data, "--detector", "arcformer_test", "--output", output),
        *("--epochs", 1, "--batch-size", 32, *more),
    )


@pytest.fixture(scope="module")
def trained_elsewhere(noise_stamps, tmp_path_factory):
    """A run as it is left where Keras does not run on TensorFlow."""
    from lensdetect.cli import main

    run = tmp_path_factory.mktemp("runs") / "run"
    assert main([str(word) for word in command(noise_stamps, run)]) == 0
    shutil.rmtree(run / "model")
    return run


@pytest.fixture
def run(trained_elsewhere, tmp_path):
    return shutil.copytree(trained_elsewhere, tmp_path / "run")


def test_export_makes_a_detector_that_scores(lensdetect, run, stamps, tmp_path):
    result = lensdetect("export", run)
    assert result.code == 0 and f"lensdetect score IMAGES --model {run}" in result.out
    assert load_card(run / "model" / "1").metrics.keys() == {"ugri", "gri", "r"}
    assert lensdetect("score", stamps, "--model", run, "--output", tmp_path / "scores.csv").code == 0
    result = lensdetect("export", run)
    assert result.code == 2 and "is there already: move it away to export again" in result.err


def test_training_without_tensorflow_says_what_is_left_to_do(lensdetect, run, noise_stamps, monkeypatch):
    pytest.importorskip("jax")
    monkeypatch.setattr("keras.config.backend", lambda: "jax")
    monkeypatch.setattr("lensdetect.data.device.free_memory", lambda: 0)
    # All its epochs are done: what is left is the card.
    shutil.rmtree(run / "measured")
    result = lensdetect("train", "--data", noise_stamps, "--output", run, "--resume")
    assert result.code == 0
    assert result.out.splitlines()[-1] == (
        f"trained without TensorFlow: make the detector where that is, with lensdetect export {run}"
    )
    assert (run / "measured").is_dir() and not (run / "model").exists()


def test_export_of_what_was_not_measured_needs_the_stamps(lensdetect, run, noise_stamps):
    shutil.rmtree(run / "measured")
    result = lensdetect("export", run)
    assert result.code == 2 and "not calibrated and measured at its epoch 1: give its stamps, with --data" in result.err
    assert lensdetect("export", run, "--data", noise_stamps).code == 0


def test_export_of_an_unfinished_run(lensdetect, run, noise_stamps):
    plan = json.loads((run / "plan.json").read_text())
    plan["plan"]["stages"][0]["epochs"] = 7
    (run / "plan.json").write_text(json.dumps(plan))
    result = lensdetect("export", run)
    assert result.code == 2 and "has done 1 of 7 epochs: go on with lensdetect train --resume, or" in result.err
    assert lensdetect("export", run, "--data", noise_stamps, "--unfinished").code == 0


def test_export_of_a_card_that_was_altered(lensdetect, run):
    (path,) = (run / "measured").rglob("card.json")
    values = json.loads(path.read_text())
    del values["licence"]
    path.write_text(json.dumps(values))
    result = lensdetect("export", run)
    assert result.code == 2 and "card.json must be as it was written" in result.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--test", "x"], "--test and --truth go with the stamps of the training: add --data DIR"),
        ([], "a run must be a folder with a plan.json"),
    ],
)
def test_what_cannot_be_exported(lensdetect, tmp_path, options, message):
    result = lensdetect("export", tmp_path, *options)
    assert result.code == 2 and message in result.err


def test_only_lenses_only_others_and_other_units(lensdetect, noise_stamps, tmp_path):
    data = shutil.copytree(noise_stamps, tmp_path / "stamps")
    truth, pixels = pd.read_parquet(data / "00000.parquet"), np.load(data / "00000.npy")
    for value, message in ((True, "got no other than a lens among 240"), (False, "got no lens among 240")):
        truth.assign(is_lens=value, has_source=value).to_parquet(data / "00000.parquet", index=False)
        result = lensdetect(*command(data, tmp_path / "run"))
        assert result.code == 2 and message in result.err and "--lens-fraction between 0 and 1" in result.err
    np.save(data / "00000.npy", pixels * np.float32(1e9))
    result = lensdetect(*command(data, tmp_path / "run"))
    assert result.code == 2 and "must be in the flux unit of bologna, where band u has noise of about" in result.err
    manifest = json.loads((data / "manifest.json").read_text())
    (data / "manifest.json").write_text(json.dumps(manifest | {"pixel_scale_arcsec": 0.5}))
    result = lensdetect(*command(data, tmp_path / "run"))
    assert result.code == 2 and "with pixel_scale_arcsec 0.2, got 0.5: name the survey" in result.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("backend", "error", "message"),
    [
        ("foo", ValueError("Unable to import backend : foo"), "is told to run on foo, which is not there: set KERAS_"),
        ("torch", ImportError("No module named 'torch'"), "is told to run on torch, which is not there: set KERAS_"),
        ("numpy", None, "is told to run on numpy, which cannot train: set KERAS_BACKEND=tensorflow, which is install"),
    ],
)
def test_backend_that_cannot_be_used(monkeypatch, backend, error, message):
    class Keras:
        class config:
            backend = staticmethod(lambda: backend)

    def fail(name):
        if error is not None:
            raise error
        return Keras

    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr(quiet, "find_spec", lambda name: object() if name == "tensorflow" else None)
    monkeypatch.setattr(quiet.importlib, "import_module", fail)
    with pytest.raises(InputError, match=message):
        quiet.load_keras_quietly()
