"""The folder of a run, and what a full disk or a kill leaves of it."""

from __future__ import annotations

import json
import resource
import shutil

import keras
import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError
from lensdetect.training import Run
from lensdetect.training.checkpoint import load_optimizer, load_weights


@pytest.fixture
def model() -> keras.Model:
    """Compiled, with an optimizer that has state."""
    cutouts = keras.Input((4,), name="cutouts")
    model = keras.Model(cutouts, keras.layers.Dense(3000, name="logit")(cutouts))
    model.compile(optimizer=keras.optimizers.AdamW(1e-3), loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def run(tmp_path) -> Run:
    return begun(tmp_path / "run", {"seed": 1})


def begun(folder, plan) -> Run:
    run = Run(folder)
    with run.held(plan):
        return run


def save(run: Run, model: keras.Model, *, epoch: int, auroc: float) -> None:
    """As an epoch does, with all weights equal to the number of the epoch."""
    for variable in (*model.weights, *model.optimizer.variables):
        variable.assign(np.full(variable.shape, epoch))
    row = pd.DataFrame([{"epoch": epoch, "loss": 1.0 / epoch}])
    run.save_epoch(model, pd.concat([run.read_history(), row], ignore_index=True), epoch=epoch, auroc=auroc)


def checkpoints(run: Run) -> list[str]:
    return sorted(path.name for path in run.checkpoint.iterdir())


def test_run_begins_with_its_plan(run):
    assert run.exists
    assert run.read_plan() == {"seed": 1}
    assert run.read_state()["epoch"] == 0
    assert len(run.read_history()) == 0


def test_folder_may_exist_if_nothing_is_in_it(tmp_path):
    (tmp_path / ".plan.json.7.partial").touch()
    Run(tmp_path).check_free()
    assert begun(tmp_path, {"seed": 1}).exists
    assert not list(tmp_path.glob("*.partial"))


def test_folder_is_taken(run, tmp_path):
    with pytest.raises(InputError, match=r"new or empty folder, .*run is taken: add --resume to go on"):
        run.check_free()
    with pytest.raises(InputError, match=r"run holds another training: seed is 1 there and 2 here"):
        begun(run.folder, {"seed": 2})
    assert run.read_plan() == {"seed": 1}


def test_one_training_a_folder(run):
    with run.held({"seed": 1}), pytest.raises(InputError, match=r"run must have one run at a time, and process"):
        begun(run.folder, {"seed": 1})
    with run.held({"seed": 1}):
        assert run.exists


@pytest.mark.parametrize("name", ["file", "file/run"])
def test_folder_cannot_be_made(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=rf"must be writable to .*{name}, got (Not a directory|File exists)"):
        begun(tmp_path / name, {})


def test_no_run(tmp_path):
    with pytest.raises(InputError, match=r"a run must be a folder with a plan.json, got .*: train one with"):
        Run(tmp_path).read_plan()


@pytest.mark.parametrize("name", ["plan.json", "checkpoint/state.json"])
def test_damaged_json(run, name):
    (run.folder / name).write_text('{"epoch": ')
    with pytest.raises(InputError, match=rf"{name} must be JSON as lensdetect wrote it"):
        run.read_plan()
        run.read_state()


def test_keeps_the_latest_and_the_best_epoch(run, model):
    for epoch, auroc in enumerate([0.6, 0.8, 0.7, 0.8], start=1):
        save(run, model, epoch=epoch, auroc=auroc)
    state = run.read_state()
    assert (state["epoch"], state["best_epoch"], state["best_auroc"]) == (4, 2, 0.8)
    assert checkpoints(run) == ["epoch_0002.npz", "epoch_0004.npz", "state.json"]
    assert run.read_history()["epoch"].tolist() == [1, 2, 3, 4]


def test_checkpoint_gives_back_weights_and_optimizer(run, model):
    save(run, model, epoch=1, auroc=0.5)
    save(run, model, epoch=2, auroc=0.4)
    load_weights(run.checkpoint / run.read_state()["best"], model)
    assert all((variable.numpy() == 1).all() for variable in model.weights)
    assert all((variable.numpy() == 2).all() for variable in model.optimizer.variables)
    load_optimizer(run.checkpoint / run.read_state()["best"], model)
    assert all((variable.numpy() == 1).all() for variable in model.optimizer.variables)


def test_checkpoint_of_another_detector(run, model):
    save(run, model, epoch=1, auroc=0.5)
    other = keras.Model(model.input, keras.layers.Dense(3, name="logit")(model.input))
    with pytest.raises(InputError, match=r"epoch_0001.npz must hold the weights of the training that goes on"):
        load_weights(run.checkpoint / "epoch_0001.npz", other)
    with pytest.raises(InputError, match=r"epoch_0009.npz must be a checkpoint, got No such file or directory"):
        load_weights(run.checkpoint / "epoch_0009.npz", model)


@pytest.mark.parametrize(("epoch", "stopped"), [(2, False), (4, False), (5, True)])
def test_stops_when_the_best_lies_behind(run, model, epoch, stopped):
    for number in range(1, epoch + 1):
        save(run, model, epoch=number, auroc=0.9 if number == 2 else 0.5)
    assert run.has_stopped(3) is stopped
    assert not run.has_stopped(None)


def test_has_not_stopped_before_it_began(run):
    assert not run.has_stopped(1)


@pytest.mark.parametrize("limit_bytes", [10, 2_000])
def test_full_disk_leaves_the_epoch_before(run, model, limit_bytes):
    save(run, model, epoch=1, auroc=0.5)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        with pytest.raises(InputError, match=r"a training must be writable to .*run, got File too large: make room"):
            save(run, model, epoch=2, auroc=0.9)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert run.read_state()["epoch"] == 1
    assert run.read_history()["epoch"].tolist() == [1]
    assert checkpoints(run) == ["epoch_0001.npz", "state.json"]
    load_weights(run.checkpoint / "epoch_0001.npz", model)
    assert all((variable.numpy() == 1).all() for variable in model.weights)
    save(run, model, epoch=2, auroc=0.9)
    assert run.read_history()["epoch"].tolist() == [1, 2]


def test_kill_before_the_state_is_written(run, model, tmp_path):
    save(run, model, epoch=1, auroc=0.5)
    before = shutil.copy(run.checkpoint / "state.json", tmp_path / "state.json")
    weights = (run.checkpoint / "epoch_0001.npz").read_bytes()
    save(run, model, epoch=2, auroc=0.4)
    # History and weights of epoch 2 are there, the state is not; half a file lies about.
    shutil.copy(before, run.checkpoint / "state.json")
    (run.checkpoint / "epoch_0001.npz").write_bytes(weights)
    (run.checkpoint / ".epoch_0002.npz.123.partial").write_bytes(b"PK")
    assert run.read_history()["epoch"].tolist() == [1]
    load_weights(run.checkpoint / run.read_state()["latest"], model)
    assert all((variable.numpy() == 1).all() for variable in model.weights)
    save(run, model, epoch=2, auroc=0.9)
    save(run, model, epoch=3, auroc=0.95)
    assert run.read_history()["epoch"].tolist() == [1, 2, 3]
    assert checkpoints(run) == ["epoch_0003.npz", "state.json"]


def test_state_is_plain_json(run, model):
    save(run, model, epoch=1, auroc=np.float64(0.5))
    assert json.loads((run.checkpoint / "state.json").read_text()) == {
        "epoch": 1,
        "latest": "epoch_0001.npz",
        "best": "epoch_0001.npz",
        "best_auroc": 0.5,
        "best_epoch": 1,
    }
