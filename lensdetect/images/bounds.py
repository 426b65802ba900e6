"""What a file may claim: compared with a limit before memory is taken.

One number bounds what is held of a file: its pixels, all images of it together.
What follows from it - bytes of the file, bytes that it unpacks to - is worked
out here, and so is the message, with the option that raises the limit.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import stat
from collections.abc import Sequence
from typing import BinaryIO

from lensdetect.errors import InputError, reading

#: Pixels that a file of one object may hold: four bands of 2048 x 2048.
CUTOUT_PIXELS = 1 << 24

#: Pixels that one image of a tile may hold: 31,622 x 31,622; those of Euclid have 19,200 x 19,200.
TILE_PIXELS = 10**9

#: Bytes of the widest type that FITS knows.
_PIXEL_BYTES = 8

#: Room for what is no pixel: headers, and tables beside the images.
_OTHER_BYTES = 1 << 24

_GZIP = b"\x1f\x8b"
_WAY_OUT = "raise it with --max-pixels (max_pixels in Python) if this is what it shall hold"


def most_bytes(max_pixels: int) -> int:
    """Bytes that a file of so many pixels can need, unpacked."""
    return _PIXEL_BYTES * max_pixels + _OTHER_BYTES


def check_pixels(path, shape: Sequence[int], *, max_pixels: int, before: int = 0) -> int:
    """Refuse an image that claims more pixels than are read.

    Parameters
    ----------
    path : path
        Its file, for the message.
    shape : sequence of int
        Lengths of its axes.
    max_pixels : int
        The limit.
    before : int
        Pixels of the images before it in the file.

    Returns
    -------
    int
        Pixels up to and with this image.

    Raises
    ------
    InputError
        If there are more than ``max_pixels``.
    """
    total = before + math.prod(int(length) for length in shape)
    if total > max_pixels:
        claimed = " x ".join(map(str, shape))
        others = f" beside {before:,} in other images" if before else ""
        raise InputError(f"{path}: claims {claimed} pixels{others}, the limit is {max_pixels:,}: {_WAY_OUT}")
    return total


def check_bytes(path, claimed: int, *, max_pixels: int, verb: str) -> None:
    """Refuse a file that takes more memory than its pixels can need; ``verb`` as in "unpacks to"."""
    most = most_bytes(max_pixels)
    if claimed > most:
        raise InputError(f"{path}: {verb} {claimed:,} bytes, {max_pixels:,} pixels need {most:,} at most: {_WAY_OUT}")


def open_file(path) -> BinaryIO:
    """Open a regular file for reading; nothing else, so that no pipe or device is waited for.

    Parameters
    ----------
    path : path

    Returns
    -------
    file
        Open in binary mode.

    Raises
    ------
    InputError
        If it cannot be opened, or is a folder, a pipe or a device.
    """
    with reading(path, what="a file"):
        # without O_NONBLOCK a pipe that nobody writes to would be waited for
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise InputError(f"{path}: must be a file, got a folder, pipe or device: move it away")
        return os.fdopen(number, "rb")


def read_file(path, *, max_pixels: int) -> bytes:
    """Content of a file of images, unpacked if it is in gzip.

    Parameters
    ----------
    path : path
    max_pixels : int
        Pixels that it may hold.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        If it cannot be read, or holds or unpacks to more than so many pixels need.
    """
    with open_file(path) as file, reading(path, what="a file"):
        check_bytes(path, os.fstat(file.fileno()).st_size, max_pixels=max_pixels, verb="holds")
        data = file.read()
    return _unpack(path, data, max_pixels=max_pixels) if data.startswith(_GZIP) else data


def _unpack(path, packed: bytes, *, max_pixels: int) -> bytes:
    with reading(path, what="gzip"), gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        data = file.read(most_bytes(max_pixels) + 1)
    check_bytes(path, len(data), max_pixels=max_pixels, verb="unpacks to at least")
    return data


def unpack_into(path, file: BinaryIO, unpacked: BinaryIO, *, most: int) -> None:
    """Unpack a file in gzip into another, up to a limit.

    Parameters
    ----------
    path : path
        For the message.
    file, unpacked : file
        Open in binary mode.
    most : int
        Bytes.

    Raises
    ------
    InputError
        If it is damaged, or unpacks to more.
    """
    done = 0
    with reading(path, what="gzip", way_out="fetch it again"), gzip.GzipFile(fileobj=file) as packed:
        while piece := packed.read(1 << 20):
            done += len(piece)
            if done > most:
                raise InputError(f"{path}: unpacks to more than the {most:,} bytes that its images can need: unpack it")
            unpacked.write(piece)
    unpacked.flush()
