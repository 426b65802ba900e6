"""Truth tables: which objects are lenses, and what is known of them."""

from __future__ import annotations

import io
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.stamps import TRUTH_COLUMNS, Shards, is_shards

#: Arcsec to a radian.
_ARCSEC = np.degrees(1.0) * 3600.0
_ID_NAMES = ("id", "ids")
#: Columns of the challenge's tables -> ours, where only the name differs.
_RENAMED = {
    "numb_pix_lensed_image": "arc_pixel_count",
    "flux_lensed_image_in_sigma": "arc_flux_sigma",
}


def read_truth(path: Path | str) -> pd.DataFrame:
    """Truth of a set of objects.

    Reads the tables of the Bologna Lens Challenge (Metcalf+ 2019, A&A 625 A119):
    ``classifications.csv``, with ``is_lens``, and the log of a test set, with
    ``#`` comments and ``no_source`` (a lens has 0 there); CSV or Parquet tables
    with ``id`` and ``is_lens``; and folders of simulated stamps. The Einstein
    radius follows from the challenge's ``Einstein_area`` A, in radian squared:
    ``sqrt(A / pi)``.

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
        If the file does not exist or is no table, if it has no column of ids or
        labels, if a label is not 0, 1, true or false, or if an id comes twice.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist: give a truth table (CSV or Parquet) or a folder of simulated stamps")
    if path.is_dir():
        if not is_shards(path):
            raise InputError(f"{path} is a folder without manifest.json: give the truth table itself")
        return Shards(path).truth
    table = _read_table(path)
    truth = pd.DataFrame({"id": _ids(table, path), "is_lens": _labels(table, path)})
    for name, values in _derived(table, path).items():
        truth[name] = values
    twice = truth["id"][truth["id"].duplicated()]
    if len(twice):
        raise InputError(f"{path} must hold each id once, got {twice.iloc[0]} twice ({len(twice)} such rows)")
    return truth


def _read_table(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return _read_text(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is no table: {' '.join(str(error).split())}") from error


def _read_text(text: str) -> pd.DataFrame:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    rows = [line for line in lines if not line.startswith("#")]
    if not rows:
        raise ValueError("it holds no rows")
    if rows[0].count('"') == 2:
        # the original classifications.csv has quotes around its whole first line
        rows[0] = rows[0].strip('"')
    if not _is_header(rows[0]):
        # logs may have theirs as a comment above the first row
        above = [line.lstrip("# ") for line in itertools.takewhile(lambda line: line.startswith("#"), lines)]
        rows = [line for line in above if _is_header(line)][-1:] + rows
    separator = "," if "," in rows[0] else r"\s+"
    # all as text: an id such as 0012 stays what it is
    return pd.read_csv(io.StringIO("\n".join(rows)), sep=separator, dtype=str, skipinitialspace=True)


def _is_header(line: str) -> bool:
    names = set(re.findall(r"\w+", line.lower()))
    return bool(names & set(_ID_NAMES)) and bool(names & {"is_lens", "no_source"})


def _column(table: pd.DataFrame, *names: str) -> pd.Series | None:
    for column in table.columns:
        if str(column).strip().lower() in names:
            return table[column]
    return None


def _held(table: pd.DataFrame) -> str:
    columns = [str(column) for column in table.columns]
    more = f" and {len(columns) - 12} more" if len(columns) > 12 else ""
    return ", ".join(columns[:12]) + more


def _ids(table: pd.DataFrame, path: Path) -> pd.Series:
    ids = _column(table, *_ID_NAMES)
    if ids is None:
        raise InputError(f"{path} must have a column id, got {_held(table)}")
    if ids.isna().any():
        raise InputError(f"{path} must have an id in each row, got {int(ids.isna().sum())} empty ones")
    return ids.astype(str).str.strip()


def _labels(table: pd.DataFrame, path: Path) -> pd.Series:
    is_lens, no_source = _column(table, "is_lens"), _column(table, "no_source")
    if is_lens is not None:
        return _strict_bool(is_lens, path)
    if no_source is not None:
        return ~_strict_bool(no_source, path)
    raise InputError(f"{path} must have a column is_lens or no_source, got {_held(table)}")


def _strict_bool(values: pd.Series, path: Path) -> pd.Series:
    words = values.astype(str).str.strip().str.lower()
    known = {"0": False, "1": True, "false": False, "true": True, "0.0": False, "1.0": True}
    wrong = words[~words.isin(list(known))]
    if len(wrong):
        raise InputError(
            f"{path}: column {values.name} must hold 0, 1, true or false, got {wrong.iloc[0]} ({len(wrong)} such rows)"
        )
    return words.map(known).astype(bool)


def _derived(table: pd.DataFrame, path: Path) -> dict[str, pd.Series]:
    found = {}
    for name, dtype in TRUTH_COLUMNS.items():
        aliases = [name, *(theirs for theirs, ours in _RENAMED.items() if ours == name)]
        values = _column(table, *aliases)
        if name not in {"id", "is_lens"} and values is not None:
            found[name] = _typed(values, dtype, path)
    area = _column(table, "einstein_area")
    if area is not None and "einstein_radius_arcsec" not in found:
        found["einstein_radius_arcsec"] = np.sqrt(_typed(area, "float64", path) / np.pi) * _ARCSEC
    return found


def _typed(values: pd.Series, dtype: str, path: Path) -> pd.Series:
    if dtype == "bool":
        return _strict_bool(values, path)
    try:
        return values.astype(float).astype(dtype) if dtype in {"float64", "int64"} else values.astype(dtype)
    except ValueError as error:
        raise InputError(f"{path}: column {values.name} must hold numbers: {error}") from error
