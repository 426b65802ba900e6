from __future__ import annotations

import json
import shutil
import signal

import numpy as np
import pandas as pd
import pytest

from lensdetect.artifact import load_card
from lensdetect.simulation import simulate
from lensdetect.stamps import write_manifest
from lensdetect.survey import get_survey


@pytest.fixture(scope="module")
def training_stamps(tmp_path_factory):
    """240 stamps of noise, half of them lenses in name."""
    folder = tmp_path_factory.mktemp("training") / "stamps"
    simulate(get_survey("bologna"), folder, count=4, seed=9, size=33, workers=1, lens_fraction=0.5, progress=False)
    truth = pd.read_parquet(folder / "00000.parquet")
    truth = pd.concat([truth] * 60, ignore_index=True).assign(
        id=[str(number) for number in range(240)], is_lens=np.arange(240) % 2 == 0
    )
    rng = np.random.default_rng(1)
    pixels = rng.normal(0, 2e-12, (240, 33, 33, 4)).astype(np.float32)
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


def test_finished_run_of_other_stamps_does_not_pass_for_these(lensdetect, finished, training_stamps, stamps):
    result = lensdetect("train", "--data", stamps, "--output", finished, "--resume")
    assert result.code == 2 and "give the same --data" in result.err
    result = lensdetect("train", "--data", training_stamps, "--output", finished, "--resume", "--test", stamps)
    assert result.code == 2 and "its figures are of other stamps than those in" in result.err


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


def test_challenge_files_need_their_truth(lensdetect, challenge, tmp_path):
    result = lensdetect(*command(challenge, tmp_path / "run"))
    assert result.code == 2 and f"add --truth {challenge}/classifications.csv" in result.err


def test_refused_stamps_are_reported(lensdetect, challenge, tmp_path):
    broken = sorted(challenge.glob("Public/Band1/*.fits"))[0]
    broken.write_bytes(b"not an image")
    result = lensdetect(
        *command(challenge, tmp_path / "run", "--truth", challenge / "classifications.csv", "--size", 33)
    )
    assert "1 stamps are left out, 5 stay" in result.err and str(broken) in result.err
    # Five are too few for lenses and others on both sides of the split.
    assert result.code == 2 and "give more stamps" in result.err.splitlines()[-1]


def test_simulated_stamps_have_their_own_truth(lensdetect, training_stamps, tmp_path):
    result = lensdetect(*command(training_stamps, tmp_path / "run", "--truth", training_stamps / "00000.parquet"))
    assert result.code == 2 and "with their truth: leave the others out" in result.err


