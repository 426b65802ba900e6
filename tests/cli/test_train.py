from __future__ import annotations

import json
import shutil
import signal
import time

import numpy as np
import pandas as pd
import pytest

from lensdetect.artifact import load_card
from lensdetect.simulation import simulate
from lensdetect.stamps import write_manifest
from lensdetect.survey import get_survey


@pytest.fixture(scope="module")
def training_stamps(tmp_path_factory):
    """120 noisy stamps that a detector can be trained on: lenses are brighter in g."""
    folder = tmp_path_factory.mktemp("training") / "stamps"
    simulate(get_survey("bologna"), folder, count=4, seed=9, size=33, workers=1, lens_fraction=0.5, progress=False)
    truth = pd.read_parquet(folder / "00000.parquet")
    truth = pd.concat([truth] * 30, ignore_index=True).assign(
        id=[str(number) for number in range(120)], is_lens=np.arange(120) % 2 == 0
    )
    rng = np.random.default_rng(1)
    pixels = rng.normal(0, 2e-12, (120, 33, 33, 4)).astype(np.float32)
    pixels[::2, ..., 1] += 1e-11
    np.save(folder / "00000.npy", pixels)
    truth.to_parquet(folder / "00000.parquet", index=False)
    return folder


def command(data, output, *more):
    return (
        *("train", "--data", data, "--detector", "arcformer_test", "--output", output),
        *("--epochs", 2, "--batch-size", 32, "--seed", 4, *more),
    )


@pytest.fixture(scope="module")
def finished(training_stamps, tmp_path_factory):
    """A run that went through, and what it printed."""
    from lensdetect.cli import main

    run = tmp_path_factory.mktemp("runs") / "run"
    assert main([str(word) for word in command(training_stamps, run)]) == 0
    return run


def test_run_leaves_a_detector_that_scores(lensdetect, finished, stamps, tmp_path):
    assert {"plan.json", "history.csv", "curves.png", "checkpoint", "model"} <= {
        path.name for path in finished.iterdir()
    }
    assert len(pd.read_csv(finished / "history.csv")) == 2
    result = lensdetect("score", stamps, "--model", finished, "--output", tmp_path / "scores.csv")
    assert result.code == 0


def test_finished_run_says_so(lensdetect, finished, training_stamps):
    result = lensdetect("train", "--data", training_stamps, "--output", finished, "--resume")
    assert result.code == 0 and "this training is finished" in result.out


@pytest.mark.parametrize(
    ("option", "value", "began"),
    [
        ("--epochs", 3, 2),
        ("--batch-size", 8, 32),
        ("--seed", 5, 4),
        ("--plan", "published", "adamw"),
        ("--patience", 2, "none"),
        ("--detector", "arcformer_small", "arcformer_test"),
        ("--parts", "stem", "all"),
    ],
)
def test_resume_cannot_change_the_plan(lensdetect, finished, training_stamps, option, value, began):
    result = lensdetect("train", "--data", training_stamps, "--output", finished, "--resume", option, value)
    assert result.code == 2 and f"{option} is {began} in" in result.err and "train anew in another folder" in result.err


def test_taken_folder_asks_for_resume(lensdetect, finished, training_stamps):
    result = lensdetect(*command(training_stamps, finished))
    assert result.code == 2 and "add --resume to go on" in result.err


def test_unknown_detector_and_plan_have_the_nearest(lensdetect, training_stamps, tmp_path):
    result = lensdetect(*command(training_stamps, tmp_path / "run", "--detector", "arcformer_smal"))
    assert result.code == 2 and "did you mean arcformer_small" in result.err
    result = lensdetect(*command(training_stamps, tmp_path / "run", "--plan", "adam"))
    assert result.code == 2 and "did you mean adamw?" in result.err
    assert not (tmp_path / "run").exists()


def test_starts_from_the_stem_of_another(lensdetect, finished, training_stamps, tmp_path):
    options = ("--weights", finished, "--parts", "stem", "--epochs", 1)
    result = lensdetect(*command(training_stamps, tmp_path / "run", *options))
    assert result.code == 0 and "figures of" in result.out
    assert load_card(tmp_path / "run" / "model" / "1").training["parts"] == ["stem"]


def test_challenge_files_need_their_truth(lensdetect, challenge, tmp_path):
    result = lensdetect(*command(challenge, tmp_path / "run"))
    assert result.code == 2 and f"add --truth {challenge}/classifications.csv" in result.err


def test_refused_stamps_are_reported(lensdetect, challenge, tmp_path):
    broken = sorted(challenge.glob("Public/Band1/*.fits"))[0]
    broken.write_bytes(b"not an image")
    result = lensdetect(*command(challenge, tmp_path / "run", "--truth", challenge / "classifications.csv"))
    assert "1 stamps are left out, 5 stay" in result.err and str(broken) in result.err
    # Five are too few for lenses and others on both sides of the split.
    assert result.code == 2 and "give more stamps" in result.err.splitlines()[-1]


def test_simulated_stamps_have_their_own_truth(lensdetect, training_stamps, tmp_path):
    result = lensdetect(*command(training_stamps, tmp_path / "run", "--truth", training_stamps / "00000.parquet"))
    assert result.code == 2 and "with their truth: leave the others out" in result.err


def test_unwritable_run(lensdetect, training_stamps, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    result = lensdetect(*command(training_stamps, tmp_path / "file" / "run"))
    assert result.code == 2 and "file/run must be a folder that can be" in result.err


def test_interrupted_training_goes_on(lensdetect, start, training_stamps, tmp_path):
    run = tmp_path / "run"
    process = start(*command(training_stamps, run, "--epochs", 100_000))
    deadline = time.monotonic() + 120
    while not (run / "checkpoint" / "state.json").is_file():
        assert process.poll() is None and time.monotonic() < deadline, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    last = err.splitlines()[-1]
    assert process.returncode == 2 and "Traceback" not in err
    assert last.startswith("lensdetect: error: interrupted after ") and last.endswith(f"--output {run} --resume")

    # The plan is shortened by hand so that the resumed training comes to its end.
    epochs = json.loads((run / "checkpoint" / "state.json").read_text())["epoch"] + 1
    plan = json.loads((run / "plan.json").read_text())
    plan["plan"]["stages"][0]["epochs"] = epochs
    (run / "plan.json").write_text(json.dumps(plan))
    result = lensdetect(*last.split(" lensdetect ")[1].split())
    assert result.code == 0 and f"going on after epoch {epochs - 1} of {epochs}" in result.err
    assert load_card(run / "model" / "1").training["epochs"] == epochs


def test_resume_with_other_stamps(lensdetect, finished, stamps, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(run / "model")
    other = shutil.copytree(stamps, tmp_path / "stamps")
    write_manifest(other, json.loads((other / "manifest.json").read_text()) | {"seed": 77})
    result = lensdetect("train", "--data", other, "--output", run, "--resume")
    assert result.code == 2 and "give the same --data" in result.err
