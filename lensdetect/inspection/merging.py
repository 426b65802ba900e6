"""Grades of people who graded elsewhere: tables that become rows of the log.

Whatever in them is not understood is told with its file and line, and nothing is
taken from any of them until it is put right: a grade that is left out in silence
would change who counts as a lens.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.images.columns import find_columns
from lensdetect.images.rows import Rows
from lensdetect.images.tables import Table
from lensdetect.inspection.keys import PictureKeys
from lensdetect.inspection.scale import SCALES, steps
from lensdetect.inspection.standing import REPEAT, SCALE
from lensdetect.text import shown

_NEEDED = ("id", "grader", "grade")
#: In the place of the id: what the grading page calls its pictures.
_KEY = "key"
_OPTIONAL = ("kind", "note", "seconds", "graded_at")
#: How a grade may be written: as a number of the scale, or as its letter.
_WORDS = {step.label: step.grade for scale in SCALES for step in steps(scale)}
_PROBLEMS_SHOWN = 5
_COLUMNS = ("id", "grader", "grade", *_OPTIONAL)


@dataclass
class _Seen:
    """Rows so far, and what is wrong with them."""

    known: frozenset[str]
    keys: PictureKeys | None
    places: dict[tuple[str, str, bool], str]
    names: dict[str, str]
    rows: list[tuple] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_merged(
    files: Sequence[Path | str], *, subjects: pd.DataFrame, log: pd.DataFrame, keys: PictureKeys | None = None
) -> pd.DataFrame:
    """Grades from tables, as rows of the log.

    Parameters
    ----------
    files : sequence of path
        Any table that ``images.tables`` reads, with ``id``, ``grader``, ``grade`` (5, 3, 1, 0 or A, B, C, X;
        nothing where the object was skipped) and, where it has them, ``kind``, ``note``,
        ``seconds`` and ``graded_at`` (ISO 8601; UTC where it says no zone).
    subjects : DataFrame
        ``id``, ``planted`` and ``truth`` of all that can be graded.
    log : DataFrame
        What was graded already.
    keys : PictureKeys, optional
        Of the grading, where there is one.

    Returns
    -------
    DataFrame
        In the columns of the log.

    Raises
    ------
    InputError
        If a column is lacking, an id is not known, a grader has graded an object
        already, one name is spelled in two ways, or a grade, time or name is not understood: all such rows are
        counted, the first few told.
    """
    graded = log[~log["undone"].astype(bool)]
    again = graded["planted"] == REPEAT if "planted" in graded else [False] * len(graded)
    places = dict.fromkeys(zip(graded["id"], graded["grader"], map(bool, again), strict=True), "the log")
    seen = _Seen(frozenset(subjects["id"]), keys, places, {name.casefold(): name for name in graded["grader"]})
    for file in files:
        _read(Path(file), seen)
    if seen.problems:
        count, more = len(seen.problems), len(seen.problems) - _PROBLEMS_SHOWN
        told = "; ".join(seen.problems[:_PROBLEMS_SHOWN]) + (f"; and {more:,} more" if more > 0 else "")
        raise InputError(f"grades to merge must be understood, {count:,} {'are' if count > 1 else 'is'} not: {told}")
    found = pd.DataFrame(seen.rows, columns=[*_COLUMNS, "grade_id", "again"])
    about, again = subjects.drop_duplicates("id").set_index("id"), found.pop("again").to_numpy(bool)
    return found.assign(
        planted=np.where(again, REPEAT, about["planted"].reindex(found["id"]).fillna("").to_numpy(object)),
        truth=about["truth"].reindex(found["id"]).to_numpy(float),
        version="",
        undone=False,
    )


def _read(file: Path, seen: _Seen) -> None:
    table = Table(file, strict=True)
    columns = find_columns(table.columns, (*_NEEDED, _KEY, *_OPTIONAL), path=file)
    if columns["id"]:
        columns[_KEY] = ""
    elif columns[_KEY] and seen.keys is None:
        raise InputError(
            f"{file} names pictures by the keys of a grading, whose database must be there: give its SEARCH_DIR or "
            "--database"
        )
    lacking = [name for name in _NEEDED if not columns[name] and not (name == "id" and columns[_KEY])]
    if lacking:
        raise InputError(
            f"{file} must have columns id, grader and grade, got {', '.join(table.columns[:12])}: "
            f"name one of them {lacking[0]}"
        )
    named = {role: name for role, name in columns.items() if name}
    for piece in table.pieces(list(named.values())):
        texts = {role: piece.texts(name) for role, name in named.items()}
        for row in range(len(piece)):
            _take({role: values[row] or "" for role, values in texts.items()}, piece, row, seen)


def _take(cells: Mapping[str, str], piece: Rows, row: int, seen: _Seen) -> None:
    where = piece.where(row)
    name, again = _object(cells, seen)
    problems = list(_problems(cells, where, seen, name=name, again=again))
    seen.problems += problems
    if not problems:
        seen.places[name, cells["grader"], again] = where
        seen.rows.append(
            (
                name,
                cells["grader"],
                _grade(cells["grade"]),
                cells.get("kind", ""),
                cells.get("note", ""),
                _seconds(cells.get("seconds", "")),
                _time(cells.get("graded_at", "")),
                # the log has one of its own for each grade: the place is as good
                where,
                again,
            )
        )


def _object(cells: Mapping[str, str], seen: _Seen) -> tuple[str, bool]:
    """Id of what a row is about, empty where its key is not known; and whether it was shown for the second time."""
    if _KEY not in cells:
        return cells["id"], False
    return seen.keys.find(cells["grader"], cells[_KEY]) or ("", False)


def _problems(cells: Mapping[str, str], where: str, seen: _Seen, *, name: str, again: bool) -> Iterable[str]:
    if _KEY in cells and not name:
        yield f"picture {shown(cells[_KEY])} in {where} is none that {shown(cells['grader'])} was shown in this grading"
    elif name not in seen.known:
        yield f"id {shown(name)} in {where} is none of what was graded"
    if not cells["grader"]:
        yield f"{where} names no grader"
    spelled = seen.names.setdefault(cells["grader"].casefold(), cells["grader"])
    if spelled != cells["grader"]:
        yield f"grader {shown(cells['grader'])} in {where} is {shown(spelled)} elsewhere: one person needs one name"
    before = seen.places.get((name, cells["grader"], again))
    if before is not None:
        yield f"{shown(cells['grader'])} grades {shown(name)} twice, in {before} and in {where}"
    for read, role in ((_grade, "grade"), (_seconds, "seconds"), (_time, "graded_at")):
        try:
            read(cells.get(role, ""))
        except ValueError:
            yield f"{role} {shown(cells[role])} in {where} is {_WANTED[role]}"


_WANTED = {
    "grade": f"none of {', '.join(_WORDS)}",
    "seconds": "no number of seconds",
    "graded_at": "no time such as 2026-11-26T20:00:00Z",
}


def _grade(text: str) -> float:
    """The grade, NaN where the object was skipped."""
    if not text:
        return math.nan
    word = text.upper()
    if word in _WORDS:
        return _WORDS[word]
    value = float(text)
    if value not in SCALE:
        raise ValueError(text)
    return value


def _seconds(text: str) -> float:
    value = float(text) if text else math.nan
    if value < 0 or math.isinf(value):
        raise ValueError(text)
    return value


def _time(text: str) -> str:
    """The time as the log writes it."""
    if not text:
        return ""
    time = datetime.fromisoformat(text)
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return time.isoformat(timespec="milliseconds")
