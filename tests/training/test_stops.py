"""A training that is stopped in any of its writes goes on, and ends as if nothing had been."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from lensdetect.errors import InputError
from lensdetect.runs import code_key, writable, write_folder
from lensdetect.training import Run, export, resume, train
from lensdetect.training.record import check_goes_on

EPOCHS = 2


@pytest.fixture
def quick(monkeypatch):
    """Epochs that add one to every weight, and an artifact without a network: what is written is as ever."""

    def fit(model, batches, *, initial_epoch, epochs, callbacks, **options):
        for epoch in range(initial_epoch, epochs):
            for variable in (*model.trainable_variables, *model.optimizer.variables):
                variable.assign(variable + 1)
            model.optimizer.iterations.assign_add(options["steps_per_epoch"] - 1)
            for callback in callbacks:
                callback.set_model(model)
                callback.on_epoch_begin(epoch)
                callback.on_epoch_end(epoch, {"loss": 1.0, "accuracy": 0.5, "auroc": 0.5})

    def save_detector(model, folder, *, card):
        with writable(folder):
            write_folder(folder, lambda partial: (partial / "card.json").write_text(card.to_json()))
        return folder

    monkeypatch.setattr(keras.Model, "fit", fit)
    monkeypatch.setattr(keras.Model, "predict", lambda model, batches, **options: np.linspace(-1, 1, 40)[:, None])
    # The package holds functions under the names of two of its modules.
    export_module, fit_module = (sys.modules[f"lensdetect.training.{name}"] for name in ("export", "fit"))
    monkeypatch.setattr("lensdetect.artifact.save_detector", save_detector)
    monkeypatch.setattr(export_module, "calibrations", lambda *given, **options: {})
    monkeypatch.setattr(export_module, "measure", lambda *given, **options: {"ugri": {"auroc": 0.5}})
    monkeypatch.setattr(fit_module, "learning_curves", lambda history: Figure(figsize=(1, 1)))


@pytest.fixture
def command(spec, stamps, bologna, plan):
    """As the command line does it: train or resume, then export."""
    short = dataclasses.replace(plan, patience=None).with_epochs(EPOCHS)

    def run(folder, *, go_on: bool = False) -> None:
        if go_on and Run(folder).exists:
            resume(folder, stamps, survey=bologna)
        else:
            Run(folder).check_free()
            train(spec, stamps, folder, survey=bologna, plan=short, seed=1)
        if not Run(folder).model_folder.exists():
            export(Run(folder), stamps, survey=bologna)

    return run


def results(folder) -> dict[str, object]:
    """All that a run has left but pictures, without the times."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".npz":
            with np.load(path) as saved:
                found[name] = {key: saved[key].tobytes() for key in saved.files}
        elif path.suffix == ".csv":
            found[name] = pd.read_csv(path).drop(columns="train_s").to_csv()
        elif path.is_file():
            found[name] = b"" if path.suffix == ".png" else path.read_bytes()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("how", ["full disk", "kill before"])
def test_training_goes_on_after_a_stop_in_any_write(quick, command, stopped_at, tmp_path, how):
    command(tmp_path / "whole")
    wanted = results(tmp_path / "whole")
    assert {"plan.json", "history.csv", "curves.png", f"checkpoint/epoch_000{EPOCHS}.npz", "model/1/card.json"} < {
        *wanted
    }
    number = 0
    while stopped_at(lambda number=number: command(tmp_path / str(number)), number, how=how):
        command(tmp_path / str(number), go_on=True)
        assert results(tmp_path / str(number)) == wanted, number
        number += 1
    # Plan, figure, card and artifact; history, weights and state of each epoch.
    assert number == 4 + 3 * EPOCHS


def test_what_a_killed_training_has_left_is_removed(quick, command, tmp_path):
    command(tmp_path / "run")
    left = [tmp_path / "run" / name for name in (".curves.png.7.partial", "model/.1.7.partial/variables")]
    left[0].touch()
    left[1].mkdir(parents=True)
    command(tmp_path / "run", go_on=True)
    assert not [path for path in (tmp_path / "run").rglob("*.partial*")]


def test_full_disk_is_said_in_one_line(quick, command, tmp_path, monkeypatch):
    def full(path, model):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("lensdetect.training.run.save_checkpoint", full)
        with pytest.raises(InputError, match=r"No space left on device: make room .* goes on with --resume$"):
            command(tmp_path / "run")
    command(tmp_path / "run", go_on=True)
    assert Run(tmp_path / "run").read_state()["epoch"] == EPOCHS


def test_training_goes_on_with_what_it_began_with(trained, stamps, bologna):
    record = trained.read_plan()
    check_goes_on(record, stamps, survey=bologna)
    older = {name: value for name, value in record.items() if name != "code"}
    with pytest.raises(InputError, match=r"the code that it began with, lensdetect before 0.2, got .*: install that"):
        check_goes_on(older, stamps, survey=bologna)
    assert record["code"].split("+")[0] == code_key().split("+")[0]
    bands = tuple(dataclasses.replace(band, zero_point_mag=25.0) for band in bologna.bands)
    with pytest.raises(InputError, match="the bands of bologna that it began with, got others of that name"):
        check_goes_on(record, stamps, survey=dataclasses.replace(bologna, bands=bands))


def test_weights_to_start_from_are_those_of_the_plan(trained, artifact, stamps, bologna, plan, tmp_path):
    """The folder that a training starts from was replaced before its first epoch ended."""
    record = trained.read_plan() | {
        "weights": {"folder": str(artifact), "name": "arcformer_test-bologna/1", "sha256": "0" * 64}
    }
    with Run(tmp_path / "run").held(record):
        pass
    with pytest.raises(InputError, match=r"begin with the weights of its plan, sha256 0{12}, got .*: put them back"):
        resume(tmp_path / "run", stamps, survey=bologna)
    assert json.loads((tmp_path / "run" / "plan.json").read_text())["weights"]["sha256"] == "0" * 64
