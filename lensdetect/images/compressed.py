"""Compressed images: what is stored of them, held against what their headers say.

The decompressors that astropy brings are C code that believes its input: a cut
stream is decoded from whatever lies behind it in memory, one of another tile
writes beyond its room. What can be checked from outside is checked here; the rest
is why files of unknown origin are decoded in a process of their own
(``lensdetect.images.apart``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from astropy.io import fits

from lensdetect.errors import InputError

#: Columns that hold streams, and bytes of each element by the letter in their format.
_COLUMNS = ("COMPRESSED_DATA", "GZIP_COMPRESSED_DATA", "UNCOMPRESSED_DATA")
_ELEMENT_BYTES = {"L": 1, "B": 1, "A": 1, "I": 2, "J": 4, "E": 4, "K": 8, "D": 8}

#: First bytes of a stream: of H-compress magic, height and width; of PLIO words, of which the fourth and fifth say how
#: many there are (the third is negative), or the third itself in streams of the older form.
_HCOMPRESS = np.dtype([("magic", ">u2"), ("height", ">i4"), ("width", ">i4")])
_PLIO = np.dtype(">i2")


def check_streams(file: BinaryIO, table: fits.BinTableHDU, path) -> None:
    """Refuse a compressed image whose streams do not lie in the file, or are of other tiles.

    Parameters
    ----------
    file : file
        Open in binary mode.
    table : BinTableHDU
        As which the image is stored.
    path : path
        For the message.

    Raises
    ------
    InputError
        If there are too few or too many tiles, or streams are cut or of another size than their tile.
    """
    header = table.header
    axes = range(1, header["ZNAXIS"] + 1)
    sides = [header[f"ZNAXIS{axis}"] for axis in axes]
    tile = [header.get(f"ZTILE{axis}", sides[0] if axis == 1 else 1) for axis in axes]
    wanted = math.prod(math.ceil(side / length) for side, length in zip(sides, tile, strict=True))
    if header["NAXIS2"] != wanted:
        raise InputError(f"{path}: cut short: its image has {wanted} tiles, its table {header['NAXIS2']} rows")
    if not set(_COLUMNS) & set(table.columns.names):
        raise InputError(f"{path}: a compressed image must have a column {_COLUMNS[0]}, got {table.columns.names}")
    for name in _COLUMNS:
        if name in table.columns.names:
            places = _places(table, name, path)
            if name == "COMPRESSED_DATA":
                _check_beginnings(file, table, places, path, tile=tile)


def _places(table: fits.BinTableHDU, name: str, path) -> np.ndarray:
    # (n, 2): bytes of each stream, and where it begins in the heap.
    header = table.header
    form = re.fullmatch(r"[01]?[PQ]([LBAIJEKD])(\(\d+\))?", str(table.columns[name].format).strip())
    if not form:
        raise InputError(f"{path}: column {name} must hold streams, got format {table.columns[name].format}")
    places = np.asarray(np.recarray.field(table.data, name)).astype(object).reshape(-1, 2)
    places[:, 0] *= _ELEMENT_BYTES[form[1]]
    held = header["NAXIS1"] * header["NAXIS2"] + header["PCOUNT"] - _heap_start(header)
    if (places < 0).any() or (places.sum(axis=1) > held).any():
        raise InputError(f"{path}: cut short: compressed tiles end beyond the {held} bytes that are stored")
    return places.astype(np.int64)


def _heap_start(header: fits.Header) -> int:
    return header.get("THEAP", header["NAXIS1"] * header["NAXIS2"])


def _check_beginnings(file: BinaryIO, table: fits.BinTableHDU, places: np.ndarray, path, *, tile: list[int]) -> None:
    kind = str(table.header["ZCMPTYPE"]).strip()
    check = {"HCOMPRESS_1": _is_hcompress, "PLIO_1": _is_plio}.get(kind)
    if check is None:
        return
    start = table.fileinfo()["datLoc"] + _heap_start(table.header)
    for row, stream in _beginnings(file, places, start):
        if not check(stream, int(places[row, 0]), math.prod(tile)):
            raise InputError(f"{path}: damaged: tile {row} does not hold what {kind} makes of {tile} pixels")


def _beginnings(file: BinaryIO, places: np.ndarray, start: int) -> Iterator[tuple[int, bytes]]:
    for row, (length, offset) in enumerate(places.tolist()):
        if length:
            file.seek(start + offset)
            yield row, file.read(min(length, 16))


def _is_hcompress(stream: bytes, length: int, pixels: int) -> bool:
    if length < _HCOMPRESS.itemsize:
        return False
    first = np.frombuffer(stream, _HCOMPRESS, 1)[0]
    height, width = int(first["height"]), int(first["width"])
    return first["magic"] == 0xDD99 and height >= 1 and width >= 1 and height * width <= pixels


def _is_plio(stream: bytes, length: int, pixels: int) -> bool:
    words = np.frombuffer(stream, _PLIO, min(length, 16) // 2).astype(int)
    if len(words) < 3:
        return False
    if words[2] > 0:
        return words[2] <= length // 2
    return len(words) >= 5 and words[1] >= 5 and 0 <= words[3] + (words[4] << 15) <= length // 2
