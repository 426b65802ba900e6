"""The table of the ablation: figures of each run from the logits that it left, mean and spread over seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ablation_changes import CHANGES
from real_sets import NUM_FOLDS, RealSet

from lensdetect.metrics import roc_curve

#: Others of each comparison with the graded lenses: name -> (set, kinds; none is all).
OTHERS = {
    "look-alikes": (("cfhtls_graded", ("negative",)),),
    "KiDS": (("kids_field", ()),),
    "CFHTLS": (("cfhtls_fields", ()), ("cfhtls_gri_field", ())),
    "DES": (("des_griz", ("galaxy",)),),
}

#: TPR is averaged up to this false positive rate: steadier than at one rate, and blind to the rest of the curve.
LOW_FPR = 0.1

#: Columns: title -> (comparison, figure); the first is what rows are ranked by within the page.
COLUMNS: dict[str, tuple[str, str]] = {
    "look-alikes: mean TPR to FPR 10 %": ("look-alikes", "low"),
    "TPR at 10 %": ("look-alikes", "tpr_0.1"),
    "AUROC": ("look-alikes", "auroc"),
    "KiDS field: mean TPR to 10 %": ("KiDS", "low"),
    "TPR at 1.5 %": ("KiDS", "tpr_0.015"),
    "above half": ("KiDS", "at_half"),
    "CFHTLS galaxies: AUROC": ("CFHTLS", "auroc"),
    "DES galaxies: AUROC": ("DES", "auroc"),
    "sky bologna: AUROC": ("sky", "auroc"),
}


#: Change -> multiply-adds of one score, images a second.
Costs = dict[str, tuple[int, float]]


@dataclass(frozen=True)
class Row:
    """A line of the table: one system for each seed.

    Parameters
    ----------
    title : str
    members : tuple of (tuple of str)
        For each seed the runs, as "change/seed", whose logits are averaged.
    view : str
        "one", "eight" or "averaged".
    """

    title: str
    members: tuple[tuple[str, ...], ...]
    view: str = "one"


def read_scores(folder: Path, sets: dict[str, RealSet], *, view: str) -> dict[str, np.ndarray]:
    """Logits of each set of one run; where it has one detector a fold, each row's is of that which has not seen it."""
    if (folder / "scores.npz").is_file():
        return _read(folder / "scores.npz", sets, view)
    found = {name: np.empty(len(own)) for name, own in sets.items()}
    for fold in range(NUM_FOLDS):
        for name, scores in _read(folder / f"fold_{fold}" / "scores.npz", sets, view).items():
            found[name][(sets[name].table["fold"] == fold).to_numpy()] = scores
    return found


def _read(path: Path, names: Iterable[str], view: str) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return {name: file[f"{name}/{view}"] for name in names}


def figures_of(scores: dict[str, np.ndarray], sets: dict[str, RealSet]) -> dict[tuple[str, str], float]:
    """All figures of one system."""
    graded = sets["cfhtls_graded"].table["kind"].to_numpy()
    lenses = scores["cfhtls_graded"][graded == "lens"]
    found: dict[tuple[str, str], float] = {}
    for name, parts in OTHERS.items():
        others = [scores[part][_of_kinds(sets[part].table, kinds)] for part, kinds in parts]
        found |= {(name, figure): value for figure, value in _measured(lenses, np.concatenate(others)).items()}
    sky, is_lens = next((name, sets[name].table["is_lens"]) for name in sets if name.startswith("sky "))
    parts = [scores[sky][(is_lens == truth).fillna(False).to_numpy(bool)] for truth in (True, False)]
    return found | {("sky", figure): value for figure, value in _measured(*parts).items()}


def _of_kinds(table: pd.DataFrame, kinds: Sequence[str]) -> np.ndarray:
    return table["kind"].isin(kinds).to_numpy() if kinds else np.ones(len(table), bool)


def _measured(lenses: np.ndarray, others: np.ndarray) -> dict[str, float]:
    roc = roc_curve(np.repeat([True, False], [len(lenses), len(others)]), np.concatenate([lenses, others]))
    rates = np.linspace(0.0, LOW_FPR, 201)
    return {
        "auroc": roc.auroc,
        "low": float(np.mean(roc.tpr_at_fpr(rates))),
        "tpr_0.1": float(roc.tpr_at_fpr(0.1)),
        "tpr_0.015": float(roc.tpr_at_fpr(0.015)),
        "at_half": float(np.sum(others >= np.median(lenses))),
    }


