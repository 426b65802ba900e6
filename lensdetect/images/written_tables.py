"""Tables that the field's tools read: Parquet, CSV, and FITS with units, descriptions and UCDs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import Table

from lensdetect.runs import writable, write_whole
from lensdetect.text import for_header, write_csv


@dataclass(frozen=True)
class Meaning:
    """What a column holds, for readers of FITS tables.

    Parameters
    ----------
    ucd : str
        Unified content descriptor (IVOA, UCD1+ 1.5).
    description : str
    unit : str
    """

    ucd: str
    description: str
    unit: str = ""


def write_tables(
    table: pd.DataFrame, folder: Path, *, name: str, meanings: Mapping[str, Meaning], comments: Iterable[str] = ()
) -> dict[str, Path]:
    """Write a table as ``.parquet``, ``.csv`` and ``.fits``, each whole or not at all.

    The Parquet file has all text as it is; in CSV a cell that a spreadsheet would
    run has an apostrophe in front, and FITS has escapes for what is not ASCII.

    Parameters
    ----------
    table : DataFrame
    folder : Path
        Existing.
    name : str
        Of the files, and of the FITS extension in capitals.
    meanings : mapping
        What each column holds.
    comments : iterable of str
        For the header of the FITS table.

    Returns
    -------
    dict
        Path by ending.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    paths = {ending: folder / f"{name}.{ending}" for ending in ("parquet", "csv", "fits")}
    hdu = fits_table(table, name=name.upper(), meanings=meanings, comments=comments)
    with writable(folder, what=name):
        write_whole(paths["parquet"], lambda file: table.to_parquet(file, index=False))
        write_whole(paths["csv"], lambda file: write_csv(table, file))
        write_whole(paths["fits"], lambda file: file.write(_bytes(hdu)))
    return paths


def fits_table(
    table: pd.DataFrame, *, name: str, meanings: Mapping[str, Meaning], comments: Iterable[str] = ()
) -> fits.BinTableHDU:
    """A table for FITS, with units, descriptions and UCDs.

    Parameters
    ----------
    table : DataFrame
    name : str
        Of the extension.
    meanings : mapping
        What each column holds; one that is not in it has its name alone.
    comments : iterable of str
        For the header.

    Returns
    -------
    BinTableHDU
    """
    hdu = fits.BinTableHDU(Table({column: _column(table[column]) for column in table.columns}), name=name)
    for number, column in enumerate(table.columns, start=1):
        meaning = meanings.get(column)
        if meaning is None:
            continue
        hdu.header[f"TUCD{number}"] = meaning.ucd
        hdu.header[f"TCOMM{number}"] = meaning.description
        if meaning.unit:
            hdu.header[f"TUNIT{number}"] = meaning.unit
    if "ra_deg" in table:
        hdu.header["RADESYS"] = "ICRS"
    for comment in comments:
        hdu.header["COMMENT"] = for_header(comment)
    return hdu


def _column(values: pd.Series) -> np.ndarray:
    if values.dtype.kind in "biuf":
        return values.to_numpy()
    # FITS tables hold ASCII, and text of at least one letter
    texts = [for_header(value).encode("ascii") for value in values]
    return np.array(texts, dtype=f"S{max(map(len, texts), default=1) or 1}")


def _bytes(hdu: fits.BinTableHDU) -> bytes:
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer)
    return buffer.getvalue()
