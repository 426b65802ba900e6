"""The gauge's table as Markdown: a section for each comparison, the best at the top of a list first."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from real_sky_rows import COMPLETENESS, PRIOR

from lensdetect.errors import InputError

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

#: Heading, and the figure under it.
_COLUMNS = {
    "AUROC": "auroc",
    "TPR at FPR 10 %": "tpr_at_fpr_0.1",
    "1.5 %": "tpr_at_fpr_0.015",
    "1 %": "tpr_at_fpr_0.01",
    "TPR0": "tpr0",
    "TPR10": "tpr10",
}

#: By which systems are ranked, by the kind of the comparison.
_RANKED_BY = {"lens-like": "tpr_at_fpr_0.1"}
_ELSE_BY = "tpr_at_fpr_0.01"


def as_markdown(table: pd.DataFrame) -> str:
    """All comparisons.

    Parameters
    ----------
    table : DataFrame
        Of the gauge.

    Returns
    -------
    str
    """
    parts = []
    for (name, kind), rows in table.groupby(["comparison", "kind"], sort=False):
        parts.append(f"### {name}\n\n" + "\n".join(_one_object(rows) if kind == "one object" else _section(rows, kind)))
    seen = table.drop_duplicates("system")[["system", "trained_on"]]
    lines = [f"- `{row.system}`: {row.trained_on}" for row in seen.itertuples()]
    return (
        "\n\n".join([legend(), *parts, "### Trained on (simulated skies; real sets with folds)\n\n" + "\n".join(lines)])
        + "\n"
    )


def _section(rows: pd.DataFrame, kind: str) -> list[str]:
    heads = [
        "system",
        "bands",
        "folds",
        "lenses, others",
        *_COLUMNS,
        "others above half the lenses",
        "looked at per lens",
    ]
    if kind not in {"lens-like", "no truth"}:
        heads.append(f"at 1 lens in {1 / PRIOR:,.0f}")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    by = _RANKED_BY.get(kind, _ELSE_BY)
    measured = rows["status"] == "measured"
    for _, own in rows[measured].groupby("bands", sort=False):
        lines += [_line(row, len(heads)) for _, row in own.sort_values([by, "auroc"], ascending=False).iterrows()]
    blind = ", ".join(f"`{name}`" for name in rows[~measured]["system"].unique())
    return [*(lines if measured.any() else []), *(["", f"Trained on it, so not measured: {blind}."] if blind else [])]


def _line(row: pd.Series, count: int) -> str:
    cells = [f"`{row['system']}`", row["bands"], row["folds"], f"{row['lenses']:.0f}, {row['non_lenses']:.0f}"]
    cells += [_with_interval(row, name) for name in _COLUMNS.values()]
    cells += [f"{row['others_at_half']:.0f} of {row['non_lenses']:.0f}", f"{row['looked_at_per_lens']:.1f}"]
    if count > len(cells):
        sign = "<" if row["others_at_half"] == 0 else ""
        many = f"{row['looked_at_per_lens_rare_low']:.3g}-{row['looked_at_per_lens_rare_high']:.3g}"
        cells.append(f"{sign}{row['looked_at_per_lens_rare']:.3g} ({many})")
    return "| " + " | ".join(cells) + " |"


def _with_interval(row: pd.Series, name: str) -> str:
    if pd.isna(row[name]):
        return "-"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return f"{row[name]:.2f}" + ("" if pd.isna(low) else f" ({low:.2f}-{high:.2f})")


def _one_object(rows: pd.DataFrame) -> list[str]:
    lines = ["| system | bands | outranks |", "|---|---|---|"]
    for _, row in rows.iterrows():
        said = row["status"]
        if said == "measured":
            said = f"{row['auroc'] * row['non_lenses']:.0f} of {row['non_lenses']:.0f}"
        lines.append(f"| `{row['system']}` | {row['bands']} | {said} |")
    return lines


def legend() -> str:
    """What the columns mean, in one paragraph."""
    return (
        "Intervals at 95 %. TPR0: before the first false positive; TPR10: with fewer than ten. Others above half the "
        f"lenses: non-lenses at or above the threshold that keeps {100 * COMPLETENESS:.0f} % of the lenses. Looked at "
        "per lens: the length of that list over the lenses in it, in the mix of the set and (interval from the false "
        "positive rate alone) on a sky with one lens in a thousand objects; '<' where the list holds no non-lens."
    )


def into_page(path: Path, text: str) -> None:
    """Put the table between the two marks of a page.

    Parameters
    ----------
    path : path
    text : str

    Raises
    ------
    InputError
        If the page has not the two marks.
    """
    page = path.read_text(encoding="utf-8") if path.is_file() else ""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise InputError(f"{path} must hold {BEGIN} and then {END}, each once, got another page: add them")
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")
