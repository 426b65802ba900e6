"""A training under JAX or PyTorch: it goes on under TensorFlow as it would have there, and is exported there."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from lensdetect.artifact import load_card, load_detector
from lensdetect.errors import InputError
from lensdetect.network import Augmentation
from lensdetect.training import ExponentialSchedule, Plan, Run, TrainingStage, export, fit, resume, train

#: Trains two epochs, and a third in a copy; calibrates and measures that.
CHILD = """
import json, shutil, sys
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS
from lensdetect.training import Run, make_card, plan_from_dict, resume, train
stamps, two, three, plan = sys.argv[1:]
plan, stamps, survey = plan_from_dict(json.loads(plan)), Shards(stamps), SURVEYS["bologna"]
run = train("arcformer_test", stamps, two, survey=survey, plan=plan.with_epochs(2), seed=1)
shutil.copytree(two, three)
Run(three).change_plan(run.read_plan() | {"plan": plan.as_dict()})
make_card(resume(three, stamps, survey=survey), stamps, survey=survey)
"""


@pytest.fixture(scope="module")
def three_epochs() -> Plan:
    """Of a constant rate, so that two of them are how three begin."""
    return Plan(
        name="steady",
        stages=(TrainingStage(3, ExponentialSchedule(1e-3, 1, 1.0)),),
        batch_size=16,
        augmentation=Augmentation(max_shift_pix=1, band_sets=((("r",), 0.2),)),
        validation_fraction=0.25,
    )


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.slow) for name in ("jax", "torch")])
def elsewhere(request, stamps, three_epochs, tmp_path_factory, patience_s) -> tuple[Run, Run]:
    """Runs of two epochs and of three."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path_factory.mktemp(request.param)
    arguments = [stamps.folder, folder / "two", folder / "three", json.dumps(three_epochs.as_dict())]
    subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, arguments)],
        env=os.environ | {"KERAS_BACKEND": request.param},
        check=True,
        timeout=patience_s,
    )
    return Run(folder / "two"), Run(folder / "three")


def test_goes_on_under_tensorflow(elsewhere, stamps, bologna, three_epochs, tmp_path):
    two, three = elsewhere
    assert two.read_plan()["backend"] != "tensorflow"
    run = Run(shutil.copytree(two.folder, tmp_path / "run"))
    run.change_plan(two.read_plan() | {"plan": three_epochs.as_dict()})
    resume(run.folder, stamps, survey=bologna)
    ours, theirs = run.read_history(), three.read_history()
    for name in ("loss", "val_loss", "val_auroc"):
        # Same weights, order and views: only the rounding differs.
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0.01, err_msg=name)
    assert (ours["loss"].diff()[1:] < 0).all()


def test_is_exported_without_the_stamps(elsewhere, stamps, tmp_path):
    run = Run(shutil.copytree(elsewhere[1].folder, tmp_path / "run"))
    card = load_card(export(run))
    found = load_detector(run.model_folder)(stamps.read(np.arange(32))).logit
    assert card.metrics == load_card(run.measured).metrics and set(card.metrics) == {"ugri", "r"}
    assert card.training["kept_epoch"] == 3 and np.isfinite(found).all()


def test_unfinished_run_is_exported_if_asked(elsewhere, stamps, bologna, three_epochs, tmp_path):
    run = Run(shutil.copytree(elsewhere[0].folder, tmp_path / "run"))
    run.change_plan(run.read_plan() | {"plan": three_epochs.as_dict()})
    with pytest.raises(InputError, match="run has done 2 of 3 epochs: go on with .* --resume, or .* --unfinished"):
        export(run)
    with pytest.raises(InputError, match="not calibrated and measured at its epoch 2: give its stamps, with --data"):
        export(run, unfinished=True)
    card = load_card(export(run, stamps, survey=bologna, unfinished=True))
    assert card.training["kept_epoch"] == run.read_state()["best_epoch"]
    assert card.training["epochs"] == 2


class Small:
    """A device that has memory for so many stamps in a batch; stands in for Keras's fit."""

    def __init__(self, monkeypatch, most: int):
        self.sizes: list[int] = []
        batches = fit.training_batches

        def limited(*args, batch_size, **others):
            self.sizes.append(batch_size)
            if batch_size > most:
                raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1 byte")
            return batches(*args, batch_size=batch_size, **others)

        monkeypatch.setattr(fit, "training_batches", limited)


def test_batch_is_halved_where_memory_is_short(monkeypatch, caplog, spec, stamps, bologna, three_epochs, tmp_path):
    device = Small(monkeypatch, most=4)
    plan = dataclasses.replace(three_epochs, stages=three_epochs.stages[:1]).with_epochs(1)
    run = train(spec, stamps, tmp_path / "run", survey=bologna, plan=plan, seed=1)
    assert device.sizes == [16, 8, 4]
    assert "no memory for batches of 16 stamps: going on in batches of 8, with as many stamps" in caplog.text
    assert run.read_plan()["plan"]["batch_size"] == 4
    with np.load(run.checkpoint / run.read_state()["latest"]) as saved:
        # 120 stamps an epoch, as before.
        assert int(saved["optimizer/adamw/iteration"]) == 30


@pytest.mark.slow
def test_batch_is_halved_in_the_middle_of_a_stage(monkeypatch, spec, stamps, bologna, three_epochs, tmp_path):
    whole = train(spec, stamps, tmp_path / "run", survey=bologna, plan=three_epochs.with_epochs(1), seed=1)
    whole.change_plan(whole.read_plan() | {"plan": three_epochs.with_epochs(2).as_dict()})
    Small(monkeypatch, most=8)
    run = resume(whole.folder, stamps, survey=bologna)
    with np.load(run.checkpoint / run.read_state()["latest"]) as saved:
        # The learning rate goes by steps, and all epochs count as many now.
        assert int(saved["optimizer/adamw/iteration"]) == 30
    assert len(run.read_history()) == 2


def test_no_memory_for_one_stamp(monkeypatch, spec, stamps, bologna, three_epochs, tmp_path):
    Small(monkeypatch, most=0)
    with pytest.raises(InputError, match="must have memory for a batch of one stamp, it has too little: train a small"):
        train(spec, stamps, tmp_path / "run", survey=bologna, plan=three_epochs, seed=1)


def test_trained_weights_need_tensorflow(monkeypatch):
    from lensdetect.artifact.weights import read_weights
    from lensdetect.errors import ArtifactError

    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ArtifactError, match="read with TensorFlow, which is not installed: train without them"):
        read_weights(SimpleNamespace())
