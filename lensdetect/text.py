"""Foreign text made fit for where it goes: a screen, a FITS header, a sheet.

Names and identifiers come from other people's files and may hold anything:
control characters, line breaks, sequences that a terminal obeys, letters that a
header cannot hold, formulas that a spreadsheet runs. They are kept as they are
inside the package, and cleaned here, once, where they leave it. What cannot be
kept is written as an escape (``\\\\x1b``), never dropped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: With what a cell begins that a spreadsheet takes for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MOST_SHOWN = 60
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def for_screen(text: object) -> str:
    """One line that a terminal only shows.

    Parameters
    ----------
    text : object
        Anything that has a text.

    Returns
    -------
    str
        What is not printable, line breaks and marks of writing direction among
        it, as an escape.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def shown(text: object) -> str:
    """What came, for a message: in quotes, printable, and no longer than 60 letters.

    Parameters
    ----------
    text : object

    Returns
    -------
    str
    """
    line = for_screen(text)
    return f"'{line}'" if len(line) <= _MOST_SHOWN else f"'{line[:_MOST_SHOWN]}...'"


def for_header(text: object, *, longest: int | None = None) -> str:
    """Text that a FITS header or table holds: printable ASCII.

    Parameters
    ----------
    text : object
    longest : int, optional
        Letters after which it is cut; a card holds 68.

    Returns
    -------
    str
    """
    return for_screen(text).encode("ascii", "backslashreplace").decode("ascii")[:longest]


def storable(text: str) -> str:
    """Text that UTF-8 can hold: file names that are not UTF-8 have letters (lone surrogates) that it cannot.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        The same, but for those.
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def identifier(text: str) -> str:
    """Name of a column that every language takes as it is: each run of other characters becomes one underscore.

    Parameters
    ----------
    text : str
        As ``logit_arcformer_small-kids/1``.

    Returns
    -------
    str
        As ``logit_arcformer_small_kids_1``: letters of ASCII, digits and
        underscores, and no digit in front.
    """
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
    return f"_{name}" if name[:1].isdigit() or not name else name


def write_csv(table: pd.DataFrame, file) -> None:
    """Write a table for spreadsheets and everything else that reads CSV.

    A cell of text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a
    carriage return and is no number gets an apostrophe in front: a spreadsheet
    would run it as a formula. Parquet files have the text as it was.

    Parameters
    ----------
    table : DataFrame
    file : binary file
        Open for writing.
    """
    texts = {
        name: [_for_sheet(value) if isinstance(value, str) else value for value in values]
        for name, values in table.items()
        if values.dtype.kind not in "biufcmM"
    }
    table.assign(**texts).to_csv(file, index=False)


def _for_sheet(text: str) -> str:
    text = storable(text)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
