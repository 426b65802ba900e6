from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError
from lensdetect.network import Augmentation
from lensdetect.training import CosineSchedule, Plan, TrainingStage, find_detector_spec, find_plan
from lensdetect.training.tuning import Knob, Search, search, tune
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
    history = pd.read_csv(folder / "keras_tuner" / "trial_0" / "run" / "history.csv")
    assert len(history) == 2 and table["val_auroc"].iloc[0] == pytest.approx(history["val_auroc"].iloc[1], abs=0.005)
    assert not (folder / "keras_tuner" / "trial_0" / "run" / "checkpoint").exists()
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


def test_bayesian_search_finds_the_hill(run, quick_trials, tmp_path):
    table = run(kind="bayesian", trials=9, epochs=4)
    assert table["epochs"].eq(4).all() and len(table) == 9
    best = find_plan(str(tmp_path / "tuned" / "plan.json"))
    assert abs(np.log10(best.stages[0].schedule.peak) + 2.5) < 0.15
    assert best.epochs == 5 and best.name == "short_tuned"
    row = table.loc[table["val_auroc"].idxmax()]
    assert best.batch_size == row["plan_batch_size"] and best.stages[0].weight_decay == row["plan_weight_decay"]


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
    assert len(pd.read_csv(tmp_path / "tuned" / "trials.csv")) == 2
    assert {"trials.png", "spec.json", "plan.json"} < {path.name for path in (tmp_path / "tuned").iterdir()}
    before = len(quick_trials)
    table = run(epochs=3)
    assert len(quick_trials) - before == 4
    pd.testing.assert_frame_equal(table, whole)


@pytest.mark.parametrize("kind", ["bayesian", "hyperband"])
def test_more_trials_prolong_a_search(run, quick_trials, kind):
    first = run(kind=kind, trials=3, epochs=3)
    assert len(first) == 3
    table = run(kind=kind, trials=7, epochs=3)
    assert len(table) == 7 and len(quick_trials) == 7
    pd.testing.assert_frame_equal(table[:3], first)


def test_trial_goes_on_after_its_last_epoch(stamps, spec, bologna, short_plan, tmp_path, monkeypatch):
    bench = trial_module.Bench(stamps, bologna, validation=np.arange(40), seed=3, fpr=0.1)
    plan = short_plan.with_epochs(2)
    saved = trial_module.Run.save_epoch

    def killed(self, model, history, *, epoch, auroc):
        saved(self, model, history, epoch=epoch, auroc=auroc)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trial_module.Run, "save_epoch", killed)
        with pytest.raises(KeyboardInterrupt):
            trial_module.run_trial(tmp_path / "run", spec, plan=plan, bench=bench)
    assert len(pd.read_csv(tmp_path / "run" / "history.csv")) == 1
    found = trial_module.run_trial(tmp_path / "run", spec, plan=plan, bench=bench)
    assert pd.read_csv(tmp_path / "run" / "history.csv")["epoch"].tolist() == [1, 2]
    assert 0 <= found["val_auroc"] <= 1 and found["parameters"] > 0 and found["operations"] > 0


def test_search_goes_on_as_it_began(run, quick_trials, short_plan, tmp_path):
    run(kind="bayesian", trials=2)
    with pytest.raises(InputError, match="its objective is another: auroc in .*search.json, got tpr"):
        run(kind="bayesian", trials=2, objective="tpr", fpr=0.05)
    with pytest.raises(InputError, match="its seed is another: 3 in .*search.json, got 4: ask for the same, or search"):
        run(kind="bayesian", trials=2, seed=4)
    with pytest.raises(InputError, match="its detector is another: custom_detector in"):
        run(kind="bayesian", trials=2, detector="arcformer_test")
    with pytest.raises(InputError, match="its plan is another: ask for the same"):
        run(kind="bayesian", trials=2, plan=short_plan.with_epochs(4))
    record = json.loads((tmp_path / "tuned" / "search.json").read_text())
    (tmp_path / "tuned" / "search.json").write_text(json.dumps(record | {"data": "0"}))
    with pytest.raises(InputError, match="its data is another"):
        run(kind="bayesian", trials=2)


def test_what_cannot_be_searched(run, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(InputError, match="needs a new or empty folder, or its own, .*taken is taken"):
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
