from __future__ import annotations

import dataclasses
import errno
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from lensdetect.errors import InputError
from lensdetect.network import DETECTORS, Augmentation
from lensdetect.runs import write_json, write_text
from lensdetect.training import PLANS, CosineSchedule, Plan, Run, TrainingStage, find_detector_spec, find_plan
from lensdetect.training.tuning import Knob, Search, knobs_of, search, tune
from lensdetect.training.tuning import trial as trial_module


@pytest.fixture
def short_plan() -> Plan:
    return Plan(
        name="short",
        stages=(TrainingStage(5, CosineSchedule(1e-2), weight_decay=0.01),),
        batch_size=32,
        augmentation=Augmentation(),
    )


@pytest.fixture
def quick_trials(monkeypatch):
    """Trials that train nothing: a known hill over learning rate, and what was asked of them."""
    asked = []

    def run_trial(folder, spec, *, plan, bench):
        rate = plan.stages[0].schedule.peak
        asked.append((spec, plan))
        auroc = 0.9 - 0.2 * abs(np.log10(rate) + 2.5) + 0.001 * plan.epochs
        figures = {"val_auroc": auroc, "val_tpr": auroc / 2, "val_loss": 0.3, "train_s": 1.0}
        return figures | {"parameters": 10.0, "operations": 20.0}

    monkeypatch.setattr(search, "run_trial", run_trial)
    return asked


@pytest.fixture
def run(stamps, spec, bologna, short_plan, tmp_path):
    def tuned(*, folder="tuned", seed=3, detector=spec, plan=short_plan, **options):
        how = Search(**{"validation_fraction": 0.3, "parts": ("plan",)} | options)
        return tune(detector, stamps, tmp_path / folder, survey=bologna, plan=plan, search=how, seed=seed)

    return tuned


def test_search_end_to_end(run, tmp_path, stamps, short_plan, spec, monkeypatch):
    # The second trial asks for a batch that the stamps do not fill.
    knob = Knob("plan_batch_size", 32, (32, 4096), lambda plan, value: dataclasses.replace(plan, batch_size=value))
    monkeypatch.setattr(search, "knobs_of", lambda *given, **options: (knob,))
    table = run(kind="bayesian", epochs=2, trials=2, fpr=0.05)
    assert table["status"].tolist() == ["done", "failed"]
    assert "at least one batch of 4096 stamps" in table["error"].iloc[1] and np.isnan(table["val_auroc"].iloc[1])
    folder = tmp_path / "tuned"
    pd.testing.assert_frame_equal(pd.read_csv(folder / "trials.csv").fillna({"error": ""}), table, check_dtype=False)
    assert {"trials.png", "search.json"} < {path.name for path in folder.iterdir()}
    # The streaming AUROC is that of the exact history, the plan as long as it was.
    history = pd.read_csv(folder / "trials" / "0001" / "history.csv")
    assert len(history) == 2 and table["val_auroc"].iloc[0] == pytest.approx(history["val_auroc"].iloc[1], abs=0.005)
    assert not (folder / "trials" / "0001" / "checkpoint").exists()
    assert find_detector_spec(str(folder / "spec.json")) == spec
    assert find_plan(str(folder / "plan.json")) == dataclasses.replace(short_plan, name="short_tuned")


def test_hyperband_begins_with_the_plan_and_trains_the_best_longer(run, quick_trials, short_plan):
    table = run(kind="hyperband", epochs=3)
    assert len(table) == 6 and (table["status"] == "done").all()
    assert table["epochs"].tolist() == [1, 1, 1, 3, 3, 3]
    assert table["plan_learning_rate"].iloc[0] == 0.01 and table["plan_learning_rate"].nunique() > 3
    first = table[:3].sort_values("val_auroc").iloc[-1]
    assert table["plan_learning_rate"].iloc[3] == first["plan_learning_rate"]
    assert [plan.epochs for _, plan in quick_trials] == table["epochs"].tolist()
    assert {plan.validation_fraction for _, plan in quick_trials} == {0.3}


@pytest.fixture
def one_knob(monkeypatch):
    """Nothing but the learning rate is turned: a Gaussian process takes long to be asked about many numbers."""
    knobs = [knob for knob in knobs_of(DETECTORS["arcformer_test"], PLANS["adamw"]) if "learning_rate" in knob.name]
    low, high = knobs[0].values
    rate = dataclasses.replace(knobs[0], default=0.01, values=(low, max(high, 0.02)))
    monkeypatch.setattr(search, "knobs_of", lambda *given, **options: (rate,))


def test_bayesian_search_finds_the_hill(run, quick_trials, one_knob, tmp_path):
    table = run(kind="bayesian", trials=6, epochs=4)
    assert table["epochs"].eq(4).all() and len(table) == 6
    best = find_plan(str(tmp_path / "tuned" / "plan.json"))
    assert abs(np.log10(best.stages[0].schedule.peak) + 2.5) < 0.15
    assert best.epochs == 5 and best.name == "short_tuned"
    row = table.loc[table["val_auroc"].idxmax()]
    assert best.stages[0].schedule.peak == row["plan_learning_rate"]


