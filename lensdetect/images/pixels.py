"""Rows of an image on disk: what is asked for, and little else, in memory."""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from astropy.io import fits

from lensdetect.errors import InputError, reading
from lensdetect.images import apart
from lensdetect.images.bounds import TILE_PIXELS, most_bytes, open_file, unpack_into
from lensdetect.images.cards import Layout, prove
from lensdetect.images.decoding import check_images
from lensdetect.images.units import quiet_astropy

_AGAIN = "fetch it again"

#: For images that the index has held against the limit.
_ANY = 1 << 62

#: Planes of a cube that may have to be unpacked beside the one that is wanted.
_MOST_PLANES = 8


@dataclass(frozen=True)
class Image:
    """One two-dimensional image of a file, on disk.

    Parameters
    ----------
    path : str
        FITS file: plain, ``.gz`` or ``.fz``.
    unit : int
        Number of the header-data unit.
    plane : int or None
        Number along the first axis of a cube.
    shape : tuple of int or None
        Height and width in pixels, where they are known.
    x_offset_pix, y_offset_pix : int
        Where its first pixel is in the frame of its tile: bands of a tile are
        often of different size, on one grid of pixels.
    mask_bits : tuple of (str, int)
        Names and numbers of the bits of a mask, where its header states them.
    """

    path: str
    unit: int
    plane: int | None = None
    shape: tuple[int, int] | None = None
    x_offset_pix: int = 0
    y_offset_pix: int = 0
    mask_bits: tuple[tuple[str, int], ...] = ()


class Rows:
    """An image of which some rows at a time are read.

    A plain image is mapped into memory anew for each part, so that pages that
    were touched do not pile up. A file in gzip is unpacked once into a temporary
    file; what is not plain is decoded by the rows asked for, in a process of its
    own unless this one is expendable.

    Parameters
    ----------
    image : Image

    Attributes
    ----------
    shape : tuple of int
        Height and width.
    is_float : bool
        Whether pixels are numbers with a point on disk: in noise, none is exactly 0.

    Raises
    ------
    InputError
        If the file cannot be read, or is another than the index knows.
    """

    def __init__(self, image: Image):
        self.image = image
        self._stack = ExitStack()
        self._plain: tuple[int, np.dtype] | None = None
        self._section = None
        self._is_apart = False
        try:
            with reading(image.path, what="readable", way_out=_AGAIN):
                self._open()
        except InputError:
            self.close()
            raise

    def _open(self) -> None:
        path = self.image.path
        self._file = self._stack.enter_context(open_file(path))
        if path.lower().endswith(".gz"):
            self._file = self._unpack(self._file)
        found = _find_proved(self._file, self.image.unit)
        if found is None and not apart.is_expendable():
            self._open_apart()
            return
        if found is None:
            self._open_through_astropy()
            return
        start, layout = found
        self._check_shape(layout.shape)
        self.whole_shape = layout.shape
        self.is_float = layout.dtype.kind == "f"
        plane_bytes = layout.dtype.itemsize * self.shape[0] * self.shape[1]
        self._plain = start + layout.header_bytes + (self.image.plane or 0) * plane_bytes, layout.dtype

    def _unpack(self, packed: BinaryIO) -> BinaryIO:
        # it has a name only until it is open, so that nothing is left behind whatever happens
        pixels = math.prod(self.image.shape) if self.image.shape else TILE_PIXELS
        most = (self.image.unit + 1) * most_bytes(pixels * max((self.image.plane or 0) + 1, _MOST_PLANES))
        # it has a name only until it is open for reading, which is all that astropy takes
        with tempfile.NamedTemporaryFile(suffix=".fits") as unpacked:
            unpack_into(self.image.path, packed, unpacked, most=most)
            return self._stack.enter_context(open(unpacked.name, "rb"))

    def _open_apart(self) -> None:
        found, _ = apart.call("lensdetect.images.pixels:describe_rows", *self._place())
        self._check_shape(tuple(found["shape"]))
        self.is_float, self._is_apart = found["is_float"], True

    def _place(self) -> tuple[str, int, int | None]:
        return self.image.path, self.image.unit, self.image.plane

    def _open_through_astropy(self) -> None:
        with quiet_astropy():
            check_images(self._file, self.image.path, max_pixels=_ANY, each=True)
            units = self._stack.enter_context(fits.open(self._file, memmap=False))
            unit = units[self.image.unit]
            self._check_shape(unit.shape)
            self.whole_shape = tuple(unit.shape)
            self._section = unit.section
            self.is_float = unit.header["BITPIX"] < 0

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        self.shape = tuple(shape[-2:])
        if self.image.shape is not None and self.shape != tuple(self.image.shape):
            raise InputError(
                f"{self.image.path}: its image must be of {self.image.shape} pixels as in the index, got {shape}: "
                "make the index again"
            )
        extra = len(shape) - 2 - (self.image.plane is not None)
        if extra < 0 or any(length != 1 for length in shape[:extra]):
            raise InputError(f"{self.image.path}: its image must have two axes or be a cube, got {shape}")
        if self.image.plane is not None and not 0 <= self.image.plane < shape[-3]:
            raise InputError(f"{self.image.path}: its cube must hold plane {self.image.plane}, got {shape}")
        # what numpy needs to take a plane out of all axes before the two of an image
        self._before = (0,) * extra + (() if self.image.plane is None else (self.image.plane,))

    def read(self, first: int, stop: int) -> np.ndarray:
        """Some rows, all columns.

        Parameters
        ----------
        first, stop : int
            First row and the one after the last; inside the image.

        Returns
        -------
        ndarray
            ``(stop - first, width)`` in the type on disk.

        Raises
        ------
        InputError
            If they cannot be read.
        """
        with reading(self.image.path, what="readable", way_out=_AGAIN):
            if self._is_apart:
                return apart.call("lensdetect.images.pixels:cut_rows", *self._place(), first, stop)[1][0]
            if self._plain is None:
                with quiet_astropy():
                    return np.asarray(self._section[*self._before, first:stop])
            start, dtype = self._plain
            width = self.shape[1]
            # as a plain array: slices of a memmap are memmaps, which are slow to make
            return np.asarray(
                np.memmap(self._file, dtype, "r", start + first * width * dtype.itemsize, (stop - first, width))
            )

    def close(self) -> None:
        """Close the file, and remove what was unpacked."""
        self._stack.close()


