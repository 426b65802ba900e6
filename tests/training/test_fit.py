"""Trainings of a second: do they learn, and does a resumed one end where it would have?"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from lensdetect.artifact.weights import read_weights
from lensdetect.errors import ArtifactError, InputError
from lensdetect.network import DETECTORS, AttentionPoolHead, Augmentation, DetectorSpec, PublishedEncoder
from lensdetect.survey import SURVEYS
from lensdetect.training import ExponentialSchedule, Plan, Run, TrainingStage, resume, train
from lensdetect.training.callbacks import EpochSeeds
from lensdetect.training.record import split_rows

COLUMNS = ["epoch", "loss", "accuracy", "auroc", "val_loss", "val_accuracy", "val_auroc", "val_tpr10"]


class Failing:
    """Stamps whose disk goes away in the middle of an epoch."""

    def __init__(self, stamps, *, batch_size: int, good_batches: int):
        self._stamps, self._batch_size, self._left = stamps, batch_size, good_batches
        self.truth, self.shape, self.manifest, self.sha256 = stamps.truth, stamps.shape, stamps.manifest, stamps.sha256

    def read(self, rows):
        # Validation reads larger batches.
        self._left -= len(rows) == self._batch_size
        if self._left < 0:
            raise OSError("the disk is gone")
        return self._stamps.read(rows)


@pytest.fixture(scope="module")
def two_stages(plan) -> Plan:
    """Two epochs in each of two stages; 15 batches an epoch."""
    return dataclasses.replace(
        plan,
        stages=(
            TrainingStage(2, ExponentialSchedule(1e-2, 15, 0.5)),
            TrainingStage(2, ExponentialSchedule(1e-3, 15, 0.5)),
        ),
        patience=None,
    )


@pytest.fixture(scope="module")
def uninterrupted(spec, stamps, bologna, two_stages, tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("runs") / "uninterrupted"
    return train(spec, stamps, folder, survey=bologna, plan=two_stages, seed=7)


def arrays(run: Run) -> dict[str, np.ndarray]:
    with np.load(run.checkpoint / run.read_state()["latest"]) as saved:
        return {name: saved[name] for name in saved.files}


def test_learns(trained, plan):
    history = trained.read_history()
    assert history["val_auroc"].max() > 0.9
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert len(history) <= plan.epochs


def test_stops_early_and_keeps_the_best_epoch(trained, plan):
    history, state = trained.read_history(), trained.read_state()
    assert len(history) < plan.epochs
    assert state["best_epoch"] == history["val_auroc"].idxmax() + 1
    assert state["epoch"] == len(history) == state["best_epoch"] + plan.patience
    assert state["best_auroc"] == pytest.approx(history["val_auroc"].max())


def test_run_has_its_files(trained):
    state = trained.read_state()
    # what an export leaves is there if a test before asked for it
    names = {path.name for path in trained.folder.iterdir()} - {"measured", "model"}
    assert names == {"checkpoint", "curves.png", "history.csv", "plan.json"}
    assert {path.name for path in trained.checkpoint.iterdir()} == {state["best"], state["latest"], "state.json"}
    assert (trained.folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_history_has_a_row_an_epoch(trained):
    history = pd.read_csv(trained.folder / "history.csv")
    assert list(history.columns) == [*COLUMNS, "learning_rate", "train_s"]
    assert history["epoch"].tolist() == list(range(1, len(history) + 1))
    assert history[COLUMNS].notna().all(axis=None)
    assert history[["accuracy", "auroc", "val_accuracy", "val_auroc", "val_tpr10"]].stack().between(0, 1).all()


def test_plan_says_what_was_done(trained, stamps, plan, bologna):
    record = trained.read_plan()
    assert record["detector"] == "arcformer_test"
    assert (record["seed"], record["backend"]) == (5, "tensorflow")
    assert record["plan"] == json.loads(json.dumps(plan.as_dict()))
    assert record["data"] == {"sha256": stamps.sha256(), "stamps": 160, "manifest": stamps.manifest}
    assert [band["name"] for band in record["bands"]] == list(bologna.band_names)
    assert (record["weights"], record["parts"]) == (None, "all")


@pytest.mark.parametrize("keep, used", [(False, 150), (True, 160)])
def test_undetected_sources_are_left_out_unless_asked_for(stamps, plan, keep, used):
    truth = stamps.truth.assign(has_source=stamps.truth["is_lens"])
    hidden = np.flatnonzero(~truth["is_lens"])[:10]
    truth.loc[hidden, "has_source"] = True
    rows = np.concatenate(
        split_rows(SimpleNamespace(truth=truth), dataclasses.replace(plan, keep_undetected=keep), seed=1)
    )
    assert len(rows) == len(set(rows)) == used
    assert np.isin(hidden, rows).all() == keep


def test_each_stage_has_a_fresh_optimizer(uninterrupted):
    # The schedule begins anew, and so does the count of steps.
    np.testing.assert_allclose(uninterrupted.read_history()["learning_rate"], [5e-3, 2.5e-3, 5e-4, 2.5e-4], rtol=1e-5)
    steps = [value for name, value in arrays(uninterrupted).items() if name.endswith("/iteration")]
    assert [int(value) for value in steps] == [30]


def check_equal(run: Run, expected: Run) -> None:
    history, wanted = (each.read_history().drop(columns="train_s") for each in (run, expected))
    pd.testing.assert_frame_equal(history, wanted, rtol=1e-3, atol=1e-4)
    found, wanted = arrays(run), arrays(expected)
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-3, atol=1e-4, err_msg=name)


def test_resumed_training_ends_where_it_would_have(uninterrupted, spec, stamps, bologna, two_stages, tmp_path):
    # In the last epoch, which is the second of its stage. The look at the unit, and the last
    # batch of each validation, have as many stamps as a batch of the training.
    failing = Failing(stamps, batch_size=8, good_batches=1 + 3 * (15 + 1) + 8)
    with pytest.raises(Exception, match="the disk is gone"):
        train(spec, failing, tmp_path / "run", survey=bologna, plan=two_stages, seed=7)
    run = Run(tmp_path / "run")
    assert run.read_state()["epoch"] == 3
    # Somebody else's randomness must not matter.
    keras.utils.set_random_seed(999)
    resume(run.folder, stamps, survey=bologna)
    check_equal(run, uninterrupted)


@pytest.mark.slow
def test_resumed_training_in_half_precision(spec, stamps, bologna, two_stages, tmp_path, monkeypatch):
    # As on a GPU with units for it: the scale of the loss is part of the state.
    monkeypatch.setattr("lensdetect.training.record.training_precision", lambda: "mixed_float16")
    plan = dataclasses.replace(two_stages, stages=two_stages.stages[:1])
    whole = train(spec, stamps, tmp_path / "whole", survey=bologna, plan=plan, seed=7)
    assert "optimizer/loss_scale_optimizer/dynamic_scale" in arrays(whole)
    failing = Failing(stamps, batch_size=8, good_batches=15 + 8)
    with pytest.raises(Exception, match="the disk is gone"):
        train(spec, failing, tmp_path / "run", survey=bologna, plan=plan, seed=7)
    check_equal(resume(tmp_path / "run", stamps, survey=bologna), whole)


def test_resume_of_a_finished_training_changes_nothing(uninterrupted, stamps, bologna):
    before = (uninterrupted.folder / "history.csv").read_bytes()
    (uninterrupted.folder / "curves.png").unlink()
    resume(uninterrupted.folder, stamps, survey=bologna)
    assert (uninterrupted.folder / "history.csv").read_bytes() == before
    assert (uninterrupted.folder / "curves.png").is_file()


def test_dropout_differs_by_epoch_and_depends_on_the_seed_alone():
    cutouts = keras.Input((200,), name="cutouts")
    dropped = keras.layers.Dropout(0.5)(keras.layers.Dropout(0.5)(cutouts))
    model = keras.Model(cutouts, dropped)

    def pattern(seed: int, epoch: int) -> np.ndarray:
        callback = EpochSeeds(seed)
        callback.set_model(model)
        callback.on_epoch_begin(epoch)
        return np.asarray(model(np.ones((1, 200)), training=True))

    first = pattern(1, 0)
    np.testing.assert_array_equal(pattern(1, 0), first)
    assert (pattern(1, 1) != first).any()
    assert (pattern(2, 0) != first).any()
    # The two layers do not drop the same values: a quarter is left, not a half.
    assert 0.15 < (first > 0).mean() < 0.35


def test_transfer_restores_the_stem_alone(artifact, stamps, bologna, plan, tmp_path):
    spec = DetectorSpec(DETECTORS["arcformer_test"].stem, PublishedEncoder((), mlp_dim=8), AttentionPoolHead(()))
    # So slow that what was restored is still there at the end.
    frozen = dataclasses.replace(plan, stages=(TrainingStage(1, ExponentialSchedule(1e-9, 1, 1.0)),), patience=None)
    run = train(spec, stamps, tmp_path / "run", survey=bologna, plan=frozen, seed=9, weights=artifact, parts="stem")
    source = read_weights(artifact)
    after = {name.removeprefix("weights/"): value for name, value in arrays(run).items() if name.startswith("weights/")}
    kernels = [name for name in after if name.startswith("stem_") and name.endswith("/kernel")]
    assert len(kernels) > 3
    for name in kernels:
        np.testing.assert_allclose(after[name], source[name], rtol=0, atol=1e-6)
    assert not np.allclose(after["head_token_score/kernel"], source["head_token_score/kernel"], atol=1e-3)
    weights = run.read_plan()["weights"]
    assert (weights["name"], Path(weights["folder"])) == ("arcformer_test-bologna/1", artifact.resolve())
    assert run.read_plan()["parts"] == "stem"


def test_weights_that_do_not_fit_leave_no_folder(artifact, spec, stamps, bologna, plan, tmp_path):
    with pytest.raises(ArtifactError, match="must hold the weights of the detector as it was built"):
        train(spec, stamps, tmp_path / "run", survey=bologna, plan=plan, seed=1, weights=artifact)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"plan": {"batch_size": 121}}, "at least one batch of 121 stamps, got 120: simulate more"),
        ({"plan": {"validation_fraction": 0.001}}, "validation needs lenses and others, got 0 lenses among 0 stamps"),
        (
            {"plan": {"augmentation": Augmentation(band_sets=((("z",), 0.1),))}},
            r"must name bands of the stamps \(u, g, r, i\), got z",
        ),
        ({"seed": -1}, "seed must be a whole number from 0 to 4294967295, got -1"),
        ({"detector": "arcformer_tst"}, "unknown detector 'arcformer_tst': did you mean arcformer_test"),
        ({"survey": SURVEYS["kids"]}, r"the stamps must be of .*'kids'.*, got .*'bologna'.*: name the survey"),
        ({"weights": "nobody"}, "nobody"),
    ],
)
def test_what_does_not_go_together_leaves_no_folder(changes, message, stamps, bologna, plan, tmp_path):
    changes = dict(changes)
    plan = dataclasses.replace(plan, **changes.pop("plan", {}))
    detector = changes.pop("detector", "arcformer_test")
    arguments = {"survey": bologna, "plan": plan, "seed": 1} | changes
    with pytest.raises(InputError, match=message):
        train(detector, stamps, tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()


def test_stamps_must_be_square(stamps, bologna, plan, tmp_path):
    oblong = Failing(stamps, batch_size=8, good_batches=0)
    oblong.shape = (33, 32, 4)
    with pytest.raises(InputError, match="stamps must be square, got 33 x 32 pixels: crop or pad"):
        train("arcformer_test", oblong, tmp_path / "run", survey=bologna, plan=plan, seed=1)


def test_taken_folder(trained, stamps, bologna, plan):
    with pytest.raises(InputError, match="new or empty folder, .* is taken: add --resume to go on"):
        train("arcformer_test", stamps, trained.folder, survey=bologna, plan=plan, seed=1)


def test_resume_needs_the_same_stamps(trained, unseen, bologna):
    with pytest.raises(InputError, match=r"\(160 of sha256 [0-9a-f]{12}\), got 48 others: give the same --data"):
        resume(trained.folder, unseen, survey=bologna)


def test_resume_needs_a_run(tmp_path, stamps, bologna):
    with pytest.raises(InputError, match="a run must be a folder with a plan.json, got "):
        resume(tmp_path, stamps, survey=bologna)


CHILD = """
import json, sys
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS
from lensdetect.training import plan_from_dict, train
stamps, output, plan = sys.argv[1:]
plan = plan_from_dict(json.loads(plan))
train("arcformer_test", Shards(stamps), output, survey=SURVEYS["bologna"], plan=plan, seed=1)
"""


@pytest.mark.slow
def test_killed_training_goes_on(stamps, bologna, plan, tmp_path, wait_for):
    run = Run(tmp_path / "run")
    long = dataclasses.replace(plan, patience=None).with_epochs(400)
    arguments = [stamps.folder, run.folder, json.dumps(long.as_dict())]
    child = subprocess.Popen([sys.executable, "-c", CHILD, *map(str, arguments)])
    try:
        wait_for(lambda: run.read_state()["epoch"] >= 2, child)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert child.returncode == -signal.SIGKILL
    done = run.read_state()["epoch"]
    assert 2 <= done < 400
    # The rest in a few epochs instead of hundreds.
    record = run.read_plan()
    record["plan"] = long.with_epochs(done + 2).as_dict()
    (run.folder / "plan.json").write_text(json.dumps(record))
    resume(run.folder, stamps, survey=bologna)
    assert run.read_history()["epoch"].tolist() == list(range(1, done + 3))
    assert not [name for name in os.listdir(run.checkpoint) if name.endswith(".partial")]
