"""FITS images that nothing is proved of, decoded by astropy; called in a process of its own.

Each function gives something that JSON can hold, and arrays.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import numpy as np
from astropy.io import fits

from lensdetect.errors import InputError, reading
from lensdetect.images.bounds import read_file
from lensdetect.images.cards import BANDS_KEYWORD, NAME_KEYWORDS
from lensdetect.images.compressed import check_streams
from lensdetect.images.units import checked_units, image_shape, quiet_astropy


def decode_planes(path: str, max_pixels: int) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """All images of a file.

    Parameters
    ----------
    path : str
        A FITS file, plain or compressed.
    max_pixels : int
        Pixels that they may have together.

    Returns
    -------
    names : list of dict
        ``names`` of each image, and ``bands`` of the planes of a cube.
    images : list of ndarray
        float32, of two axes or, a cube, three.

    Raises
    ------
    InputError
        If it cannot be read, or holds no image or one of more axes.
    """
    file = io.BytesIO(read_file(path, max_pixels=max_pixels))
    facts, images = [], []
    with reading(path, what="FITS"), quiet_astropy():
        numbers = check_images(file, path, max_pixels=max_pixels)
        with fits.open(file, memmap=False) as units:
            for number, shape in numbers.items():
                header = units[number].header
                names = [str(header[word]) for word in NAME_KEYWORDS if word in header]
                facts.append({"names": names, "bands": str(header.get(BANDS_KEYWORD, ""))})
                images.append(_pixels(units[number], shape, path))
    if not images:
        raise InputError(f"{path}: holds no image")
    return facts, images


def _pixels(unit, shape: tuple[int, ...], path: str) -> np.ndarray:
    if len(shape) > 3:
        raise InputError(f"{path}: an image must have 2 or 3 axes, got {shape}: write one file an object")
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(unit.data).reshape(shape).astype(np.float32)


def check_images(file: BinaryIO, path: str, *, max_pixels: int, each: bool = False) -> dict[int, tuple[int, ...]]:
    """Hold what all units of a file claim against what is there.

    Parameters
    ----------
    file : file
        Open in binary mode.
    path : str
        For messages.
    max_pixels, each
        As ``checked_units`` takes them.

    Returns
    -------
    dict
        Number of each unit that is an image -> its shape.

    Raises
    ------
    InputError
        If a claim does not hold.
    """
    found = {}
    for number, unit in checked_units(file, path, max_pixels=max_pixels, each=each):
        shape = image_shape(unit.header)
        if shape:
            found[number] = shape
            if isinstance(unit, fits.BinTableHDU):
                check_streams(file, unit, path)
    file.seek(0)
    return found
