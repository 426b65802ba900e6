"""Results to disk, whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from lensdetect.errors import InputError
from lensdetect.runs import write_whole
from lensdetect.text import write_csv

_WRITERS = {
    ".csv": write_csv,
    ".parquet": lambda table, file: table.to_parquet(file, index=False),
}


def check_writable(path: Path | str, *, kinds: tuple[str, ...] = tuple(_WRITERS)) -> Path:
    """Refuse a place for a file before hours are spent on its content.

    Parameters
    ----------
    path : path
        Where a file shall be written.
    kinds : tuple of str
        Extensions that it may have.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the extension is another, the folder does not exist or cannot be
        written to, or a folder has that name.
    """
    path = Path(path)
    if path.suffix.lower() not in kinds:
        raise InputError(f"{path} must end in one of {', '.join(kinds)}, got {path.suffix or 'no ending'!r}")
    if path.is_dir():
        raise InputError(f"{path} must be a file to write, got a folder: add a file name")
    try:
        # Asking for permission is not enough: a full or odd file system shows only here.
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(
            f"{path} must be in a folder that exists and can be written to ({error.strerror}): choose another place"
        ) from error
    return path


def write_table(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table as CSV or Parquet, by the extension.

    In CSV a cell that a spreadsheet would run gets an apostrophe in front.

    Parameters
    ----------
    table : DataFrame
        The rows.
    path : path
        Ends in .csv or .parquet.

    Raises
    ------
    InputError
        If the file cannot be written; nothing is left of it then.
    """
    path = Path(path)
    try:
        write_whole(path, lambda file: _WRITERS[path.suffix.lower()](table, file))
    except OSError as error:
        raise InputError(
            f"{path} could not be written ({error.strerror or error}): make room or choose another place"
        ) from error
