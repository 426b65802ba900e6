"""Units of a FITS file through astropy, each looked at before astropy believes it."""

from __future__ import annotations

import gzip
import math
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from lensdetect.errors import InputError, reading
from lensdetect.images.bounds import check_pixels, open_file
from lensdetect.images.cards import MOST_HEADER_BYTES

#: Counts of axes and columns may be 999 (FITS standard 4.0, 4.4.1 and 7.3.1); astropy counts up to what it is told,
#: in whatever case and place a keyword is written.
_LONG_COUNT = re.compile(rb"(?i)(NAXIS|TFIELDS|_ORDER|WCSAXES) *= *\+?0*(\d{4,})")

# warnings.catch_warnings changes a state that all threads share
_WARNINGS_LOCK = threading.RLock()

#: How astropy is asked to open files: units one after the other, pixels when asked for.
_LAZILY = {"memmap": False, "lazy_load_hdus": True}


@contextmanager
def quiet_astropy() -> Iterator[None]:
    """Keep astropy's warnings from the terminal."""
    with _WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        yield


def checked_units(
    file: BinaryIO, path, *, max_pixels: int, whole: bool = True, each: bool = False
) -> Iterator[tuple[int, fits.hdu.base._BaseHDU]]:
    """Units of a file whose claims hold; compressed images as the tables that they are stored in.

    To be used within ``quiet_astropy``.

    Parameters
    ----------
    file : file
        Open in binary mode.
    path : path
        For messages.
    max_pixels : int
        Pixels that the images may have.
    whole : bool
        Whether the length of the file is known, and each unit must lie in it.
    each : bool
        Whether ``max_pixels`` holds for each image, and not for all together.

    Yields
    ------
    number : int
        From 0.
    unit : HDU
        Of astropy, without pixels.

    Raises
    ------
    InputError
        If a header has no end or a count that cannot be, the file is shorter
        than it says, or there are more pixels than may be.
    """
    length = _length(file) if whole else None
    _check_header(file, 0, path)
    _check_header(file, _second_header(file, path), path)
    file.seek(0)
    total = 0
    # It is not closed: that would read all units that are left, unseen, and the file is the caller's.
    units = fits.open(file, disable_image_compression=True, **_LAZILY)
    for number, unit in enumerate(_advance(units, file, path)):
        if sum(unit.header.count(word) for word in ("SIMPLE", "XTENSION") if word in unit.header) > 1:
            raise InputError(f"{path}: damaged: two headers run into one another, as the first has no END")
        needed = unit.fileinfo()["datLoc"] + unit.size
        if length is not None and needed > length:
            raise InputError(f"{path}: cut short: its headers ask for {needed} bytes, got {length}: fetch it again")
        shape = image_shape(unit.header)
        if shape:
            total = check_pixels(path, shape, max_pixels=max_pixels, before=0 if each else total)
        yield number, unit


def open_units(path, *, max_pixels: int) -> Iterator[tuple[int, fits.hdu.base._BaseHDU]]:
    """Headers of a file, unit by unit; see ``checked_units``.

    Parameters
    ----------
    path : path
        Plain, or in gzip: to go beyond its first image, that is unpacked.
    max_pixels : int
        Pixels that each image may have.

    Yields
    ------
    number : int
    unit : HDU

    Raises
    ------
    InputError
        If it cannot be read, or a claim does not hold.
    """
    with open_file(path) as file, reading(path, what="FITS"), quiet_astropy():
        zipped = str(path).lower().endswith(".gz")
        opened = gzip.GzipFile(fileobj=file) if zipped else file
        yield from checked_units(opened, path, max_pixels=max_pixels, whole=not zipped, each=True)


def _advance(units: fits.HDUList, file: BinaryIO, path) -> Iterator:
    # The next header is looked at before astropy reads it.
    number = 0
    while True:
        try:
            unit = units[number]
        except IndexError:
            return
        yield unit
        info = unit.fileinfo()
        _check_header(file, info["datLoc"] + info["datSpan"], path)
        number += 1


def _second_header(file: BinaryIO, path) -> int:
    """Where it begins: where the first does not speak of extensions, astropy reads both at once."""
    file.seek(0)
    header = fits.Header.fromfile(file)
    if header.get("GROUPS") is True:
        raise InputError(f"{path}: must hold an image, got random groups (GROUPS = T): write it as an image")
    axes = [header.get(f"NAXIS{number}") for number in range(1, header.get("NAXIS", 0) + 1)]
    sizes = [header.get("BITPIX"), header.get("GCOUNT", 1), header.get("PCOUNT", 0), *axes]
    if not all(isinstance(size, int) for size in sizes):
        raise InputError(f"{path}: damaged: its first header must tell the size of its image in whole numbers")
    bits, groups, extra = sizes[:3]
    pixels = math.prod(axes) if axes else 0
    return file.tell() + -(-(abs(bits) // 8 * groups * (extra + pixels)) // 2880) * 2880


def _check_header(file: BinaryIO, start: int, path) -> None:
    # nothing lies beyond what a file can hold
    file.seek(max(0, min(start, sys.maxsize)))
    done = 0
    while block := file.read(2880):
        found = _LONG_COUNT.search(block)
        if found:
            claim = b"".join(found.groups()[:1]).decode().strip()
            raise InputError(f"{path}: {claim} must be 999 or less, got {found[2][:20].decode()}: fetch it again")
        done += len(block)
        if any(block.startswith(b"END", place) for place in range(0, len(block), 80)):
            return
        if done > MOST_HEADER_BYTES:
            raise InputError(f"{path}: a header must end within {MOST_HEADER_BYTES} bytes, this one has no END")


def _length(file: BinaryIO) -> int:
    return file.seek(0, 2)


def image_shape(header: fits.Header) -> tuple[int, ...] | None:
    """Shape of the image that a unit holds, slowest axis first, without leading axes of length 1.

    Parameters
    ----------
    header : Header
        Of an image, or of the table that a compressed image is stored in.

    Returns
    -------
    tuple of int or None
        None if there is no image. At least two axes.

    Raises
    ------
    InputError
        If an axis is no whole number.
    """
    kind = str(header.get("XTENSION", "IMAGE")).strip()
    packed = kind in {"BINTABLE", "A3DTABLE"} and header.get("ZIMAGE") is True
    if not packed and kind != "IMAGE":
        return None
    prefix = "Z" if packed else ""
    axes = [header[f"{prefix}NAXIS{axis}"] for axis in range(header.get(f"{prefix}NAXIS", 0), 0, -1)]
    if not all(isinstance(length, int) and length >= 0 for length in axes):
        raise InputError(f"the lengths of axes must be whole numbers from 0 on, got {axes}")
    if packed:
        _check_tile(header, axes)
    while len(axes) > 2 and axes[0] == 1:
        del axes[0]
    return tuple(axes) if len(axes) >= 2 and 0 not in axes else None


def _check_tile(header: fits.Header, axes: list[int]) -> None:
    # A tile is decoded whole: it is no larger than the image, whatever it claims.
    sides = [header.get(f"ZTILE{axis}", 1) for axis in range(1, len(axes) + 1)]
    if not all(isinstance(side, int) and side >= 1 for side in sides) or math.prod(sides) > 4 * max(math.prod(axes), 1):
        raise InputError(f"tiles must be no larger than the image of {axes} pixels, got {sides}")
