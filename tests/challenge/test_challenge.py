from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lensdetect.challenge import ChallengePlan, challenge
from lensdetect.challenge.job import is_done, run_job
from lensdetect.challenge.oracle import manifest_population
from lensdetect.challenge.run import population_values
from lensdetect.errors import InputError
from lensdetect.metrics import lens_metrics
from lensdetect.runs import lock
from lensdetect.simulation import BolognaPopulation
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS


@pytest.fixture
def results(finished) -> pd.DataFrame:
    return pd.read_csv(finished / "results.csv", keep_default_na=True).set_index("system")


def test_every_system_is_a_row_with_its_figures_and_costs(results, finished, test_stamps):
    is_lens = Shards(test_stamps).truth["is_lens"].to_numpy()
    with np.load(finished / "systems" / "all_star-4" / "scores.npz") as saved:
        metrics = lens_metrics(is_lens, saved["test"])
    row = results.loc["all_star"]
    for name in ("auroc", "tpr0", "tpr10", "accuracy"):
        assert row[name] == getattr(metrics, name)
        assert (row[f"{name}_low"], row[f"{name}_high"]) == getattr(metrics, f"{name}_interval")
    assert row["auroc"] > 0.9 and row["seed"] == 4
    network = results.loc["arcformer_test@gri"]
    assert network["epochs"] == 2 and network["bands"] == "gri"
    for name in (
        "parameters",
        "operations",
        "training_stamps_per_s",
        "scoring_stamps_per_s",
        "peak_memory_mb",
        "wall_s",
    ):
        assert network[name] > 0, name
    committee = results.loc["rank_mean:arcformer_test@gri+all_star"]
    assert committee["parameters"] == network["parameters"] + row["parameters"]


def test_best_comes_first_and_what_failed_last(finished):
    table = pd.read_csv(finished / "results.csv")
    assert list(table["auroc"].dropna()) == sorted(table["auroc"].dropna(), reverse=True)
    assert table["system"].iloc[-1] == "oracle"


def test_failing_system_is_a_row_with_its_error(results, finished):
    # These stamps were not simulated from a population, and their scenes cannot be drawn again.
    row = results.loc["oracle"]
    assert np.isnan(row["auroc"])
    assert "the oracle needs stamps drawn from BolognaPopulation" in row["error"] and "log.txt" in row["error"]
    assert (finished / "systems" / "oracle-4" / "log.txt").read_text().count("Traceback") >= 1
    assert results.loc["all_star"]["error"] != results.loc["all_star"]["error"]  # empty


def test_table_in_markdown_has_published_figures_beside_ours(finished):
    text = (finished / "results.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith("| all_star "))
    assert line.endswith("| 0.84 | 0.01 | 0.02 |  |")
    assert "## Failed" in text and "the eighth vertex" in text and "90, 30 of them lenses" in text


def test_figures_are_there_and_are_pictures(finished):
    names = {path.stem for path in finished.glob("*.png")}
    wanted = {"roc", "scores", "confusion", "learning_curves", "auroc_against_operations"}
    assert wanted | {"found_by_einstein_radius", "found_by_arc_snr"} <= names
    for path in finished.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000


@pytest.mark.slow
def test_finished_challenge_is_not_done_again_and_takes_new_systems(
    finished, training_stamps, test_stamps, plan, tmp_path
):
    output = Path(shutil.copytree(finished, tmp_path / "output"))
    before = (output / "systems" / "arcformer_test@gri-4" / "costs.json").stat().st_mtime_ns
    systems = ("arcformer_test@gri", "mean_logit:arcformer_test@gri+all_star")
    table = challenge(training_stamps, output, test=test_stamps, plan=plan, systems=systems, seed=4)
    assert (output / "systems" / "arcformer_test@gri-4" / "costs.json").stat().st_mtime_ns == before
    assert set(table["system"]) == {"arcformer_test@gri", "all_star", "mean_logit:arcformer_test@gri+all_star"}


def test_another_challenge_in_the_same_place_is_refused(finished, training_stamps, test_stamps, plan):
    longer = ChallengePlan("tiny", plan.systems, epochs=3, recipe="published")
    with pytest.raises(InputError, match=r"plan.epochs is 2 there and 3 here: .* ask for the same challenge"):
        challenge(training_stamps, finished, test=test_stamps, plan=longer, systems=("all_star",), seed=4)


@pytest.mark.parametrize("name", ["sha256", "code"])
def test_other_stamps_and_other_code_are_refused(finished, training_stamps, test_stamps, plan, tmp_path, name):
    """The stamps may be others in the same place."""
    output = Path(shutil.copytree(finished, tmp_path / "output"))
    path = output / "systems" / "all_star-4" / "job.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: "0"}))
    with pytest.raises(InputError, match=f"all_star-4 holds another challenge: {name} is 0 there and"):
        challenge(training_stamps, output, test=test_stamps, plan=plan, systems=("all_star",), seed=4)


def test_damaged_scores_are_said_in_one_line(finished, training_stamps, test_stamps, plan, tmp_path):
    output = Path(shutil.copytree(finished, tmp_path / "output"))
    path = output / "systems" / "all_star-4" / "scores.npz"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"scores.npz must hold scores .*: remove .*all_star-4 to score again"):
        challenge(training_stamps, output, test=test_stamps, plan=plan, systems=("all_star",), seed=4)