def measure_row(row: Row, *, runs: Path, sets: dict[str, RealSet]) -> pd.DataFrame:
    """One line of figures for each seed whose runs are all there."""
    lines = []
    for members in row.members:
        if not all(is_done(runs / member) for member in members):
            continue
        each = [read_scores(runs / member, sets, view=row.view) for member in members]
        mean = {name: np.mean([scores[name] for scores in each], axis=0) for name in sets}
        lines.append(figures_of(mean, sets))
    return pd.DataFrame(lines)


def is_done(folder: Path) -> bool:
    """Whether all scores of a run are there."""
    folds = [folder / f"fold_{fold}" / "scores.npz" for fold in range(NUM_FOLDS)]
    return (folder / "scores.npz").is_file() or all(path.is_file() for path in folds)


def costs_of(row: Row, costs: Costs) -> tuple[int, float]:
    """Multiply-adds and images a second over all that has to be computed for one score."""
    times = 8 if row.view == "eight" else 1
    each = [costs[member.partition("/")[0]] for member in row.members[0]]
    return times * sum(own for own, _ in each), 1.0 / sum(times / speed for _, speed in each)


#: Of which changes the weights of the last epochs are measured, averaged.
_AVERAGED = ("base", "subtracted", "colour", "long")

#: Committees of runs that differ in the change, of each seed.
_COMMITTEES = (
    ("base", "subtracted", "survey_noise"),
    ("base", "subtracted", "survey_noise", "colour"),
    ("colour", "kids_sky"),
    ("long", "colour_long"),
    ("painted", "colour_painted"),
)


def rows_of(runs: Path, *, view: str) -> list[Row]:
    """Lines of a table: each change with all seeds that are done, then what needs no further training."""
    seeds = {name: [path.name for path in sorted((runs / name).glob("[0-9]*")) if is_done(path)] for name in CHANGES}
    found = [
        Row(change.title, tuple((f"{name}/{seed}",) for seed in seeds[name]), view) for name, change in CHANGES.items()
    ]
    if view == "one":
        for name in _AVERAGED:
            members = tuple((f"{name}/{seed}",) for seed in seeds[name])
            found.append(Row(f"{name}: weights of the last three epochs averaged", members, "averaged"))
    for name in ("base", "subtracted", "colour"):
        if len(seeds[name]) > 1:
            members = tuple(f"{name}/{seed}" for seed in seeds[name])
            found.append(Row(f"committee of {len(members)} seeds of {name}", (members,), view))
    for names in _COMMITTEES:
        of_all = [seed for seed in seeds[names[0]] if all(seed in seeds[name] for name in names)]
        mixed = tuple(tuple(f"{name}/{seed}" for name in names) for seed in of_all)
        found.append(Row(f"committee of {', '.join(names)}", mixed, view))
    return [row for row in found if row.members]


def both_tables(runs: Path, sets: dict[str, RealSet], costs: Costs) -> str:
    """One table of single views, and one of eight."""
    parts = []
    for heading, view in (("One view", "one"), ("Eight views", "eight")):
        parts.append(f"### {heading}\n\n{as_markdown(rows_of(runs, view=view), runs=runs, sets=sets, costs=costs)}")
    return "\n".join(parts)


def as_markdown(rows: Sequence[Row], *, runs: Path, sets: dict[str, RealSet], costs: Costs) -> str:
    """The table, in the order of the rows, mean and standard deviation over seeds."""
    rows = [(row, measured) for row in rows if len(measured := measure_row(row, runs=runs, sets=sets))]
    base, _ = costs_of(Row("", rows[0][0].members), costs)
    lines = ["| " + " | ".join(("change", "seeds", *COLUMNS, "operations", "images/s")) + " |"]
    lines.append("|" + "---|" * (len(COLUMNS) + 4))
    for row, measured in rows:
        operations, images_per_s = costs_of(row, costs)
        cells = [_mean_and_spread(measured[key], counted=key[1] == "at_half") for key in COLUMNS.values()]
        ends = (f"{operations / base:.2f}", f"{images_per_s:.0f}")
        lines.append("| " + " | ".join((row.title, str(len(measured)), *cells, *ends)) + " |")
    return "\n".join(lines) + "\n"


def _mean_and_spread(values: pd.Series, *, counted: bool) -> str:
    form: Callable[[float], str] = (lambda value: f"{value:.1f}") if counted else (lambda value: f"{value:.3f}")
    return form(values.mean()) + (f" ± {form(values.std(ddof=1))}" if len(values) > 1 else "")
