"""Rows of a table from elsewhere, in a form that no longer tells which file they are from.

Whatever a file holds becomes one of six types of Arrow: text, 64-bit whole
numbers with and without sign, 32- and 64-bit floats, truth values. What is
missing is a null in all of them, however the file marks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lensdetect.errors import InputError
from lensdetect.text import shown

#: What stands in a cell of text where nothing is known, with blanks round it or none.
MISSING = ("", "-", "--", "NULL", "Null", "null", "\\N", "nan", "NaN", "NAN", "NA", "N/A", "<NA>", "None")
_MISSING = pa.array(MISSING)
#: Whole numbers beyond this are not all told apart by 64-bit floats.
EXACT = 2.0**53
#: How many refused lines are told.
_TOLD = 3


@dataclass
class Refused:
    """Lines of a table that could not be taken for rows.

    Parameters
    ----------
    strict : bool
        Whether the first one is an error.

    Attributes
    ----------
    count : int
    reasons : list of str
        Of the first few.
    """

    strict: bool = False
    count: int = 0
    reasons: list[str] = field(default_factory=list)

    def add(self, reason: str) -> None:
        """Count one more.

        Parameters
        ----------
        reason : str
            With its line and file.

        Raises
        ------
        InputError
            If no line may be lost.
        """
        if self.strict:
            raise InputError(reason)
        self.count += 1
        if len(self.reasons) < _TOLD:
            self.reasons.append(reason)


#: Columns of some rows by name, and the lines of these in the file where it has lines.
RawPiece = tuple[Mapping[str, "pa.Array | pa.ChunkedArray"], "np.ndarray | None"]


@dataclass(frozen=True)
class Source:
    """A table as a reader of one form opens it.

    Parameters
    ----------
    columns : list of str
        Those with one value a row.
    units : dict of str
        Of the columns that have one.
    read : callable
        Names of columns, largest number of rows, ``Refused`` -> pieces.
    """

    columns: list[str]
    units: dict[str, str]
    read: Callable[[list[str], int, Refused], Iterator[RawPiece]]


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, one after the other.

    Parameters
    ----------
    file : Path
        Which they are from.
    table : pyarrow.Table
        As ``plain_table`` makes it.
    first : int
        Number of the first row in the file, from 0.
    lines : ndarray, optional
        ``(n,)`` lines in the file, from 1, where it has such.
    """

    file: Path
    table: pa.Table
    first: int = 0
    lines: np.ndarray | None = None

    def __len__(self) -> int:
        """How many there are."""
        return self.table.num_rows

    def where(self, row: int) -> str:
        """Place of a row in its file, in words."""
        if self.lines is not None:
            return f"line {self.lines[row]} of {self.file}"
        return f"row {self.first + row} (from 0) of {self.file}"

    def texts(self, name: str) -> np.ndarray:
        """A column as text, as it stands in the file.

        Parameters
        ----------
        name : str

        Returns
        -------
        ndarray
            Objects ``(n,)``: text, without blanks at its ends, or None.

        Raises
        ------
        InputError
            If it holds floats too large to be told apart.
        """
        column = self.table[name]
        if pa.types.is_floating(column.type):
            return self._float_texts(name)
        return column.cast(pa.string()).to_numpy(zero_copy_only=False)

    def _float_texts(self, name: str) -> np.ndarray:
        """Whole numbers without a point, as long as they can be trusted."""
        values = self.numbers(name)
        large = np.flatnonzero(np.abs(values) >= EXACT)
        if len(large):
            raise InputError(
                f"column {name} of {self.file} holds numbers with a point, which cannot tell such as "
                f"{values[large[0]]:.17g} from the next ones: write it as text or as whole numbers"
            )
        return np.array(
            [None if np.isnan(v) else str(int(v)) if v == int(v) else repr(float(v)) for v in values], object
        )

    def numbers(self, name: str) -> np.ndarray:
        """A column as 64-bit floats.

        Parameters
        ----------
        name : str

        Returns
        -------
        ndarray
            float64 ``(n,)``, NaN where nothing is known.

        Raises
        ------
        InputError
            If a cell is no number; the message has it and its line.
        """
        column = self.table[name]
        if pa.types.is_string(column.type):
            values, bad = numbers_in(column)
            if len(bad):
                raise InputError(
                    f"column {name} must hold numbers, got {shown(column[int(bad[0])])} in {self.where(int(bad[0]))}"
                )
            return values
        # not safe: a number of more digits than a float has is rounded, not refused
        return pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy()


def numbers_in(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers that are written in a column of text.

    Parameters
    ----------
    column : ChunkedArray
        Of text.

    Returns
    -------
    values : ndarray
        float64 ``(n,)``, NaN where there is none.
    bad : ndarray
        Rows with a text that is no number.
    """
    try:
        return pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy(), np.zeros(0, int)
    except pa.ArrowInvalid:
        values = pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(float)
        return values, np.flatnonzero(np.isnan(values) & column.is_valid().to_numpy())


def is_plain(kind: pa.DataType) -> bool:
    """Whether a column of this type has one value a row."""
    return not pa.types.is_nested(kind)


def plain_table(columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    """Columns in the six types, with nulls where nothing is known.

    Parameters
    ----------
    columns : mapping
        Name -> Arrow array of any type with one value a row.

    Returns
    -------
    pyarrow.Table
    """
    return pa.table({name: _plain(column) for name, column in columns.items()})


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_uint64(kind):
        return column
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind):
        column = column.cast(pa.float64() if pa.types.is_float64(kind) else pa.float32())
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    text = pc.utf8_trim_whitespace(_text(column))
    return pc.if_else(pc.is_in(text, value_set=_MISSING), pa.scalar(None, pa.string()), text)


def _text(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Decimals, dates and bytes as text."""
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        values = (value if value is None else value.decode("utf-8", "backslashreplace") for value in column.to_pylist())
        return pa.array(list(values), pa.string())