def _find_proved(file: BinaryIO, unit: int) -> tuple[int, Layout] | None:
    """Where a unit begins and its layout, if there is no doubt about it and those before it."""
    if not file.seek(0, 2):
        raise InputError("the file is empty")
    start = 0
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for number in range(unit + 1):
            layout = prove(data, start) if start < len(data) else None
            if layout is None or start + layout.header_bytes + layout.data_bytes > len(data):
                return None
            if number == unit:
                return (start, layout) if layout.shape else None
            start += layout.unit_bytes
    return None


def describe_rows(path: str, unit: int, plane: int | None) -> tuple[dict, list]:
    """Shape and kind of an image, in the process that will give its rows."""
    opened = _keep_open(path, unit, plane)
    return {"shape": opened.whole_shape, "is_float": bool(opened.is_float)}, []


def cut_rows(path: str, unit: int, plane: int | None, first: int, stop: int) -> tuple[None, list[np.ndarray]]:
    """``Rows.read`` in that process."""
    return None, [_keep_open(path, unit, plane).read(first, stop)]


def _keep_open(path: str, unit: int, plane: int | None) -> Rows:
    # Many parts of one image are asked for: the last images stay open.
    stat = os.stat(path)
    key = path, unit, plane, stat.st_size, stat.st_mtime_ns
    if key not in _opened:
        if len(_opened) >= _MOST_OPEN:
            _opened.pop(next(iter(_opened))).close()
        _opened[key] = Rows(Image(path, unit, plane))
    return _opened[key]


#: Images that stay open: those of the bands of a tile.
_MOST_OPEN = 8
_opened: dict[tuple, Rows] = {}
