"""Rows of an image on disk: what is asked for, and little else, in memory."""

from __future__ import annotations

import gzip
import math
import shutil
import tempfile
import warnings
import zlib
from contextlib import ExitStack

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from lensdetect.errors import InputError
from lensdetect.search.tiles import Image

#: FITS's number of a type -> the type on disk.
_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}

_READING_ERRORS = (OSError, ValueError, TypeError, KeyError, IndexError, EOFError, zlib.error)


class Rows:
    """An image of which some rows at a time are read.

    A plain image is mapped into memory anew for each part, so that pages that
    were touched do not pile up. A file in gzip is unpacked once into a temporary
    file; a compressed image (``.fz``) is decoded by the rows asked for.

    Parameters
    ----------
    image : Image

    Attributes
    ----------
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
        try:
            self._guard(self._open)
        except InputError:
            self.close()
            raise

    def _guard(self, step):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AstropyWarning)
                return step()
        except InputError:
            raise
        except _READING_ERRORS as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{self.image.path}: cut short or not readable: {reason}: fetch it again") from error

    def _open(self) -> None:
        path = self.image.path
        if path.lower().endswith(".gz"):
            # it has a name only until it is open, so that nothing is left behind whatever happens
            with tempfile.NamedTemporaryFile(suffix=".fits") as unpacked, gzip.open(path) as packed:
                shutil.copyfileobj(packed, unpacked, 1 << 20)
                unpacked.flush()
                self._file = self._stack.enter_context(open(unpacked.name, "rb"))
        else:
            self._file = self._stack.enter_context(open(path, "rb"))
        units = self._stack.enter_context(fits.open(self._file, memmap=False))
        unit = units[self.image.unit]
        if tuple(unit.shape[-2:]) != tuple(self.image.shape):
            raise InputError(
                f"{path}: its image must be of {self.image.shape} pixels as in the index, got {unit.shape}: "
                "make the index again"
            )
        self._section = unit.section
        header = unit.header
        self.is_float = header["BITPIX"] < 0
        scaled = (header.get("BSCALE", 1.0), header.get("BZERO", 0.0)) != (1.0, 0.0) or "BLANK" in header
        if not isinstance(unit, fits.CompImageHDU) and not scaled:
            dtype = np.dtype(_TYPES[header["BITPIX"]])
            start = unit.fileinfo()["datLoc"] + (self.image.plane or 0) * math.prod(self.image.shape) * dtype.itemsize
            self._plain = start, dtype

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
        return self._guard(lambda: self._read(first, stop))

    def _read(self, first: int, stop: int) -> np.ndarray:
        if self._plain is None:
            plane = self.image.plane
            return np.asarray(self._section[first:stop] if plane is None else self._section[plane, first:stop])
        start, dtype = self._plain
        width = self.image.shape[1]
        # as a plain array: slices of a memmap are memmaps, which are slow to make
        return np.asarray(
            np.memmap(self._file, dtype, "r", start + first * width * dtype.itemsize, (stop - first, width))
        )

    def close(self) -> None:
        """Close the file, and remove what was unpacked."""
        self._stack.close()
