"""Tables of any common form, read in pieces."""

from __future__ import annotations

import glob
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from lensdetect.errors import InputError

_PARQUET = (".parquet", ".pq")
_FITS = (".fits", ".fit", ".cat", ".fits.gz", ".fit.gz")
_TEXT = (".csv", ".csv.gz", ".tsv")
#: Read whole: their forms have no rows to step through.
_WHOLE = (".ecsv", ".vot", ".votable", ".xml")


def table_files(path: Path | str | Sequence[Path | str]) -> list[Path]:
    """Files of a catalogue.

    Parameters
    ----------
    path : path
        A file, a glob, or a folder: of tables, or a HATS catalogue (its
        partitions are the Parquet files under ``dataset``). Or several of these.

    Returns
    -------
    list of Path
        Sorted by name; of several paths, one path after the other.

    Raises
    ------
    InputError
        If there is none, or a form is not known.
    """
    if not isinstance(path, (str, Path)):
        return list(dict.fromkeys(file for one in path for file in table_files(one)))
    root = Path(path)
    if root.is_dir():
        partitions = sorted(root.glob("dataset/**/Npix=*.parquet")) + sorted(root.glob("**/Npix=*/*.parquet"))
        found = partitions or sorted(file for file in root.iterdir() if _suffix(file) is not None)
    else:
        found = [root] if root.exists() else sorted(Path(name) for name in glob.glob(str(path)))
    if not found:
        raise InputError(f"a catalogue must be a table, or a folder or glob of tables, got nothing at {path}")
    for file in found:
        if _suffix(file) is None:
            known = ", ".join((*_PARQUET, *_FITS, *_TEXT, *_WHOLE))
            raise InputError(f"a catalogue must be one of {known}, got {file}: convert it")
    return found


def _suffix(file: Path) -> str | None:
    name = file.name.lower()
    return next(
        (end for end in sorted((*_PARQUET, *_FITS, *_TEXT, *_WHOLE), key=len)[::-1] if name.endswith(end)), None
    )


def column_names(file: Path) -> list[str]:
    """Columns of a table, of which nothing else is read where the form allows that.

    Parameters
    ----------
    file : Path

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    return _reading(file, lambda: _form(file)[0](file))


def read_pieces(file: Path, columns: list[str], *, rows: int) -> Iterator[pd.DataFrame]:
    """Some columns of a table, piece by piece.

    Parameters
    ----------
    file : Path
    columns : list of str
        Which ones, in the order wanted.
    rows : int
        Rows of a piece, at most.

    Yields
    ------
    DataFrame

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    pieces = iter(_form(file)[1](file, columns, rows))
    while (piece := _reading(file, lambda: next(pieces, None))) is not None:
        yield piece[columns]


def _reading(file: Path, step: Callable):
    try:
        return step()
    except (OSError, ValueError, KeyError, TypeError, EOFError, AstropyUserWarning) as error:
        raise InputError(f"catalogue {file} cannot be read: {' '.join(str(error).split())}") from error


def _form(file: Path) -> tuple[Callable, Callable]:
    suffix = _suffix(file)
    if suffix in _PARQUET:
        return _parquet_columns, _parquet_pieces
    if suffix in _FITS:
        return _fits_columns, _fits_pieces
    if suffix in _TEXT:
        return _text_columns, _text_pieces
    return _whole_columns, _whole_pieces


def _parquet_columns(file: Path) -> list[str]:
    return pq.ParquetFile(file).schema_arrow.names


def _parquet_pieces(file: Path, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    with pq.ParquetFile(file) as table:
        for batch in table.iter_batches(batch_size=rows, columns=columns):
            yield batch.to_pandas()


def _table_number(hdus: fits.HDUList) -> int:
    """The table of objects: by its name, else the first one."""
    tables = [
        number
        for number, hdu in enumerate(hdus)
        if isinstance(hdu, (fits.BinTableHDU, fits.TableHDU)) and not isinstance(hdu, fits.CompImageHDU)
    ]
    if not tables:
        raise ValueError("it holds no table")
    return next((number for number in tables if "OBJECT" in hdus[number].name.upper()), tables[0])


def _fits_columns(file: Path) -> list[str]:
    with warnings.catch_warnings():
        # astropy only warns of a truncated file, and fails somewhere in its middle
        warnings.simplefilter("error", AstropyUserWarning)
        with fits.open(file) as hdus:
            return list(hdus[_table_number(hdus)].columns.names)


def _fits_pieces(file: Path, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    with fits.open(file, memmap=True) as hdus:
        table = hdus[_table_number(hdus)]
        count = table.header["NAXIS2"]
        for start in range(0, count, rows):
            piece = table.data[start : start + rows]
            yield pd.DataFrame({name: _native(piece[name]) for name in columns})


def _native(values) -> np.ndarray:
    """Values in the machine's byte order, text as text without padding."""
    values = np.asarray(values)
    if values.dtype.kind in "SU":
        return np.char.strip(values.astype(str)).astype(object)
    return values.astype(values.dtype.newbyteorder("="))


def _text_columns(file: Path) -> list[str]:
    return list(pd.read_csv(file, nrows=0, sep=_separator(file), comment="#").columns)


def _text_pieces(file: Path, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    with pd.read_csv(file, usecols=columns, chunksize=rows, sep=_separator(file), comment="#") as pieces:
        yield from pieces


def _separator(file: Path) -> str:
    return "\t" if _suffix(file) == ".tsv" else ","


def _whole(file: Path) -> Table:
    return Table.read(file, format="ascii.ecsv" if _suffix(file) == ".ecsv" else "votable")


def _whole_columns(file: Path) -> list[str]:
    return list(_whole(file).colnames)


def _whole_pieces(file: Path, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    table = _whole(file)[columns].to_pandas()
    for start in range(0, len(table), rows):
        yield table.iloc[start : start + rows].reset_index(drop=True)
