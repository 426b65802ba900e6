"""How far graders agree with the truth, with themselves and with one another."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lensdetect.inspection.kappa import kappa_interval, krippendorff_alpha, weighted_kappa
from lensdetect.inspection.standing import RECOGNISED, SCALE, repeated_grades, standing_grades, whole_log
from lensdetect.metrics.intervals import wilson_interval

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Agreement:
    """Graders, one by one and in pairs.

    Parameters
    ----------
    graders : DataFrame
        One row a grader: ``grader``, ``num_grades``, ``num_skipped``, ``num_undone``; ``num_lenses``, ``recall``,
        ``recall_low``, ``recall_high``: planted and known lenses that were recognised (grade 1 or more);
        ``num_duds``, ``false_alarms``, ...: objects known to be none that were taken for one; ``num_repeats``,
        ``repeated``, ...: hidden repeats that got the same grade again; ``repeat_steps``, by how many levels of the
        scale the two are apart on average; ``median_seconds`` for a grade.
    pairs : DataFrame
        One row a pair: ``grader``, ``other``, ``num_objects`` that both graded, ``same``, the share with the same
        grade, ``kappa`` (Cohen's, quadratic weights), ``kappa_low``, ``kappa_high``.
    alpha : float
        Krippendorff's, ordinal, over all graders; NaN if it is not defined.
    """

    graders: pd.DataFrame
    pairs: pd.DataFrame
    alpha: float


def measure_agreement(log: pd.DataFrame, *, levels=SCALE, confidence: float = CONFIDENCE) -> Agreement:
    """Measure graders against the truth, against themselves and against one another.

    Parameters
    ----------
    log : DataFrame
        As ``read_log`` gives it; ``standing_grades`` says which of it counts.
    levels : sequence of float
        Grades that can be given; those that were are added.
    confidence : float
        Of the intervals: Wilson's for shares, a bootstrap over objects for kappa.

    Returns
    -------
    Agreement
        Shares of nothing are NaN, and so are their intervals.
    """
    log, standing, repeats = whole_log(log), standing_grades(log), repeated_grades(log)
    levels = np.unique(np.concatenate([np.asarray(levels, np.float64), log["grade"].dropna().to_numpy()]))
    names = sorted(log["grader"].unique())
    rows = [_grader_row(name, log, standing, repeats, levels, confidence) for name in names]
    places = np.searchsorted(levels, standing["grade"].to_numpy())
    grid = standing.assign(level=places).pivot(index="id", columns="grader", values="level")
    pairs = [_pair_row(one, two, grid, len(levels), confidence) for one, two in itertools.combinations(sorted(grid), 2)]
    alpha = krippendorff_alpha(grid.to_numpy(np.float64), num_levels=len(levels))
    return Agreement(pd.DataFrame(rows, columns=_GRADER_COLUMNS), pd.DataFrame(pairs, columns=_PAIR_COLUMNS), alpha)


_GRADER_COLUMNS = [
    "grader", "num_grades", "num_skipped", "num_undone",
    "num_lenses", "recall", "recall_low", "recall_high",
    "num_duds", "false_alarms", "false_alarms_low", "false_alarms_high",
    "num_repeats", "repeated", "repeated_low", "repeated_high", "repeat_steps",
    "median_seconds",
]  # fmt: skip
_PAIR_COLUMNS = ["grader", "other", "num_objects", "same", "kappa", "kappa_low", "kappa_high"]


def _grader_row(name, log, standing, repeats, levels, confidence) -> list:
    rows, own = log[log["grader"] == name], standing[standing["grader"] == name]
    recognised = own["grade"] >= RECOGNISED
    again = repeats[repeats["grader"] == name]
    steps = np.abs(np.searchsorted(levels, again["first"]) - np.searchsorted(levels, again["again"]))
    timed = rows["seconds"][~rows["undone"] & rows["grade"].notna()].dropna()
    return [
        name,
        len(own),
        int((rows["grade"].isna() & ~rows["undone"]).sum()),
        int(rows["undone"].sum()),
        *_share(recognised[own["truth"] == 1.0], confidence),
        *_share(recognised[own["truth"] == 0.0], confidence),
        *_share(steps == 0, confidence),
        float(steps.mean()) if len(steps) else math.nan,
        float(timed.median()) if len(timed) else math.nan,
    ]


def _share(hits, confidence: float) -> tuple[int, float, float, float]:
    """How many, the share that is true, and its interval."""
    trials, successes = len(hits), int(np.sum(hits))
    share = successes / trials if trials else math.nan
    return (trials, share, *wilson_interval(successes, trials, confidence=confidence))


def _pair_row(one: str, two: str, grid: pd.DataFrame, num_levels: int, confidence: float) -> list:
    both = grid[[one, two]].dropna().to_numpy(np.int64)
    counts = np.zeros((num_levels, num_levels), np.int64)
    np.add.at(counts, (both[:, 0], both[:, 1]), 1)
    same = float(np.trace(counts) / len(both)) if len(both) else math.nan
    interval = kappa_interval(counts, confidence=confidence)
    return [one, two, len(both), same, weighted_kappa(counts), *interval]