def test_unwritable_run(lensdetect, training_stamps, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    result = lensdetect(*command(training_stamps, tmp_path / "file" / "run"))
    assert result.code == 2 and "must be writable to" in result.err and "file/run, got" in result.err


@pytest.fixture
def graded(training_stamps, write_cube, tmp_path):
    """Cutouts as FITS of which people graded 64 of 80, and the table that lensdetect grades exports."""
    pixels, folder = np.load(training_stamps / "00000.npy"), tmp_path / "cutouts"
    for number in range(80):
        write_cube(folder / f"{number:05d}_galaxy.fits", pixels[number])
    names = [f"{number:05d}_galaxy" for number in range(64)]
    table = {"id": names, "is_lens": np.arange(64) % 2, "kind": "", "object": "galaxy", "posterior": 0.9}
    pd.DataFrame(table).to_csv(tmp_path / "grades.csv", index=False)
    return folder


@pytest.mark.slow
def test_trains_on_what_people_graded(lensdetect, graded, tmp_path):
    told = ("--truth", tmp_path / "grades.csv", "--survey", "bologna", "--size", 33)
    result = lensdetect(*command(graded, tmp_path / "run", *told))
    assert result.code == 2 and "each of 80 cutouts must have a row of truth, 16 have none" in result.err
    result = lensdetect(*command(graded, tmp_path / "run", *told, "--graded-only", "--plan", "published"))
    assert result.code == 0, result.err
    # nobody is validated with a handful without a word
    assert "this training is validated with " in result.err and "too few to choose an epoch by" in result.err
    assert load_card(tmp_path / "run" / "model" / "1").training["stamps"] == 64


@pytest.mark.slow
def test_validates_with_stamps_of_their_own(lensdetect, training_stamps, graded, tmp_path):
    told = ("--truth", tmp_path / "grades.csv", "--survey", "bologna", "--size", 33, "--graded-only")
    result = lensdetect(*command(graded, tmp_path / "run", *told, "--validation", training_stamps))
    assert result.code == 0 and "too few" not in result.err
    card = load_card(tmp_path / "run" / "model" / "1")
    # a quarter of the 240 has a source that cannot be seen
    assert card.metrics["ugri"]["stamps"] == 180 and card.training["measured_on"]["set"] == "validation"


@pytest.mark.slow
def test_trains_on_several_sets_and_is_measured_on_none_of_them(lensdetect, training_stamps, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(training_stamps, other)
    manifest = json.loads((other / "manifest.json").read_text())
    write_manifest(other, {**manifest, "seed": 10})
    both = ("train", "--data", training_stamps, other, "--detector", "arcformer_test", "--epochs", 1)
    result = lensdetect(*both, "--output", tmp_path / "run")
    assert result.code == 0, result.err
    card = load_card(tmp_path / "run" / "model" / "1")
    assert card.training["stamps"] == 480 and card.training["seeds"] == [9, 10]
    result = lensdetect(*both, "--output", tmp_path / "run_2", "--test", other)
    assert result.code == 2 and "must be others than the training stamps" in result.err
    result = lensdetect(*both, "--output", tmp_path / "run_3", "--truth", tmp_path / "truth.csv")
    assert result.code == 2 and "--truth goes with one folder of images, got 2" in result.err


@pytest.mark.slow
def test_learns_what_other_detectors_say(lensdetect, finished, training_stamps, tmp_path):
    scores = tmp_path / "scores.csv"
    assert lensdetect("score", training_stamps, "--model", finished, "--output", scores).code == 0
    run, teacher = tmp_path / "run", ("--teacher", scores, "--teacher-share", 0.7)
    result = lensdetect(*command(training_stamps, run, *teacher))
    assert result.code == 0, result.err
    history = pd.read_csv(run / "history.csv")
    assert history["accuracy"].between(0.3, 0.8).all() and (history["auroc"] > 0.3).all()
    result = lensdetect("train", "--data", training_stamps, "--output", run, "--resume")
    assert result.code == 2 and "give the same --data" in result.err
    result = lensdetect("train", "--data", training_stamps, "--output", run, "--resume", *teacher)
    assert result.code == 0 and "this training is finished" in result.out


@pytest.mark.slow
def test_interrupted_training_goes_on(start, finished, training_stamps, tmp_path, wait_for, patience_s):
    run = tmp_path / "run"
    process = start(*command(training_stamps, run, "--epochs", 8, "--weights", finished, "--parts", "stem"))
    wait_for((run / "checkpoint" / "state.json").is_file, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=patience_s)
    last = err.splitlines()[-1]
    done = json.loads((run / "checkpoint" / "state.json").read_text())["epoch"]
    assert process.returncode == 2 and "Traceback" not in err
    assert last.startswith(f"lensdetect: error: interrupted after {done} of 8 epochs: go on with lensdetect train ")

    process = start(*last.split(" lensdetect ")[1].split())
    out, err = process.communicate(timeout=patience_s)
    assert process.returncode == 0 and err.startswith(f"going on after epoch {done} of 8\n")
    ours = ("going on", "epoch ", "measuring", "ugri: ", "gri: ", "r: ", "the probability of ")
    assert out.startswith("figures of") and all(line.startswith(ours) for line in err.splitlines())
    assert pd.read_csv(run / "history.csv")["epoch"].tolist() == list(range(1, 9))
    training = load_card(run / "model" / "1").training
    assert (training["epochs"], training["parts"]) == (8, ["stem"])


def test_resume_with_other_stamps(lensdetect, finished, stamps, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(run / "model")
    other = shutil.copytree(stamps, tmp_path / "stamps")
    write_manifest(other, json.loads((other / "manifest.json").read_text()) | {"seed": 77})
    result = lensdetect("train", "--data", other, "--output", run, "--resume")
    assert result.code == 2 and "give the same --data" in result.err
