"""The log of grades: what is said is added, and nothing is ever changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from lensdetect import __version__
from lensdetect.inspection import schema
from lensdetect.inspection.extra import grading_module
from lensdetect.inspection.store import Store, utc_now


@dataclass(frozen=True)
class Entry:
    """What somebody says of something: a grade, or that one is taken back.

    Parameters
    ----------
    grade_id : str
        A UUID that its sender made: the same one counts once, however often it is sent.
    subject : int
        Number in the store.
    showing : int
        0, or 1 where the same is shown again.
    grade : float or None
        5, 3, 1 or 0; None where one is taken back.
    undoes : str or None
        ``grade_id`` of what is taken back.
    kind : str
        What it is instead.
    note : str
    seconds : float
        How long it was looked at.
    graded_at : str
        When, by the sender's clock; ISO 8601 in UTC.
    """

    grade_id: str
    subject: int
    showing: int
    grade: float | None
    undoes: str | None = None
    kind: str = ""
    note: str = ""
    seconds: float = 0.0
    graded_at: str = ""


class Outcome(NamedTuple):
    """What became of some entries.

    Parameters
    ----------
    kept : list of str
        ``grade_id`` of those that are in the log now, newly or from before.
    refused : dict of str
        The others, and why.
    """

    kept: list[str]
    refused: dict[str, str]


def append(store: Store, grader: int, entries: Sequence[Entry]) -> Outcome:
    """Add entries to the log; when it returns they are on the disk.

    Parameters
    ----------
    store : Store
    grader : int
        Who says it.
    entries : sequence of Entry
        In the order in which they were made.

    Returns
    -------
    Outcome

    Raises
    ------
    InputError
        If the database cannot be written to: nothing is kept then.
    """
    sql, refused = grading_module("sqlalchemy"), {}
    with store.writing() as connection:
        is_over = _has_finished(connection, sql, grader)
        for entry in entries:
            if entry.undoes is not None and not _is_own_grade(connection, sql, grader, entry):
                refused[entry.grade_id] = "there is no grade of yours that it takes back"
            elif not is_over:
                connection.execute(_adding(store.url), _row(entry, grader))
        there = _own_rows(connection, sql, grader, [entry.grade_id for entry in entries])
        for entry in entries:
            if entry.grade_id not in refused and there.get(entry.grade_id) != _said(entry):
                refused[entry.grade_id] = "you have finished" if is_over else "another grade has this grade_id"
    return Outcome([entry.grade_id for entry in entries if entry.grade_id not in refused], refused)


def _adding(url: str):
    dialect = grading_module("sqlalchemy.dialects." + url.partition(":")[0].partition("+")[0])
    return dialect.insert(schema.log).on_conflict_do_nothing(index_elements=["grade_id"])


def _row(entry: Entry, grader: int) -> dict:
    now = utc_now()
    # a clock that is ahead of ours says nothing that can be used
    graded_at = min(entry.graded_at, now) if entry.graded_at else now
    return {**asdict(entry), "graded_at": graded_at, "grader": grader, "received_at": now, "version": __version__}


def _has_finished(connection, sql, grader: int) -> bool:
    graders = schema.graders.c
    return connection.scalar(sql.select(graders.finished_at).where(graders.number == grader)) is not None


def _is_own_grade(connection, sql, grader: int, entry: Entry) -> bool:
    log = schema.log.c
    query = sql.select(log.number).where(
        log.grade_id == entry.undoes, log.grader == grader, log.subject == entry.subject, log.grade.is_not(None)
    )
    return connection.execute(query).first() is not None


def _own_rows(connection, sql, grader: int, ids: Iterable[str]) -> dict[str, tuple]:
    log = schema.log.c
    query = sql.select(log.grade_id, log.subject, log.showing, log.grade, log.undoes).where(
        log.grader == grader, log.grade_id.in_(list(ids))
    )
    return {row[0]: tuple(row[1:]) for row in connection.execute(query)}


def _said(entry: Entry) -> tuple:
    return entry.subject, entry.showing, entry.grade, entry.undoes


class Said(NamedTuple):
    """A grade as it is in the log."""

    grade_id: str
    subject: int
    showing: int
    grade: float
    kind: str
    note: str
    seconds: float


def said_by(store: Store, grader: int) -> list[Said]:
    """Grades of one grader that were not taken back; of several of one showing the last one holds.

    Parameters
    ----------
    store : Store
    grader : int

    Returns
    -------
    list of Said
        In the order in which they came.
    """
    sql, log = grading_module("sqlalchemy"), schema.log
    query = sql.select(log).where(log.c.grader == grader).order_by(log.c.number)
    with store.reading() as connection:
        rows = connection.execute(query).mappings().all()
    back = {row["undoes"] for row in rows}
    said = [row for row in rows if row["undoes"] is None and row["grade_id"] not in back]
    return [Said(*(row[name] for name in Said._fields)) for row in said]


def holding(rows: Iterable) -> set[str]:
    """Which rows of the log hold.

    Parameters
    ----------
    rows : iterable of mapping
        ``grade_id``, ``subject``, ``grader``, ``showing`` and ``undoes``, in the order of the log.

    Returns
    -------
    set of str
        Their ``grade_id``: of each grader and showing the last one that is not taken back.
    """
    rows = list(rows)
    back = {row["undoes"] for row in rows if row["undoes"] is not None}
    last = {
        (row["grader"], row["subject"], row["showing"]): row["grade_id"]
        for row in rows
        if row["undoes"] is None and row["grade_id"] not in back
    }
    return set(last.values())
