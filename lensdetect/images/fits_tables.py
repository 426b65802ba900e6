"""Tables in FITS files, read a slice at a time."""

from __future__ import annotations

import gzip
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.images.rows import RawPiece, Refused, Source

_BLOCK = 2880
#: Most axes and columns of the FITS standard (Pence+ 2010, A&A 524, A42).
_MOST = 999
#: Longest header that is looked at, in blocks.
_LONGEST_HEADER = 20_000
_CLAIM = re.compile(rb"(BITPIX|NAXIS\d*|PCOUNT|GCOUNT|TFIELDS) *= *'?([+-]?\d+)")


def open_fits_table(file: Path) -> Source:
    """Open the table of objects in a FITS file.

    Parameters
    ----------
    file : Path
        With one table or several: the one with OBJECT in its name is taken, else the first.

    Returns
    -------
    Source
        Of the columns with one number, text or truth value a row.

    Raises
    ------
    InputError
        If there is no table, or a header claims more than the file holds.
    """
    check_claims(file)
    with _table(file) as hdu:
        columns = [column for column in hdu.columns if _is_single(column, hdu)]
        units = {column.name: str(column.unit) for column in columns if column.unit}

    def read(names: list[str], rows: int, refused: Refused) -> Iterator[RawPiece]:
        with _table(file) as hdu:
            places = [hdu.columns.names.index(name) for name in names]
            for start in range(0, hdu.header["NAXIS2"], rows):
                piece = hdu.data[start : start + rows]
                yield {name: _column(hdu, piece, place) for name, place in zip(names, places, strict=True)}, None

    return Source([column.name for column in columns], units, read)


@contextmanager
def _table(file: Path) -> Iterator[fits.BinTableHDU | fits.TableHDU]:
    with warnings.catch_warnings():
        # headers of other people's tables; that the data are whole is checked above
        warnings.simplefilter("ignore")
        # opened here, since astropy leaves a file open that it fails at
        with open(file, "rb") as stream, fits.open(stream, memmap=True) as hdus:
            tables = [
                hdu
                for hdu in hdus
                if isinstance(hdu, (fits.BinTableHDU, fits.TableHDU)) and not isinstance(hdu, fits.CompImageHDU)
            ]
            if not tables:
                raise InputError(f"{file} must hold a table, got images alone: give the file of the catalogue")
            hdu = next((hdu for hdu in tables if "OBJECT" in hdu.name.upper()), tables[0])
            if hdu.columns.dtype.itemsize != hdu.header["NAXIS1"]:
                size = hdu.columns.dtype.itemsize
                raise InputError(
                    f"{file} must have rows as long as its columns, got {hdu.header['NAXIS1']} bytes by NAXIS1 "
                    f"and {size} by the columns: write it anew"
                )
            yield hdu


def _is_single(column: fits.Column, hdu) -> bool:
    if isinstance(hdu, fits.TableHDU):
        return True
    code = column.format.format if hasattr(column.format, "format") else ""
    one = code == "A" or getattr(column.format, "repeat", 1) == 1
    return code in set("LBIJKEDA") and one and not column.dim


def _column(hdu, piece: fits.FITS_rec, place: int) -> pa.Array:
    column = hdu.columns[place]
    raw = piece.view(np.ndarray)[piece.dtype.names[place]]
    if raw.dtype.kind == "S":
        if isinstance(hdu, fits.TableHDU) and not column.format.startswith("A"):
            # numbers in text: their blanks and TNULL are nulls, and the rest is read as numbers later
            return _texts(np.where(np.char.strip(raw) == _null_text(column), b"", raw))
        return _texts(raw)
    if column.format.format == "L":
        return pa.array(raw == ord("T"), mask=raw == 0)
    missing = raw == column.null if isinstance(column.null, (int, np.integer)) else None
    values = np.asarray(piece.field(place))
    return pa.array(values.astype(values.dtype.newbyteorder("=")), mask=missing)


def _null_text(column: fits.Column) -> bytes:
    return str(column.null or "").strip().encode()


def _texts(raw: np.ndarray) -> pa.Array:
    return pa.array(np.char.decode(raw, "utf-8", "backslashreplace").astype(object), pa.string())


def check_claims(file: Path) -> None:
    """Compare what the headers of a file claim with its size, before anything believes them.

    Parameters
    ----------
    file : Path
        FITS, plain or gzip-compressed.

    Raises
    ------
    InputError
        If a header claims more axes, columns or bytes than there can be.
    """
    with open(file, "rb") as start:
        packed = start.read(2) == b"\x1f\x8b"
    with gzip.open(file) if packed else open(file, "rb") as stream:
        place = 0
        while claims := _claims(stream):
            place = stream.tell()
            size = _data_size(claims, file)
            if size:
                stream.seek(place + size - 1)
                if not stream.read(1):
                    raise InputError(
                        f"{file} is cut short or damaged: it claims {size:,} bytes of data behind byte {place:,} "
                        "and ends before: fetch it again"
                    )
            stream.seek(place + -(-size // _BLOCK) * _BLOCK)


def _claims(stream) -> dict[bytes, int]:
    """Numbers in the next header, the largest where one is given twice; none at the end of the file."""
    found: dict[bytes, int] = {}
    for _ in range(_LONGEST_HEADER):
        block = stream.read(_BLOCK)
        if len(block) < _BLOCK:
            return {}
        for start in range(0, _BLOCK, 80):
            card = block[start : start + 80]
            if card[:8].rstrip() == b"END":
                return found
            claim = _CLAIM.match(card.upper())
            if claim:
                found[claim[1]] = max(found.get(claim[1], -(2**63)), int(claim[2]))
    return {}


def _data_size(claims: dict[bytes, int], file: Path) -> int:
    axes, fields = claims.get(b"NAXIS", 0), claims.get(b"TFIELDS", 0)
    if max(axes, fields) > _MOST:
        raise InputError(f"{file} is damaged: it claims {axes:,} axes and {fields:,} columns, of which {_MOST} may be")
    lengths = [claims.get(b"NAXIS%d" % number, 0) for number in range(1, axes + 1)]
    if not lengths:
        return 0
    items = 1
    for length in lengths:
        items *= max(length, 0)
    return abs(claims.get(b"BITPIX", 8)) // 8 * claims.get(b"GCOUNT", 1) * (claims.get(b"PCOUNT", 0) + items)
