"""Truth tables: which objects are lenses, and what is known of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lensdetect.errors import InputError
from lensdetect.images.columns import find_columns
from lensdetect.images.rows import Rows
from lensdetect.images.tables import Table
from lensdetect.stamps import TRUTH_COLUMNS, Shards, is_shards
from lensdetect.text import shown

#: Arcsec to a radian.
_ARCSEC = np.degrees(1.0) * 3600.0
_LABELS = ("id", "is_lens", "no_source")
_ROLES = (*_LABELS, *(name for name in TRUTH_COLUMNS if name not in _LABELS), "einstein_area_rad2")
_WORDS = {"0": False, "1": True, "false": False, "true": True, "0.0": False, "1.0": True}


def read_truth(path: Path | str) -> pd.DataFrame:
    """Truth of a set of objects.

    Reads the tables of the Bologna Lens Challenge (Metcalf+ 2019, A&A 625 A119):
    ``classifications.csv``, with ``is_lens``, and the log of a test set, with
    ``#`` comments and ``no_source`` (a lens has 0 there); CSV or Parquet tables
    with ``id`` and ``is_lens``; and folders of simulated stamps. Any other form
    that ``images.tables`` reads will do. Every line below the header must be a row
    or a comment, by the rules of ``images.text_tables``: none is left out. The
    Einstein radius follows from the challenge's ``Einstein_area`` A, in radian
    squared: ``sqrt(A / pi)``.

    Parameters
    ----------
    path : path
        A table, or a folder of simulated stamps.

    Returns
    -------
    DataFrame
        ``id`` (text), ``is_lens`` (bool), and those of ``TRUTH_COLUMNS`` that
        the table holds or that follow from it.

    Raises
    ------
    InputError
        If the file does not exist or is no table, if a line is no row, if it has
        no column of ids or labels, if a label is not 0, 1, true or false, or if
        an id comes twice.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist: give a truth table (CSV or Parquet) or a folder of simulated stamps")
    if path.is_dir():
        if not is_shards(path):
            raise InputError(f"{path} is a folder without manifest.json: give the truth table itself")
        return Shards(path).truth
    rows = _read(path)
    truth = pd.DataFrame({"id": _ids(rows), "is_lens": _labels(rows)})
    for name, values in _derived(rows).items():
        truth[name] = values
    twice = truth["id"][truth["id"].duplicated()]
    if len(twice):
        raise InputError(f"{path} must hold each id once, got {shown(twice.iloc[0])} twice ({len(twice)} such rows)")
    return truth


def _read(path: Path) -> Rows:
    """All rows of a table, under our names of columns."""
    table = Table(path, strict=True)
    columns = find_columns(table.columns, _ROLES, path=path)
    if not columns["id"] or not (columns["is_lens"] or columns["no_source"]):
        wanted = "id" if not columns["id"] else "is_lens or no_source"
        raise InputError(f"{path} must have a column {wanted}, got {_held(table.columns)}")
    used = {role: name for role, name in columns.items() if name}
    pieces = list(table.pieces(list(used.values())))
    if not pieces:
        raise InputError(f"{path} must have a row for each object, got none below its columns {_held(table.columns)}")
    whole = pa.concat_tables([piece.table for piece in pieces])
    lines = None if pieces[0].lines is None else np.concatenate([piece.lines for piece in pieces])
    return Rows(path, pa.table({role: whole[name] for role, name in used.items()}), lines=lines)


def _held(columns: list[str]) -> str:
    more = f" and {len(columns) - 12} more" if len(columns) > 12 else ""
    return ", ".join(columns[:12]) + more


def _ids(rows: Rows) -> np.ndarray:
    ids = rows.texts("id")
    empty = [row for row, one in enumerate(ids) if one is None]
    if empty:
        raise InputError(
            f"truth must have an id in each row, got {len(empty)} empty ones, the first in {rows.where(empty[0])}"
        )
    return ids


def _labels(rows: Rows) -> np.ndarray:
    if "is_lens" in rows.table.column_names:
        return _strict_bool(rows, "is_lens")
    return ~_strict_bool(rows, "no_source")


def _strict_bool(rows: Rows, name: str) -> np.ndarray:
    words = [str(text).lower() for text in rows.texts(name)]
    wrong = [row for row, word in enumerate(words) if word not in _WORDS]
    if wrong:
        got = "nothing" if words[wrong[0]] == "none" else shown(words[wrong[0]])
        raise InputError(
            f"column {name} must hold 0, 1, true or false, got {got} in {rows.where(wrong[0])} ({len(wrong)} such rows)"
        )
    return np.array([_WORDS[word] for word in words], bool)


def _derived(rows: Rows) -> dict[str, np.ndarray]:
    held = [name for name in rows.table.column_names if name not in _LABELS]
    found = {name: _typed(rows, name, dtype) for name, dtype in TRUTH_COLUMNS.items() if name in held}
    if "einstein_area_rad2" in held and "einstein_radius_arcsec" not in found:
        found["einstein_radius_arcsec"] = np.sqrt(rows.numbers("einstein_area_rad2") / np.pi) * _ARCSEC
    return found


def _typed(rows: Rows, name: str, dtype: str) -> np.ndarray:
    if dtype == "bool":
        return _strict_bool(rows, name)
    if dtype == "str":
        return np.array([text or "" for text in rows.texts(name)], object)
    return _whole_numbers(rows, name) if dtype == "int64" else rows.numbers(name)


def _whole_numbers(rows: Rows, name: str) -> np.ndarray:
    values = rows.numbers(name)
    odd = np.flatnonzero(~(np.abs(values) < 2**63) | (values != np.floor(values)))
    if len(odd):
        cell = rows.texts(name)[odd[0]]
        got = "nothing" if cell is None else shown(cell)
        raise InputError(
            f"column {name} must hold whole numbers, got {got} in {rows.where(odd[0])} ({len(odd)} such rows)"
        )
    try:
        # exactly: seeds may be larger than what floats hold
        return rows.table[name].cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return values.astype(np.int64)