@pytest.mark.slow
def test_bayesian_search_chooses_the_same_however_often_it_is_interrupted(run, quick_trials, one_knob, monkeypatch):
    whole = run(folder="whole", kind="bayesian", trials=5, epochs=1)
    working, interrupted = search.run_trial, set()

    def once_each(folder, *given, **options):
        if folder not in interrupted:
            interrupted.add(folder)
            raise KeyboardInterrupt
        return working(folder, *given, **options)

    monkeypatch.setattr(search, "run_trial", once_each)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            run(kind="bayesian", trials=5, epochs=1)
    pd.testing.assert_frame_equal(run(kind="bayesian", trials=5, epochs=1), whole)


def test_same_seed_same_trials(run, quick_trials):
    tables = [run(folder=f"{number}", kind="hyperband", epochs=3) for number in range(2)]
    pd.testing.assert_frame_equal(*tables)
    assert not run(folder="2", kind="hyperband", epochs=3, seed=4).equals(tables[0])


def test_failed_trials_do_not_end_hyperband(run, quick_trials, monkeypatch):
    working, count = search.run_trial, iter(range(100))

    def sometimes(*given, **options):
        if next(count) in (1, 2):
            raise MemoryError("no room\nfor this")
        return working(*given, **options)

    monkeypatch.setattr(search, "run_trial", sometimes)
    table = run(kind="hyperband", epochs=3)
    assert table["status"].tolist() == ["done", "failed", "failed", "done", "done", "done"]
    assert table["error"].iloc[1] == "MemoryError: no room for this"
    assert table["epochs"].iloc[3] == 3


