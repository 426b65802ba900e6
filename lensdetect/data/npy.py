"""NumPy's files, of which the headers are believed only as far as the file goes."""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

import numpy as np

from lensdetect.errors import InputError, reading
from lensdetect.images.bounds import check_pixels, most_bytes, open_file

#: Headers of real arrays have a hundredth of it.
_MOST_HEADER_BYTES = 1 << 16
#: An archive is read whole: as many pixels as so many files of one object may hold.
_FILES_OF_ONE = 32
_READERS = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}


class NpyHeader(NamedTuple):
    """What the header of an array says.

    Parameters
    ----------
    shape : tuple of int
    order : str
        "C" or "F".
    dtype : dtype
    offset : int
        Where the values begin.
    """

    shape: tuple[int, ...]
    order: str
    dtype: np.dtype
    offset: int

    @property
    def data_bytes(self) -> int:
        """Length of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: BinaryIO, path) -> NpyHeader:
    """Header of an array in NumPy's form.

    Parameters
    ----------
    file : file
        At its beginning.
    path : path
        For messages.

    Returns
    -------
    NpyHeader

    Raises
    ------
    InputError
        If it is damaged, too long, or of Python objects.
    """
    start = file.read(8)
    major = start[6] if start.startswith(b"\x93NUMPY") and len(start) == 8 else 0
    if major not in _READERS:
        raise InputError(f"{path}: must begin with NumPy's magic of version 1 or 2, got {start!r}")
    counted = file.read(2 if major == 1 else 4)
    length = int.from_bytes(counted, "little")
    if length > _MOST_HEADER_BYTES:
        raise InputError(f"{path}: its header claims {length:,} bytes, no array's has more than {_MOST_HEADER_BYTES:,}")
    header = io.BytesIO(start + counted + file.read(length))
    np.lib.format.read_magic(header)
    shape, is_fortran, dtype = _READERS[major](header)
    if dtype.hasobject:
        raise InputError(f"{path} must hold real numbers, got Python objects, which are never loaded")
    if any(length < 0 for length in shape):
        raise InputError(f"{path}: lengths of axes must be from 0 on, got {shape}")
    return NpyHeader(shape, "F" if is_fortran else "C", dtype, header.tell())


def map_array(path) -> np.ndarray:
    """An array that stays on disk.

    Parameters
    ----------
    path : path
        A ``.npy`` file.

    Returns
    -------
    ndarray
        Mapped into memory, for reading.

    Raises
    ------
    InputError
        If the file is cut short, damaged or not a plain array.
    """
    with open_file(path) as file, reading(path, what="a plain array"):
        header, held = read_header(file, path), os.fstat(file.fileno()).st_size
        if header.offset + header.data_bytes > held:
            needed = header.offset + header.data_bytes
            raise InputError(f"{path}: cut short: its header asks for {needed} bytes, got {held}: write it again")
        if not header.data_bytes:
            return np.empty(header.shape, header.dtype)
        return np.memmap(file, header.dtype, "r", header.offset, header.shape, header.order)


class Archive(Mapping):
    """The arrays of an ``.npz`` file; only headers are looked at before one is taken.

    Parameters
    ----------
    path : path
    max_pixels : int
        Pixels that a file of one object may hold; an archive may hold 32 times as many.

    Attributes
    ----------
    shapes : dict
        Of each array by name.
    """

    def __init__(self, path, *, max_pixels: int):
        self.path, self._most = path, _FILES_OF_ONE * max_pixels
        self._file = open_file(path)
        try:
            with reading(path, what="an archive of plain arrays"):
                self._zip = zipfile.ZipFile(self._file)
                names = [name for name in self._zip.namelist() if name.endswith(".npy")]
                self.shapes = {name.removesuffix(".npy"): self._header(name).shape for name in names}
        except InputError:
            self._file.close()
            raise

    def _header(self, member: str) -> NpyHeader:
        with self._zip.open(member) as file:
            return read_header(file, f"{self.path}: {member}")

    def __getitem__(self, name: str) -> np.ndarray:
        """An array, unpacked into memory."""
        member = f"{name}.npy"
        if name not in self.shapes:
            raise KeyError(name)
        with reading(self.path, what="an archive of plain arrays"):
            header = self._header(member)
            where = f"{self.path}: {member}"
            check_pixels(where, header.shape, max_pixels=self._most)
            claimed = header.offset + header.data_bytes
            if claimed != self._zip.getinfo(member).file_size or header.data_bytes > most_bytes(self._most):
                raise InputError(f"{where}: damaged: its header asks for {claimed} bytes, the archive has another size")
            with self._zip.open(member) as file:
                return np.lib.format.read_array(file, allow_pickle=False)

    def __iter__(self):
        """Names of the arrays."""
        return iter(self.shapes)

    def __len__(self) -> int:
        """Number of arrays."""
        return len(self.shapes)

    def __enter__(self) -> Archive:
        """Itself."""
        return self

    def __exit__(self, *error) -> None:
        """Close the file."""
        self._file.close()
