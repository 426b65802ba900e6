"""HDF5 files, read in a process of their own: a few changed bytes send libhdf5 round for ever."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import h5py
import numpy as np

from lensdetect.errors import InputError, reading
from lensdetect.images.bounds import check_bytes, check_pixels, open_file

#: Names under which a file of several arrays holds its pixels.
PIXEL_NAMES = ("cutouts", "images", "X")
#: Names under which it may hold the ids of the objects.
ID_NAMES = ("id", "ids", "ID")
#: Deflate makes a byte of up to 1,032; what claims more than this of what is stored was never written.
_MOST_UNPACKED = 1100


def describe(path: str, max_pixels: int) -> tuple[dict[str, Any], list]:
    """What a file holds.

    Parameters
    ----------
    path : str
    max_pixels : int
        Pixels that one object may have.

    Returns
    -------
    found : dict
        ``name``, ``shape`` and ``dtype`` of the pixels, ``ids`` (list of str or None).
    arrays : list
        None.

    Raises
    ------
    InputError
        If it is damaged, claims what it does not hold, or it cannot be told which dataset to take.
    """
    with reading(path, what="HDF5"):
        file = _open(*_version(path))
        shapes: dict[str, tuple[int, ...]] = {}
        file.visititems(lambda name, item: shapes.update({name: item.shape}) if _is_array(item) else None)
        name = choose(path, shapes)
        pixels = file[name]
        _check(pixels, path, max_pixels=max_pixels)
        found = {"name": name, "shape": pixels.shape, "dtype": pixels.dtype.str}
        return found | {"ids": _ids(file, path, count=pixels.shape[:1], max_pixels=max_pixels)}, []


def _is_array(item) -> bool:
    # what is empty has no shape
    return isinstance(item, h5py.Dataset) and item.shape is not None


def take(path: str, name: str, rows: list[int] | None) -> tuple[None, list[np.ndarray]]:
    """Some rows of a dataset, or all of it."""
    with reading(path, what="HDF5"):
        pixels = _open(*_version(path))[name]
        return None, [pixels[()] if rows is None else _take_sorted(pixels, np.asarray(rows))]


def _version(path: str) -> tuple[str, int, int]:
    with open_file(path) as file:
        stat = os.fstat(file.fileno())
    return path, stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=4)
def _open(path: str, *version: int) -> h5py.File:
    # Many blocks of rows are taken out of one file.
    return h5py.File(path, "r")


def _check(dataset: h5py.Dataset, path: str, *, max_pixels: int) -> None:
    """Hold what a dataset claims against what is stored."""
    check_pixels(path, dataset.shape[1:], max_pixels=max_pixels)
    claimed, stored = math.prod(dataset.shape) * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if claimed > _MOST_UNPACKED * stored or dataset.external:
        raise InputError(
            f"{path}: {dataset.name} claims {dataset.shape} values, {claimed:,} bytes, of which {stored:,} are stored "
            "in the file: write it whole"
        )
    chunk = math.prod(dataset.chunks or (0,)) * dataset.dtype.itemsize
    check_bytes(path, chunk, max_pixels=max_pixels, verb="is stored in chunks of")


def _ids(file: h5py.File, path: str, *, count: tuple[int, ...], max_pixels: int) -> list[str] | None:
    for name in ID_NAMES:
        if name in file and _is_array(file[name]) and file[name].ndim == 1:
            ids = file[name]
            if ids.shape != count:
                held, objects = ids.shape[0], count[0] if count else 1
                raise InputError(f"{path} must hold an id for each object, got {held} ids for {objects} objects")
            _check(ids, path, max_pixels=max_pixels)
            return texts(ids[()])
    return None


def texts(values: np.ndarray) -> list[str]:
    """Ids as text."""
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values.tolist()]


def _take_sorted(pixels: h5py.Dataset, rows: np.ndarray) -> np.ndarray:
    # HDF5 takes rows in rising order only, and a run of rows much faster.
    sorted_rows, places = np.unique(rows, return_inverse=True)
    first, last = sorted_rows[0], sorted_rows[-1]
    run = last - first + 1 == len(sorted_rows)
    return (pixels[first : last + 1] if run else pixels[sorted_rows])[places]


def choose(path, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Which of several arrays is that of the pixels.

    Parameters
    ----------
    path : path
        For the message.
    shapes : mapping
        Of each array by name.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If it cannot be told.
    """
    named = [name for wanted in PIXEL_NAMES for name in shapes if name.rsplit("/", 1)[-1] == wanted]
    images = [name for name, shape in shapes.items() if len(shape) == 4]
    if len(shapes) == 1:
        images = list(shapes)
    if len(named) == 1 or len(images) == 1:
        return named[0] if len(named) == 1 else images[0]
    held = ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:20]) or "nothing"
    raise InputError(f"{path} must hold one array of images, or one named {' or '.join(PIXEL_NAMES)}, got {held}")
