"""Systems that have been scored, or have failed."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.challenge.committee import combine
from lensdetect.challenge.costs import Costs, read_costs
from lensdetect.challenge.systems import Entry
from lensdetect.errors import InputError, reason_of
from lensdetect.metrics import LensMetrics, lens_metrics
from lensdetect.metrics.published import tpr10_as_published
from lensdetect.training import Run

_FIGURES = ("auroc", "tpr0", "tpr10", "accuracy")
_COSTS = (*(field.name for field in dataclasses.fields(Costs)), "peak_memory_mb", "wall_s")
#: Of the parts, what a committee costs is the sum.
_ADDED = ("parameters", "operations", "training_s", "wall_s")


@dataclass(frozen=True, eq=False)
class Scored:
    """One system of a challenge.

    Parameters
    ----------
    entry : Entry
    seed : int
        Of its training.
    is_lens : ndarray of bool
        ``(n,)`` Truth of the test stamps.
    test : ndarray
        ``(n,)`` Scores of them; empty if it failed.
    validation, validation_is_lens : ndarray
        Scores and truth of the stamps held out of the training; empty for the oracle.
    costs : dict
        As ``Costs``, with ``peak_memory_mb`` and ``wall_s``.
    history : DataFrame
        One row an epoch, of a network.
    error : str
        Why it failed; empty if it did not.
    same_as : str
        Label of the system whose training this is; empty if it has its own.
    """

    entry: Entry
    seed: int
    is_lens: np.ndarray
    test: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    validation: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    validation_is_lens: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    costs: dict[str, float] = field(default_factory=dict)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    error: str = ""
    same_as: str = ""

    @property
    def title(self) -> str:
        """Label, for figures."""
        return self.entry.label

    def metrics(self) -> LensMetrics:
        """Figures of merit on the test stamps."""
        return lens_metrics(self.is_lens, self.test)

    def row(self) -> dict[str, object]:
        """One row of ``results.csv``."""
        row: dict[str, object] = {
            "system": self.entry.label,
            "kind": self.entry.kind,
            "bands": "".join(self.entry.bands),
            "seed": self.seed,
        }
        found = None if self.error else self.metrics()
        for name in _FIGURES:
            low, high = getattr(found, f"{name}_interval", (math.nan, math.nan))
            row |= {name: getattr(found, name, math.nan), f"{name}_low": low, f"{name}_high": high}
        notebook = tpr10_as_published(self.is_lens, self.test) if found else None
        row["tpr10_as_published"] = notebook.tpr if notebook else math.nan
        row["tpr10_as_published_false_positives"] = notebook.false_positives if notebook else math.nan
        row |= {name: self.costs.get(name, math.nan) for name in _COSTS}
        return row | {"same_as": self.same_as, "error": self.error}


def read_scored(folder: Path, entry: Entry, *, seed: int, is_lens: np.ndarray) -> Scored:
    """A job that is done.

    Parameters
    ----------
    folder : Path
        Of the job.
    entry : Entry
    seed : int
    is_lens : ndarray of bool
        Truth of the test stamps.

    Returns
    -------
    Scored

    Raises
    ------
    InputError
        If what it has left is damaged.
    """
    path = folder / "scores.npz"
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            values = dict(saved)
    # Damaged archives raise of everything.
    except Exception as error:
        raise InputError(
            f"{path} must hold scores as they were written, got {reason_of(error)}: remove {folder} to score again"
        ) from error
    run = Run(folder / "run")
    return Scored(
        entry,
        seed,
        is_lens,
        test=values["test"],
        validation=values.get("validation", np.zeros(0, np.float32)),
        validation_is_lens=values.get("is_lens", np.zeros(0, bool)),
        costs=read_costs(folder / "costs.json"),
        history=run.read_history() if run.exists else pd.DataFrame(),
    )


def convene(entry: Entry, members: list[Scored], *, seed: int) -> Scored:
    """A committee of systems that have been scored.

    Parameters
    ----------
    entry : Entry
        Of the committee.
    members : list of Scored
        In any order; a failed one fails the committee.
    seed : int
        Of the members.

    Returns
    -------
    Scored
    """
    is_lens = members[0].is_lens
    failed = [member.title for member in members if member.error]
    if failed:
        return Scored(entry, seed, is_lens, error=f"its member {failed[0]} failed")
    truth = members[0].validation_is_lens
    try:
        scores = combine(
            entry.name,
            {member.title: member.test for member in members},
            validation={member.title: member.validation for member in members},
            is_lens=truth,
        )
    except ValueError as error:
        return Scored(entry, seed, is_lens, error=str(error))
    costs = {name: sum(member.costs[name] for member in members) for name in _ADDED}
    costs["peak_memory_mb"] = max(member.costs["peak_memory_mb"] for member in members)
    costs["scoring_stamps_per_s"] = 1 / sum(1 / member.costs["scoring_stamps_per_s"] for member in members)
    return Scored(entry, seed, is_lens, test=scores, costs=costs)
