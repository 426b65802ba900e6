"""The log of grades as a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.inspection import schema
from lensdetect.inspection.extra import grading_module
from lensdetect.inspection.ledger import holding
from lensdetect.inspection.store import opened_to_read

#: Columns of the table.
LOG_COLUMNS = (
    "grade_id", "id", "grader", "grade", "kind", "note", "seconds", "graded_at", "version",
    "planted", "truth", "undone",
)  # fmt: skip


def read_log(where: Path | str) -> pd.DataFrame:
    """All grades of a search, those that were taken back among them.

    Nothing is written, not even where the database may be written to.

    Parameters
    ----------
    where : path or str
        Folder of the search, another input of ``lensdetect grade``, a file of
        SQLite, or the URL of a database.

    Returns
    -------
    DataFrame
        One row a grade, in the order in which they came: ``grade_id`` (UUID),
        ``id`` (of the object), ``grader``, ``grade`` (5, 3, 1 or 0), ``kind`` (what
        it is instead, or empty), ``note``, ``seconds`` (how long it was looked at),
        ``graded_at`` (ISO 8601, UTC), ``version`` (of lensdetect), ``planted``
        (empty, "lens", "dud", "known", or "repeat" where an object was shown to the
        same grader once more), ``truth`` (1 for a lens, 0 for none, NaN where nobody
        knows), ``undone`` (whether it was taken back, or replaced by a later grade).

    Raises
    ------
    InputError
        If there are no grades, they are of another schema, or cannot be read.
    """
    with opened_to_read(where) as connection:
        rows = connection.execute(_query(grading_module("sqlalchemy"))).mappings().all()
    held = holding(rows)
    return _typed(pd.DataFrame([_row(row, held) for row in rows if row["undoes"] is None], columns=list(LOG_COLUMNS)))


def _query(sql):
    log, subjects, graders = schema.log, schema.subjects, schema.graders
    return (
        sql.select(log, subjects.c.id, subjects.c.planted, subjects.c.truth, graders.c.name.label("grader_name"))
        .join_from(log, subjects, log.c.subject == subjects.c.number)
        .join(graders, log.c.grader == graders.c.number)
        .order_by(log.c.number)
    )


def _row(row, held: set[str]) -> dict:
    said = {name: row[name] for name in LOG_COLUMNS if name in row}
    planted = "repeat" if row["showing"] else row["planted"]
    return {**said, "grader": row["grader_name"], "planted": planted, "undone": row["grade_id"] not in held}


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """The same with one type a column, also where there is no row."""
    numbers = {name: np.float64 for name in ("grade", "seconds", "truth")}
    texts = {name: object for name in LOG_COLUMNS if name not in numbers and name != "undone"}
    return table.astype({**texts, **numbers, "undone": bool})
