"""A whole search: trials, their table and figure, and the best as files."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from lensdetect.data.pipeline import Stamps
from lensdetect.figures import save_figure, tuning_figure
from lensdetect.network import DetectorSpec, MergedSpec, get_spec, spec_to_dict
from lensdetect.runs import open_run, writable, write_json
from lensdetect.survey import Survey
from lensdetect.training.plan import Plan
from lensdetect.training.record import new_record, split_rows
from lensdetect.training.tuning.choosing import knobs_of, turned
from lensdetect.training.tuning.knobs import Knob
from lensdetect.training.tuning.record import Search, search_record
from lensdetect.training.tuning.table import best_row, trial_row, write_table
from lensdetect.training.tuning.trial import Bench, forget_weights, run_trial
from lensdetect.training.tuning.tuner import Trials

logger = logging.getLogger(__name__)

#: Letters of an error that go into the table.
_LONGEST_ERROR = 300


def tune(
    detector: str | DetectorSpec | MergedSpec,
    stamps: Stamps,
    output: Path | str,
    *,
    survey: Survey,
    plan: Plan,
    search: Search,
    seed: int,
) -> pd.DataFrame:
    """Search for a better detector, and a better way to train it.

    The first trial is the detector and plan as they come. Every trial is
    trained from fresh weights, with the plan's schedule over its own length.
    Called again with the same arguments, a search goes on where it stopped;
    more trials prolong it.

    Parameters
    ----------
    detector : str or DetectorSpec
        What to start from.
    stamps : Stamps
        Shards, or cutouts with truth.
    output : path
        Folder for ``trials.csv``, ``trials.png``, and of the best trial
        ``spec.json`` and ``plan.json``, which ``lensdetect train`` takes.
    survey : Survey
        Of the stamps.
    plan : Plan
        What to start from. The best plan is as long as this one.
    search : Search
        How.
    seed : int
        Of the choices, and of every training.

    Returns
    -------
    DataFrame
        One row a trial, as in ``trials.csv``; failed ones have an ``error``.

    Raises
    ------
    InputError
        If stamps, plan and search do not go together, or the folder holds
        something else.
    """
    folder, spec = Path(output), get_spec(detector)
    knobs = knobs_of(spec, plan, parts=search.parts)
    record = new_record(detector, stamps, survey=survey, plan=plan, seed=seed, weights=None, parts="all")
    # Early ends would make trials of one length differ in it.
    trial_plan = dataclasses.replace(plan, validation_fraction=search.validation_fraction, patience=None)
    _, validation = split_rows(stamps, trial_plan, seed=seed)
    search.check_sample(int((~stamps.truth["is_lens"].to_numpy(bool)[validation]).sum()))
    bench = Bench(stamps, survey, validation=validation, seed=seed, fpr=search.fpr)

    def train_and_measure(where: Path, values: dict[str, Any], epochs: int | None) -> dict[str, float]:
        changed, how = turned(spec, trial_plan, knobs=knobs, values=values)
        # Every stage of a plan needs an epoch.
        how = how.with_epochs(max(epochs or search.epochs, len(how.stages)))
        return run_trial(where, changed, plan=how, bench=bench)

    with open_run(folder, search_record(search, record), file_name="search.json", work="search"):
        trials = Trials(search, knobs, seed=seed, path=folder / "state.json")
        if trials.num_ended:
            logger.info("going on after %d trials", trials.num_ended)
        report = _Report(folder, spec, plan=plan, knobs=knobs, search=search, trials=trials)
        with writable(folder, what="a search", remedy="make room, then run the same again to go on"):
            _run_all(trials, folder / "trials", train_and_measure, report, fpr=search.fpr)
    return report.table()


def _run_all(trials: Trials, folder: Path, train_and_measure: Callable, report: _Report, *, fpr: float) -> None:
    """One trial after the other, and what people read, after an interrupt too."""
    for number in range(1, trials.num_ended + 1):
        forget_weights(trial_folder(folder, number))
    try:
        while (trial := trials.next()) is not None:
            where, values = trial_folder(folder, trials.num_ended + 1), trial.hyperparameters.values
            figures, error = _outcome(train_and_measure, where, values, fpr=fpr)
            trials.end(trial, figures, error=error)
            # Not before it is booked: a trial is there with its weights or with its figures.
            forget_weights(where)
            report.update()
    except KeyboardInterrupt:
        report.conclude()
        raise
    report.conclude()


def _outcome(train_and_measure: Callable, where: Path, values: dict, *, fpr: float) -> tuple[dict[str, float], str]:
    """Figures of a trial, and why it failed."""
    try:
        return train_and_measure(where, values, values.get("tuner/epochs")), ""
    except Exception as failure:  # whatever it is of the trial, the search goes on
        if isinstance(failure, OSError) or isinstance(failure.__cause__, OSError):
            # A full disk says nothing about the trial, which is taken up again when there is room.
            raise
        logger.debug("%s failed", where, exc_info=True)
        # What a detector has that has learned nothing.
        return {"val_auroc": 0.5, "val_tpr": fpr}, _told(failure)


def trial_folder(folder: Path, number: int) -> Path:
    """Folder of a trial's run.

    Parameters
    ----------
    folder : Path
        ``trials`` in that of the search.
    number : int
        As in the table.

    Returns
    -------
    Path
    """
    return folder / f"{number:04d}"


def _told(failure: Exception) -> str:
    line = " ".join(str(failure).split())[:_LONGEST_ERROR]
    return f"{type(failure).__name__}: {line}" if line else type(failure).__name__


class _Report:
    """The files of a search that people read; all follow from the trials.

    Parameters
    ----------
    folder : Path
        Of the search.
    spec, plan, knobs
        What it starts from, and what is turned.
    search : Search
        How.
    trials : Trials
        Of the search.
    """

    def __init__(self, folder: Path, spec, *, plan: Plan, knobs: tuple[Knob, ...], search: Search, trials: Trials):
        self.folder, self.spec, self.plan, self.knobs = folder, spec, plan, knobs
        self.search, self.trials = search, trials

    def table(self) -> pd.DataFrame:
        """One row a trial, in the order of their beginning."""
        epochs = self.search.epochs
        rows = [trial_row(trial, number=n, epochs=epochs) for n, trial in enumerate(self.trials.begun, start=1)]
        table = pd.DataFrame(rows)
        # Last, as the one column that may be long.
        return table[[name for name in table if name != "error"] + ["error"]] if rows else table

    def update(self) -> None:
        """Write the table and the best so far, say how the last trial went."""
        last, best = self.write()
        if last["status"] != "done":
            logger.warning("trial %d failed: %s", last["trial"], last["error"])
            return
        objective = self.search.objective_column
        logger.info(
            "trial %d: %s %.4f after %d epochs, %.0f s (best: %.4f, trial %d)",
            *(last["trial"], objective, last[objective], last["epochs"], last["train_s"]),
            *(best[objective], best["trial"]),
        )

    def write(self) -> tuple[pd.Series, pd.Series | None]:
        """Write the table and the best so far; both the last trial and the best one."""
        table = self.table()
        write_table(self.folder / "trials.csv", table)
        best = best_row(table, self.search.objective_column)
        if best is not None:
            self._write_best(int(best["trial"]))
        return table.iloc[-1], best

    def _write_best(self, number: int) -> None:
        values = self.trials.begun[number - 1].hyperparameters.values
        spec, plan = turned(self.spec, self.plan, knobs=self.knobs, values=values)
        write_json(self.folder / "spec.json", spec_to_dict(spec))
        write_json(self.folder / "plan.json", dataclasses.replace(plan, name=f"{plan.name}_tuned").as_dict())

    def conclude(self) -> None:
        """Write all once more, since an interrupt may have come between, and the figure if there is any."""
        table = self.table()
        if table.empty:
            return
        self.write()
        if (table["status"] == "done").any():
            knobs = {knob.name: knob.is_range for knob in self.knobs}
            figure = tuning_figure(table, objective=self.search.objective_column, hyperparameters=knobs)
            save_figure(figure, self.folder / "trials.png")
