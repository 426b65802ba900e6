"""Tables of text: one row a line, cells apart by tabs, commas, semicolons or blanks; and ECSV.

* Cells are apart by what the header line has between its names: a tab, else a
  comma or a semicolon, whichever is there more often, else blanks. Blanks are
  taken only where nothing else is there, as they cannot tell an empty cell.
* A cell in quotes may hold anything. Blanks round a cell are no part of it.
* A line that begins with ``#`` is a comment; ``#`` anywhere else is a letter.
  The column names may stand in the last comment above the rows.
* Below the header, a line such as ``#12,1``, with no blank behind the mark and as
  many cells as the header, may be a row whose id begins with ``#`` or a row that
  somebody took out: it is refused. ``"#12",1`` is a row, ``# 12,1`` a comment.
* A line with more or fewer cells than the header is no row, and is refused.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import numpy as np
import pyarrow as pa

from lensdetect.errors import InputError
from lensdetect.images.columns import is_known_name
from lensdetect.images.ecsv import MARK, units_of
from lensdetect.images.rows import RawPiece, Refused, Source
from lensdetect.text import shown

#: Longest line that is read, in letters.
LONGEST_LINE = 1_000_000
_SEPARATORS = ("\t", ",", ";")


def open_text_table(file: Path) -> Source:
    """Open a table of text.

    Parameters
    ----------
    file : Path
        UTF-8, plain or gzip-compressed.

    Returns
    -------
    Source
        Units are known of ECSV alone.

    Raises
    ------
    InputError
        If it has no line of column names, or a line is longer than ``LONGEST_LINE``.
    """
    with _open(file) as stream:
        comments, header = _head(stream, file)
    if comments and comments[0].startswith(MARK):
        units = units_of([line.removeprefix("#").removeprefix(" ") for line in comments[1:]])
        skipped = len(comments) + 1
    else:
        units = {}
        above = _header_above(comments, header, file)
        skipped = len(comments) + (above is None)
        header = header if above is None else above
    separator = _separator(header)
    names = [name.strip() for name in _cells(_unquoted(header), separator)]

    def read(columns: list[str], rows: int, refused: Refused) -> Iterator[RawPiece]:
        with _open(file) as stream:
            for _ in range(skipped):
                stream.readline()
            lines = _Lines(stream, separator, begin=skipped, width=len(names), refused=refused, file=file)
            yield from _pieces(lines, [names.index(name) for name in columns], columns, rows)

    return Source(names, units, read)


def _open(file: Path) -> io.TextIOWrapper:
    with open(file, "rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    opened = gzip.open(file) if packed else open(file, "rb")  # noqa: SIM115
    return io.TextIOWrapper(opened, encoding="utf-8-sig", newline="")


def _read_line(stream: io.TextIOBase, file: Path) -> str:
    line = stream.readline(LONGEST_LINE)
    if len(line) == LONGEST_LINE:
        raise InputError(f"{file} must be a table, got a line of {LONGEST_LINE:,} letters or more")
    return line


def _head(stream: io.TextIOBase, file: Path) -> tuple[list[str], str]:
    """Lines above the first one that is no comment, and that line."""
    above = []
    while line := _read_line(stream, file):
        if "\0" in line:
            raise InputError(
                f"{file} must be a table, got neither text nor a form that is known: convert it, or fetch it again"
            )
        if line.strip() and not line.startswith("#"):
            return above, line
        above.append(line)
    raise InputError(f"{file} must be a table, got no rows: give its column names and a row for each object")


def _header_above(comments: list[str], first: str, file: Path) -> str | None:
    """The last comment, if it is that which names the columns."""
    above = next((line.lstrip("# ") for line in reversed(comments) if line.strip("# \r\n")), None)
    has_number = any(_is_number(cell) for cell in _cells(first, _separator(first)))
    if above is not None:
        separator = _separator(above)
        names = _cells(above, separator)
        if len(names) > 1 and len(names) == len(_cells(first, separator)):
            known_above, known_first = (any(map(is_known_name, cells)) for cells in (names, _cells(first, separator)))
            if has_number or (known_above and not known_first):
                return above
    if has_number:
        raise InputError(f"the first line of {file} must name the columns, got {shown(first.strip())}: add their names")
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in {"nan", "inf", "infinity"}


def _separator(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "name", _unquoted(header))
    if "\t" in bare.strip():
        return "\t"
    if "," in bare or ";" in bare:
        return max(",", ";", key=bare.count)
    return " " if " " in bare.strip() else ","


def _unquoted(header: str) -> str:
    """The header itself: the challenge's own table has quotes around the whole of it."""
    line = header.strip("\r\n")
    inside = line.strip()[1:-1]
    whole = line.strip().startswith('"') and line.strip().endswith('"') and '"' not in inside
    return inside if whole and any(separator in inside for separator in _SEPARATORS) else line


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([_spaced(line, separator)], delimiter=separator, skipinitialspace=True), [])


def _spaced(line: str, separator: str) -> str:
    return line.replace("\t", " ").strip() if separator == " " else line


class _Lines:
    """Lines of a table, without the comments between its rows."""

    def __init__(self, stream, separator: str, *, begin: int, width: int, refused: Refused, file: Path):
        self.separator, self.width, self.refused, self.file = separator, width, refused, file
        self.number = begin
        #: Line in which the row began that is being read.
        self.began = 0
        #: Whether a row has begun, of which this line is the next: a cell in quotes may have several.
        self.inside = False
        self._stream = stream

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        while line := _read_line(self._stream, self.file):
            self.number += 1
            if not self.inside:
                if not line.strip(" \r\n"):
                    continue
                if line.startswith("#"):
                    self._look_at_comment(line)
                    continue
                self.began = self.number
            self.inside = True
            return _spaced(line, self.separator)
        raise StopIteration

    def _look_at_comment(self, line: str) -> None:
        if not line[1:2].isspace() and len(_cells(line, self.separator)) == self.width:
            self.refused.add(
                f"line {self.number} of {self.file} must be a row or a comment, got {shown(line.strip())}: "
                "put its first cell in quotes if it is a row, or a blank behind # if it is none"
            )

    def is_row(self, cells: list[str]) -> bool:
        """Whether a line has as many cells as the header; else it is refused."""
        self.inside = False
        if len(cells) == self.width:
            return True
        self.refused.add(
            f"line {self.began} of {self.file} must have {self.width} cells, as many as the header, got {len(cells)}: "
            "correct it (a cell that holds the separator must be in quotes)"
        )
        return False


def _pieces(lines: _Lines, places: list[int], columns: list[str], rows: int) -> Iterator[RawPiece]:
    pick = itemgetter(*places) if len(places) > 1 else lambda cells: [cells[place] for place in places]
    found, numbers = [], []
    for cells in csv.reader(lines, delimiter=lines.separator, skipinitialspace=True):
        if lines.is_row(cells):
            found.append(pick(cells))
            numbers.append(lines.began)
        if len(found) == rows:
            yield _piece(found, numbers, columns)
            found, numbers = [], []
    if found:
        yield _piece(found, numbers, columns)


def _piece(found: list, numbers: list[int], columns: list[str]) -> RawPiece:
    arrays = {name: pa.array(cells, pa.string()) for name, cells in zip(columns, zip(*found, strict=True), strict=True)}
    return arrays, np.array(numbers)
