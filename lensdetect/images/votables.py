"""VOTables: read whole, up to a stated size, and never from elsewhere than the file itself."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

import numpy as np
import pyarrow as pa
from astropy.io import votable

from lensdetect.errors import InputError
from lensdetect.images.rows import RawPiece, Refused, Source
from lensdetect.text import shown

#: Largest file that is read, in bytes; it takes some ten times as much memory.
LARGEST_VOTABLE = 200_000_000
#: Longest text that a cell may be declared to hold.
_LONGEST_CELL = 10_000
_READ = 1 << 20


def open_votable(file: Path) -> Source:
    """Open the first table of a VOTable.

    Parameters
    ----------
    file : Path

    Returns
    -------
    Source
        Of the fields with one value a row.

    Raises
    ------
    InputError
        If the file is larger than ``LARGEST_VOTABLE``, has its data elsewhere, or
        claims more than it can hold.
    """
    size = file.stat().st_size
    if size > LARGEST_VOTABLE:
        raise InputError(
            f"a VOTable may have {LARGEST_VOTABLE / 1e6:,.0f} MB, got {size / 1e6:,.0f} MB in {file}: convert it to "
            "Parquet, which is read in pieces"
        )
    _check(file, size)
    table = _parse(file)
    fields = [field for field in table.fields if _is_single(field, table.array)]
    units = {field.name: str(field.unit) for field in fields if field.unit is not None}
    keys = {field.name: field.ID for field in fields}

    def read(columns: list[str], rows: int, refused: Refused) -> Iterator[RawPiece]:
        for start in range(0, len(table.array), rows):
            piece = table.array[start : start + rows]
            yield {name: _column(piece[keys[name]]) for name in columns}, None

    return Source([field.name for field in fields], units, read)


def _parse(file: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # opened here, so that no name of a file can be taken for an address
        with open(file, "rb") as stream:
            return votable.parse(stream, verify="ignore").get_first_table()


def _is_single(field, array: np.ma.MaskedArray) -> bool:
    return array.dtype[field.ID].shape == () and (field.arraysize is None or field.datatype in ("char", "unicodeChar"))


def _column(values: np.ma.MaskedArray) -> pa.Array:
    data, missing = np.ma.getdata(values), np.ma.getmaskarray(values)
    if data.dtype.kind in "OSU":
        texts = [one.decode("utf-8", "backslashreplace") if isinstance(one, bytes) else str(one) for one in data]
        return pa.array(texts, pa.string(), mask=missing)
    return pa.array(data.astype(data.dtype.newbyteorder("=")), mask=missing)


def _check(file: Path, size: int) -> None:
    """Look at the declarations before astropy follows them."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: _look(name, attributes, size, file)
    with open(file, "rb") as stream:
        while block := stream.read(_READ):
            parser.Parse(block)
        parser.Parse(b"", True)


def _look(name: str, attributes: dict[str, str], size: int, file: Path) -> None:
    kind = name.rpartition(":")[2].upper()
    if kind == "STREAM":
        if "href" in attributes:
            raise InputError(
                f"{file} must hold its data itself, got a STREAM with href {shown(attributes['href'])}, which is not "
                "followed: save it with the data inside"
            )
        if attributes.get("encoding", "base64") != "base64":
            raise InputError(
                f"{file} must have a STREAM of base64, got {shown(attributes['encoding'])}: save it without compression"
            )
    if kind == "TABLE" and _largest(attributes.get("nrows", "")) > size:
        raise InputError(f"{file} is damaged: it claims {shown(attributes['nrows'])} rows, more than it has bytes")
    if kind == "FIELD" and _largest(attributes.get("arraysize", "")) > _LONGEST_CELL:
        raise InputError(
            f"a cell may hold {_LONGEST_CELL:,} letters, got arraysize {shown(attributes['arraysize'])} in {file}"
        )


def _largest(text: str) -> int:
    """Product of the numbers in a size such as 2x3*."""
    return math.prod(int(number) for number in re.findall(r"\d+", text)[:8])
