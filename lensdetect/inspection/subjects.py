"""What was graded, as a table: from the store, or from what is to be graded where there is no store yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.inspection.database import database_url
from lensdetect.inspection.store import need_store, opened_to_read, subject_rows

#: What is told of an object, whether or not a store or a list of candidates tells it, and its type.
TOLD: dict[str, type] = {
    "rank": float,
    "ra_deg": float,
    "dec_deg": float,
    "tile": str,
    "logit": float,
    "probability": float,
    "flags": float,
    "reason": str,
    "near_miss": bool,
    "scene": float,
    "known_lens": str,
    "known_grade": str,
}


def has_store(where: Path | str) -> bool:
    """Whether there are grades.

    Parameters
    ----------
    where : path or str
        As ``database_url`` takes it.

    Returns
    -------
    bool
        True for a database that is no file, which can only be asked.
    """
    try:
        need_store(database_url(where))
    except InputError:
        return False
    return True


def read_subjects(where: Path | str) -> pd.DataFrame:
    """What is graded in a store, what was mixed in among it.

    Parameters
    ----------
    where : path or str
        As ``database_url`` takes it. Nothing is written.

    Returns
    -------
    DataFrame
        ``id``, ``collection`` ("objects" for what people want to know of), ``member``
        (name of its cutout), ``planted``, ``truth`` (NaN where nobody knows), and the columns of ``TOLD``.

    Raises
    ------
    InputError
        If there is no store, or it cannot be read.
    """
    from lensdetect.inspection import schema

    with opened_to_read(where) as connection:
        rows = subject_rows(connection, schema)
    return _table([{**row, **row["about"]} for row in rows])


def subjects_of(path: Path | str, *, survey: str | None = None) -> pd.DataFrame:
    """What would be graded, where nobody has graded yet.

    Parameters
    ----------
    path : path
        As ``lensdetect grade`` takes it.
    survey : str, optional
        Where the images are from; a search tells it.

    Returns
    -------
    DataFrame
        As ``read_subjects`` gives it.

    Raises
    ------
    InputError
        If there is nothing to grade.
    """
    from lensdetect.inspection.sources import open_source

    source = open_source(path, survey=survey)
    return _table([{**vars(one), **one.about} for one in source.subjects])


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = ["id", "collection", "member", "planted", "truth", *TOLD]
    table = pd.DataFrame([{name: row.get(name) for name in columns} for row in rows], columns=columns)
    for name, kind in {"truth": float, **TOLD}.items():
        table[name] = _typed(table[name], kind)
    return table


def _typed(values: pd.Series, kind: type) -> pd.Series:
    if kind is float:
        return values.astype(np.float64)
    if kind is bool:
        return pd.Series([bool(value) for value in values.fillna(False)], index=values.index, dtype=bool)
    return values.fillna("").astype(str).astype(object)


def with_candidates(subjects: pd.DataFrame, folder: Path | str) -> pd.DataFrame:
    """Add what the list of candidates of a search tells, where it is there.

    Parameters
    ----------
    subjects : DataFrame
    folder : path
        Of the search; any other is left alone.

    Returns
    -------
    DataFrame
        With the same rows and columns.
    """
    path = Path(folder) / "candidates.parquet"
    if not path.is_file():
        return subjects
    listed = pd.read_parquet(path)
    listed = listed.assign(id=listed["id"].astype(str)).drop_duplicates("id").set_index("id")
    result, objects = subjects.copy(), (subjects["collection"] == "objects").to_numpy()
    for name, kind in TOLD.items():
        if name in listed:
            told = listed[name].reindex(result["id"]).reset_index(drop=True)
            take = objects & told.notna().to_numpy()
            values = result[name].to_numpy(object, copy=True)
            values[take] = told.to_numpy(object)[take]
            result[name] = _typed(pd.Series(values, index=result.index, dtype=object), kind)
    return result
