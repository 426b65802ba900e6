"""The report of grading: what became of the objects, and how far the graders can be relied on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from lensdetect import __version__
from lensdetect.inspection.agreement import CONFIDENCE, Agreement
from lensdetect.inspection.catalogues import CONTAMINANT, VERDICTS, Rule
from lensdetect.inspection.posterior import SHARE_COUNTS, TABLE_COUNTS, Posterior
from lensdetect.pages import environment
from lensdetect.runs import writable, write_text, write_whole
from lensdetect.text import write_csv


def write_report(
    folder: Path,
    *,
    objects: pd.DataFrame,
    agreement: Agreement,
    posterior: Posterior,
    rule: Rule,
    merged: Iterable[str],
) -> Path:
    """Write ``agreement.html``, and its tables as ``graders.csv``, ``pairs.csv`` and ``tables.csv``.

    Parameters
    ----------
    folder : Path
        Existing.
    objects : DataFrame
        As ``sort_out`` gives it.
    agreement : Agreement
    posterior : Posterior
    rule : Rule
    merged : iterable of str
        Files that were merged.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    tables = {"graders": agreement.graders, "pairs": agreement.pairs, "tables": posterior.table_rows()}
    text = (
        environment("lensdetect.inspection")
        .get_template("agreement.html")
        .render(
            verdicts=[(name, f"{int((objects['verdict'] == name).sum()):,}") for name in VERDICTS],
            kinds=_kinds(objects),
            rule=rule.text,
            facts=_facts(posterior),
            graders=_grader_rows(agreement.graders),
            pairs=_pair_rows(agreement.pairs),
            alpha=_number(agreement.alpha),
            levels=[f"{level:g}" for level in posterior.levels],
            tables=_table_rows(posterior),
            confidence=f"{100 * CONFIDENCE:g} %",
            merged=list(merged),
            version=__version__,
        )
    )
    path = folder / "agreement.html"
    with writable(folder, what="reports"):
        for name, table in tables.items():
            write_whole(folder / f"{name}.csv", lambda file, table=table: write_csv(table, file))
        write_text(path, text)
    return path


def _kinds(objects: pd.DataFrame) -> list[tuple[str, str]]:
    counts = objects.loc[objects["verdict"] == CONTAMINANT, "kind"].value_counts()
    rows = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(kind or "not named", f"{count:,}") for kind, count in rows]


def _facts(posterior: Posterior) -> list[str]:
    how = "estimated from the grades" if posterior.estimated else "as stated"
    facts = [
        f"Share of lenses among the objects of unknown truth, before their grades: {posterior.prior:.3g}, {how}"
        + (
            f" (counted beside them: {SHARE_COUNTS[0]:g} lens and {SHARE_COUNTS[1]:g} others)."
            if posterior.estimated
            else "."
        ),
        f"Each grader's table begins with {TABLE_COUNTS:g} grades to lenses and as many to others, which rise and fall "
        "along the scale.",
        f"Evidence is raised to the power {posterior.trust:.2f}: below 1 the graders err together, or their tables "
        "claim more than the planted objects bear out.",
    ]
    return facts + ([posterior.note.capitalize() + "."] if posterior.note else [])


def _grader_rows(graders: pd.DataFrame) -> list[list[str]]:
    return [
        [
            row.grader,
            f"{row.num_grades:,}",
            f"{row.num_skipped:,}",
            f"{row.num_undone:,}",
            _share(row.recall, row.recall_low, row.recall_high, row.num_lenses),
            _share(row.false_alarms, row.false_alarms_low, row.false_alarms_high, row.num_duds),
            _share(row.repeated, row.repeated_low, row.repeated_high, row.num_repeats),
            _number(row.repeat_steps),
            _number(row.median_seconds, digits=1),
        ]
        for row in graders.itertuples()
    ]


def _pair_rows(pairs: pd.DataFrame) -> list[list[str]]:
    return [
        [
            row.grader,
            row.other,
            f"{row.num_objects:,}",
            _number(row.same),
            _number(row.kappa),
            "" if math.isnan(row.kappa_low) else f"{row.kappa_low:.2f} to {row.kappa_high:.2f}",
        ]
        for row in pairs.itertuples()
    ]


def _table_rows(posterior: Posterior) -> list[list[str]]:
    rows = []
    for grader, (other, lens) in zip(posterior.graders, posterior.tables, strict=True):
        rows.append([grader, "lens", *(f"{chance:.2f}" for chance in lens)])
        rows.append([grader, "other", *(f"{chance:.2f}" for chance in other)])
        rows.append([grader, "odds change by", *(f"{ratio:.3g}" for ratio in lens / other)])
    return rows


def _share(value: float, low: float, high: float, count: int) -> str:
    return "none" if not count else f"{value:.2f} ({low:.2f} to {high:.2f}) of {count:,}"


def _number(value: float, *, digits: int = 2) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"