def test_one_challenge_an_output(finished, training_stamps, test_stamps, plan, tmp_path):
    output = Path(shutil.copytree(finished, tmp_path / "output"))
    with lock(output), pytest.raises(InputError, match="output must have one run at a time, and process"):
        challenge(training_stamps, output, test=test_stamps, plan=plan, systems=("all_star",), seed=4)


@dataclasses.dataclass(frozen=True)
class OtherPopulation(BolognaPopulation):
    """One of a class that the oracle's process does not know."""


def test_population_is_written_down_in_plain_values(training_stamps, test_stamps, plan, tmp_path):
    ours = BolognaPopulation(lens_fraction=0.3)
    values = json.loads(json.dumps(population_values(ours, SURVEYS["bologna"])))
    assert manifest_population({"population": values}, SURVEYS["bologna"]) == ours
    with pytest.raises(InputError, match="one that can be written down, as bologna has it, got a OtherPopulation"):
        challenge(training_stamps, tmp_path, test=test_stamps, plan=plan, population=OtherPopulation(), seed=4)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def job(finished: Path, name: str, tmp_path: Path) -> Path:
    """A copy of a job that has to be done again, with what was fitted."""
    folder = Path(shutil.copytree(finished / "systems" / name, tmp_path / name))
    for done in ("costs.json", "scores.npz"):
        (folder / done).unlink(missing_ok=True)
    return folder


def test_no_code_in_the_output_is_run(finished, tmp_path):
    folder = job(finished, "all_star-4", tmp_path)
    for name in ("population.pickle", "classical.joblib", "classical.pkl"):
        (folder / name).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    run_job(folder)
    with np.load(folder / "scores.npz") as ours, np.load(finished / "systems/all_star-4/scores.npz") as before:
        np.testing.assert_allclose(ours["test"], before["test"], rtol=1e-6)
    oracle = job(finished, "oracle-4", tmp_path)
    (oracle / "population.pickle").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(InputError, match="the oracle needs stamps drawn from BolognaPopulation"):
        run_job(oracle)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.slow
def test_job_goes_on_after_a_stop_in_any_write(finished, stopped_at, tmp_path, monkeypatch):
    # The clock writes when it likes.
    monkeypatch.setattr("lensdetect.challenge.job._BEAT_S", 1e6)
    with np.load(finished / "systems/all_star-4/scores.npz") as saved:
        wanted = dict(saved)
    number, stopped = 0, True
    while stopped:
        folder = job(finished, "all_star-4", tmp_path / str(number))
        for fitted in ("classical.npz", "training_s.json"):
            (folder / fitted).unlink()
        stopped = stopped_at(lambda folder=folder: run_job(folder), number, how="kill before")
        assert is_done(folder) is not stopped
        run_job(folder)
        with np.load(folder / "scores.npz") as ours:
            for name, values in wanted.items():
                np.testing.assert_allclose(ours[name], values, rtol=1e-4, err_msg=name)
        assert not list(folder.glob(".*.partial"))
        number += 1
    assert number == 5


@pytest.mark.slow
def test_killed_challenge_goes_on_where_it_was(training_stamps, test_stamps, tmp_path, wait_for, patience_s):
    """Three systems; the process and its child are killed in the middle of the first."""
    pytest.importorskip("skimage")
    plan = tmp_path / "plan.json"
    systems = ["arcformer_test", "manchester_svm", "all_star"]
    plan.write_text(json.dumps({"systems": systems, "epochs": 6, "recipe": "published"}))
    output = tmp_path / "output"
    command = [sys.executable, "-m", "lensdetect.cli", "challenge", "--data", str(training_stamps)]
    command += ["--test", str(test_stamps), "--plan", str(plan), "--output", str(output)]
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {"PYTHONPATH": root}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run = output / "systems" / "arcformer_test-0" / "run"
    wait_for((run / "checkpoint" / "state.json").is_file, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = json.loads((run / "checkpoint" / "state.json").read_text())["epoch"]
    assert 1 <= done
    _wait_for_end_of_child(run, patience_s)
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=patience_s, check=False)
    assert finished.returncode == 0, finished.stderr
    log = (run.parent / "log.txt").read_text()
    assert "going on after epoch" in log and log.count("training arcformer_test for 6 epochs") == 1
    table = pd.read_csv(output / "results.csv").set_index("system")
    assert set(table.index) == set(systems) and table["auroc"].notna().all()
    assert table.loc["arcformer_test", "epochs"] == 6
    assert "AUROC" in finished.stdout and "manchester_svm" in finished.stdout


def _wait_for_end_of_child(run: Path, patience_s: float) -> None:
    """The child sees that its parent has gone, ends, and holds its folder no more."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < patience_s:
        with contextlib.suppress(InputError), lock(run.parent):
            return
        time.sleep(0.1)
    pytest.fail("the child outlived its parent")
