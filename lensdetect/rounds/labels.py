"""Grades as labels to learn from: what is a lens, how sure that is, and what it is instead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.images.tables import Table

#: Objects that only stand in for others: painted lenses and duds are no objects of the sky.
_PLANTED = {"lens", "dud"}
#: Of which people know so little teaches nothing.
LEAST_WEIGHT = 0.1
#: What a non-lens is called of which nobody said what it is instead.
OTHER = "other"
#: Columns of combined grades that count here.
_ROLES = ("id", "posterior", "is_candidate", "is_lens", "kind", "planted")
_TRUE, _FALSE = {"1", "1.0", "true"}, {"0", "0.0", "false"}


def labels_of(combined: pd.DataFrame) -> pd.DataFrame:
    """Labels from combined grades.

    An object whose posterior is above one half is a lens. It weighs
    ``|2 posterior - 1|``: what people are sure of counts in full, a toss-up not at all.

    Parameters
    ----------
    combined : DataFrame
        ``id`` and ``posterior``, or else ``is_candidate`` or ``is_lens``, which
        stand for a posterior of 1 or 0; ``kind`` (what it is instead) and
        ``planted`` where they are known.

    Returns
    -------
    DataFrame
        ``id``, ``is_lens``, ``weight``, ``kind``, ``posterior``: one row an object.

    Raises
    ------
    InputError
        If there are no grades, a column is lacking, an object comes twice, or a
        posterior is no probability.
    """
    if not len(combined):
        raise InputError("labels need grades, got none: grade some objects first, with lensdetect grade")
    if "id" not in combined:
        raise InputError(f"grades must have a column id, got {', '.join(combined.columns)}")
    table = combined.assign(id=combined["id"].astype(str))
    if "planted" in table:
        table = table[~table["planted"].fillna("").isin(_PLANTED)]
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise InputError(f"combined grades must hold each object once, got {twice.iloc[0]} twice: combine them first")
    posterior = _posterior(table)
    known = np.isfinite(posterior)
    weight = np.abs(2.0 * posterior - 1.0)
    kind = table["kind"].fillna("").astype(str).to_numpy() if "kind" in table else np.full(len(table), "")
    is_lens = posterior > 0.5
    found = pd.DataFrame(
        {
            "id": table["id"].to_numpy(),
            "is_lens": is_lens,
            "weight": weight,
            "kind": np.where(is_lens, "lens", np.where(kind == "", OTHER, kind)),
            "posterior": posterior,
        }
    )
    return found[known & (weight >= LEAST_WEIGHT)].reset_index(drop=True)


def _posterior(table: pd.DataFrame) -> np.ndarray:
    for name in ("posterior", "is_candidate", "is_lens"):
        if name in table:
            values = pd.to_numeric(table[name], errors="coerce").to_numpy(float)
            wrong = (values < 0) | (values > 1)
            if wrong.any():
                raise InputError(f"column {name} of grades must be from 0 to 1, got {values[wrong][0]:g}")
            return values
    raise InputError(
        f"grades must have a column posterior, or is_candidate or is_lens, got {', '.join(map(str, table.columns))}: "
        "give what lensdetect grades exports"
    )


def read_grades(path: Path | str) -> pd.DataFrame:
    """Combined grades from a table.

    Parameters
    ----------
    path : path
        As ``lensdetect grades`` exports them, or any table with the columns that ``labels_of`` takes.

    Returns
    -------
    DataFrame
        For ``labels_of``.

    Raises
    ------
    InputError
        If it cannot be read, or lacks a column.
    """
    table = Table(path, strict=True)
    # one spelling for tables of other tools
    names = {name.lower(): name for name in reversed(table.columns)}
    wanted = {
        role: names[role] for role in ("id", "posterior", "is_candidate", "is_lens", "kind", "planted") if role in names
    }
    if "id" not in wanted:
        raise InputError(f"{path} must have a column id, got {', '.join(table.columns)}")
    pieces = [
        pd.DataFrame({role: piece.texts(name) for role, name in wanted.items()})
        for piece in table.pieces(list(wanted.values()))
    ]
    found = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=[*wanted])
    for role in ("posterior", "is_candidate", "is_lens"):
        if role in found:
            found[role] = [_number(text, role=role, path=path) for text in found[role]]
    return found


def _number(text: str | float | None, *, role: str, path: Path | str) -> float:
    # pandas makes NaN of what is None
    word = text.strip().lower() if isinstance(text, str) else ""
    if word in _TRUE | _FALSE:
        return float(word in _TRUE)
    try:
        return float(word) if word else np.nan
    except ValueError:
        raise InputError(f"column {role} of {path} must hold numbers, true or false, got {text!r:.40}") from None
