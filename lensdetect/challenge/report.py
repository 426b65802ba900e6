"""The results of a challenge in Markdown."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import stats

from lensdetect.challenge.published import published_figures
from lensdetect.challenge.systems import ORACLE

_MERITS = {"auroc": ("AUROC", 4), "tpr0": ("TPR0", 3), "tpr10": ("TPR10", 3), "accuracy": ("accuracy", 4)}

_NOTES = """\
Each figure stands with its 95 % interval; TPR0 and TPR10 are the challenge's own: the most lenses that are found
before the first, and before the tenth, false positive. The intervals are of this test set alone: another seed of the
training moves a system too.

"TPR10 as published" reads the ROC as the notebook of Thuruthipilly+ 2022 does: the eighth vertex after the first
false positive, whatever the number of false positives there, which stands in brackets. It is for comparison with that
paper's TPR10 alone.

Published figures are of the challenge's own ground-based test set of 100,000 stamps, after the authors' own
training; they can be compared with ours only where that set was used. TPR10 of the paper's detectors is as published.
Operations are multiply-adds for one stamp. Peak memory is all that the process had resident at once: its libraries
are in it, and the pages of the stamps' files that it read through a memory map."""

_ORACLE_NOTE = """\
The oracle is no detector but a bound: it is told the noiseless arcs, the deflector and the noise of each stamp, and
asks only whether the arcs are there; a stamp without a source is asked for the arcs of a lens drawn at random, which
are most often plainly not there. No detector is told what to look for, nor can it subtract a deflector without an
error, so the bound is a loose one. It leaves out the photon noise of the arcs themselves and takes glitches for
noise."""


_SEEDS_NOTE = """\
Means over the trainings of each system with their 95 % intervals by Student's t: the scatter of the training alone,
on the same test stamps."""


def markdown(results: pd.DataFrame, *, heading: str) -> str:
    """Tables of merit, with published figures beside ours, of costs, and of what failed.

    Parameters
    ----------
    results : DataFrame
        As ``results.csv``.
    heading : str
        What was trained and tested on.

    Returns
    -------
    str
    """
    done, failed = results[results["error"] == ""], results[results["error"] != ""]
    parts = ["# Systems side by side", heading, _table(_merit_rows(done)), _NOTES]
    twins = dict(done.loc[done["same_as"] != "", ["system", "same_as"]].itertuples(index=False))
    if twins:
        parts.append(_twins_note(twins))
    if (done["kind"] == ORACLE).any():
        parts.append(_ORACLE_NOTE)
    if done.duplicated("system").any():
        parts += ["## Over seeds", _SEEDS_NOTE, _table(_seed_rows(done))]
    parts += ["## What they cost", _table(_cost_rows(done))]
    if len(failed):
        rows = [{"system": row.system, "seed": str(row.seed), "error": row.error} for row in failed.itertuples()]
        parts += ["## Failed", _table(rows)]
    return "\n\n".join(parts) + "\n"


def _merit_rows(results: pd.DataFrame) -> list[dict[str, str]]:
    rows = []
    for values in results.to_dict("records"):
        # Figures of a network in other bands are none of it.
        known = published_figures(str(values["system"]))
        row = {"system": values["system"], "seed": str(values["seed"])}
        for name, (title, digits) in _MERITS.items():
            row[title] = _with_interval(values, name, digits)
        notebook = values["tpr10_as_published"]
        row["TPR10 as published"] = (
            "" if math.isnan(notebook) else f"{notebook:.3f} ({values['tpr10_as_published_false_positives']:.0f})"
        )
        for name, (title, _) in _MERITS.items():
            value = getattr(known, name, None)
            row[f"published {title}"] = "" if value is None else f"{value:.4g}"
        rows.append(row)
    return rows


def _twins_note(twins: dict[str, str]) -> str:
    pairs = ", ".join(f"{name} as {other}" for name, other in sorted(twins.items()))
    return (
        "Networks of one architecture whose trainings differ in nothing that is published are one detector here, "
        f"trained once: {pairs}."
    )


def _seed_rows(results: pd.DataFrame) -> list[dict[str, str]]:
    rows = []
    for system, group in results.groupby("system", sort=False):
        row = {"system": str(system), "seeds": str(len(group))}
        for name, (title, digits) in _MERITS.items():
            mean, low, high = mean_interval(group[name].to_numpy(float))
            row[title] = _with_interval({name: mean, f"{name}_low": low, f"{name}_high": high}, name, digits)
        rows.append(row)
    return rows


def mean_interval(values: np.ndarray, *, level: float = 0.95) -> tuple[float, float, float]:
    """Mean of a few repeated measurements, and Student's interval of it.

    Parameters
    ----------
    values : ndarray
        ``(n,)``
    level : float
        Of confidence.

    Returns
    -------
    mean, low, high : float
        The ends are NaN for fewer than two values.
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, math.nan, math.nan
    half = stats.t.ppf(0.5 + level / 2, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
    return mean, mean - float(half), mean + float(half)


def _with_interval(values: dict, name: str, digits: int) -> str:
    value, low, high = (values[f"{name}{end}"] for end in ("", "_low", "_high"))
    if math.isnan(value):
        return ""
    return f"{value:.{digits}f}" + ("" if math.isnan(low) else f" [{low:.{digits}f}, {high:.{digits}f}]")


def _cost_rows(results: pd.DataFrame) -> list[dict[str, str]]:
    columns = {
        "parameters": ("parameters", "{:,.0f}", 1),
        "million operations": ("operations", "{:,.1f}", 1e-6),
        "epochs": ("epochs", "{:.0f}", 1),
        "training, min": ("training_s", "{:.1f}", 1 / 60),
        "wall time, min": ("wall_s", "{:.1f}", 1 / 60),
        "trained stamps/s": ("training_stamps_per_s", "{:,.0f}", 1),
        "scored stamps/s": ("scoring_stamps_per_s", "{:,.0f}", 1),
        "peak memory, MB": ("peak_memory_mb", "{:,.0f}", 1),
    }
    return [
        {"system": values["system"], "seed": str(values["seed"])}
        | {
            title: "" if math.isnan(values[name]) else form.format(values[name] * unit)
            for title, (name, form, unit) in columns.items()
        }
        for values in results.to_dict("records")
    ]


def _table(rows: list[dict[str, str]]) -> str:
    if not rows:
        return "None."
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    lines += ["| " + " | ".join(str(value).replace("|", "\\|") for value in row.values()) + " |" for row in rows]
    return "\n".join(lines)