def test_interrupted_search_goes_on_with_the_trial_it_was_in(run, quick_trials, monkeypatch, tmp_path):
    whole = run(folder="whole", epochs=3)
    working, count = search.run_trial, iter(range(100))

    def interrupted(*given, **options):
        if next(count) == 2:
            raise KeyboardInterrupt
        return working(*given, **options)

    monkeypatch.setattr(search, "run_trial", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(epochs=3)
    # What has been found is there to be used.
    assert pd.read_csv(tmp_path / "tuned" / "trials.csv")["status"].tolist() == ["done", "done", "running"]
    assert {"trials.png", "spec.json", "plan.json"} < {path.name for path in (tmp_path / "tuned").iterdir()}
    before = len(quick_trials)
    table = run(epochs=3)
    assert len(quick_trials) - before == 4
    pd.testing.assert_frame_equal(table, whole)


@pytest.mark.parametrize("kind", ["bayesian", "hyperband"])
def test_more_trials_prolong_a_search(run, quick_trials, one_knob, kind):
    first = run(kind=kind, trials=3, epochs=3)
    assert len(first) == 3
    # More than a round of Hyperband has.
    table = run(kind=kind, trials={"bayesian": 4, "hyperband": 8}[kind], epochs=3)
    assert len(table) == len(quick_trials) == {"bayesian": 4, "hyperband": 8}[kind]
    pd.testing.assert_frame_equal(table[:3], first)


@pytest.fixture
def trials_on_disk(quick_trials, monkeypatch):
    """The same, which leave a run with an epoch, as trials do."""
    quick = search.run_trial

    def run_trial(folder, spec, *, plan, bench):
        run = Run(folder)
        with run.held({"plan": plan.as_dict()}):
            write_text(run.folder / "history.csv", "epoch\n1\n")
            write_json(run.checkpoint / "state.json", {"epoch": 1, "latest": None})
        return quick(folder, spec, plan=plan, bench=bench)

    monkeypatch.setattr(search, "run_trial", run_trial)


def results(folder: Path) -> dict[str, bytes]:
    """Every file of a search but pictures, by its name; what processes leave for a moment is not there any more."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".png"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["full disk", "kill before", "kill after"])
def test_search_goes_on_after_a_stop_in_any_write(run, trials_on_disk, stopped_at, tmp_path, monkeypatch, how):
    monkeypatch.setattr(search, "tuning_figure", lambda *given, **options: Figure(figsize=(1, 1)))
    options = {"kind": "bayesian", "trials": 2, "epochs": 1}
    whole = run(folder="whole", **options)
    number = 0
    while stopped_at(lambda number=number: run(folder=f"{how}{number}", **options), number, how=how):
        folder = tmp_path / f"{how}{number}"
        pd.testing.assert_frame_equal(run(folder=folder.name, **options), whole)
        assert results(folder) == results(tmp_path / "whole"), number
        assert (folder / "trials.png").is_file()
        number += 1
    assert number > 12


def test_full_disk_ends_the_search_and_not_the_trial(run, quick_trials, monkeypatch, tmp_path):
    working = search.run_trial

    def full(*given, **options):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise InputError("a training must be writable, got No space left on device: make room") from error

    monkeypatch.setattr(search, "run_trial", full)
    with pytest.raises(InputError, match="got No space left on device: make room"):
        run(epochs=1)
    monkeypatch.setattr(search, "run_trial", working)
    assert run(epochs=1)["status"].tolist() == ["done"]


def test_two_searches_at_once_are_refused(run, quick_trials, monkeypatch, tmp_path):
    def second(*given, **options):
        run(epochs=1)

    monkeypatch.setattr(search, "run_trial", second)
    table = run(epochs=1)
    assert "tuned must have one run at a time, and process" in table["error"].iloc[0]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"oracle": {}, "trials": [{}]}', '{"oracle": 3, "trials": []}']
)
def test_damaged_state_is_said_in_one_line(run, quick_trials, tmp_path, content):
    run(epochs=1)
    (tmp_path / "tuned" / "state.json").write_text(content)
    with pytest.raises(InputError, match=r"state.json must .*: search anew in another folder"):
        run(epochs=1)


def test_trial_that_diverges_has_failed(stamps, spec, bologna, short_plan, tmp_path, monkeypatch):
    monkeypatch.setattr(trial_module, "train", lambda *given, **options: None)
    monkeypatch.setattr(trial_module, "_evaluate", lambda *given: {"val_auroc": 0.5, "val_loss": float("nan")})
    bench = trial_module.Bench(stamps, bologna, validation=np.arange(40), seed=3, fpr=0.1)
    with pytest.raises(InputError, match="a trial must end with numbers, got val_loss nan: its training diverged"):
        trial_module.run_trial(tmp_path / "run", spec, plan=short_plan, bench=bench)


@pytest.mark.slow
def test_trial_goes_on_after_its_last_epoch_or_anew(stamps, spec, bologna, short_plan, tmp_path, monkeypatch):
    bench = trial_module.Bench(stamps, bologna, validation=np.arange(40), seed=3, fpr=0.1)
    plan, run = short_plan.with_epochs(2), Run(tmp_path / "run")
    saved, epochs = Run.save_epoch, []

    def killed(self, model, history, *, epoch, auroc):
        saved(self, model, history, epoch=epoch, auroc=auroc)
        epochs.append(epoch)
        if epochs == [1]:
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "save_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        trial_module.run_trial(run.folder, spec, plan=plan, bench=bench)
    assert len(run.read_history()) == 1
    found = trial_module.run_trial(run.folder, spec, plan=plan, bench=bench)
    assert epochs == [1, 2] and run.read_history()["epoch"].tolist() == [1, 2]
    assert 0 <= found["val_auroc"] <= 1 and found["parameters"] > 0 and found["operations"] > 0
    # Weights that cannot be read are no reason to call it failed.
    (run.checkpoint / "epoch_0002.npz").write_bytes(b"PK")
    begun = []
    monkeypatch.setattr(trial_module, "_evaluate", lambda *given: found)
    for name in ("train", "resume"):
        monkeypatch.setattr(trial_module, name, lambda *given, name=name, **options: begun.append(name))
    assert trial_module.run_trial(run.folder, spec, plan=plan, bench=bench) == found
    assert begun == ["train"] and not run.folder.exists()


def test_search_goes_on_as_it_began(run, quick_trials, short_plan, tmp_path):
    run(kind="bayesian", trials=2)
    with pytest.raises(InputError, match="tuned holds another search: objective is auroc there and tpr here"):
        run(kind="bayesian", trials=2, objective="tpr", fpr=0.05)
    with pytest.raises(InputError, match="seed is 3 there and 4 here: choose another folder, or ask"):
        run(kind="bayesian", trials=2, seed=4)
    with pytest.raises(InputError, match="detector is custom_detector there and arcformer_test here"):
        run(kind="bayesian", trials=2, detector="arcformer_test")
    with pytest.raises(InputError, match="plan.stages is .* there and .* here"):
        run(kind="bayesian", trials=2, plan=short_plan.with_epochs(4))
    record = json.loads((tmp_path / "tuned" / "search.json").read_text())
    for name in ("data", "code"):
        (tmp_path / "tuned" / "search.json").write_text(json.dumps(record | {name: "0"}))
        with pytest.raises(InputError, match=f"holds another search: {name} is 0 there and"):
            run(kind="bayesian", trials=2)


def test_what_cannot_be_searched(run, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(InputError, match="taken must be empty or hold this search, got file and no search.json"):
        run(folder="taken")
    # Of 48 held-out stamps about 32 are no lens.
    with pytest.raises(InputError, match=r"FPR of 0.001 needs at least 1000 held-out stamps that are no lens, got 3\d"):
        run(objective="tpr", fpr=0.001)
    assert not (tmp_path / "tuned").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "hyperbande"}, "unknown search 'hyperbande': did you mean hyperband"),
        ({"objective": "auc"}, "unknown objective 'auc': did you mean auroc"),
        ({"epochs": 0}, "trials of at least one epoch"),
        ({"fpr": 1.0}, "FPR of a search must lie between 0 and 1, got 1.0"),
    ],
)
def test_searches_that_are_none(options, message):
    with pytest.raises(InputError, match=message):
        Search(**options)
