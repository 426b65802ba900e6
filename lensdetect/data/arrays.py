"""Objects as arrays: in memory, NumPy files, HDF5, and shards of simulated stamps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lensdetect.data.frame import Frame, Notes
from lensdetect.data.hdf5 import choose, id_column, texts
from lensdetect.data.npy import Archive, map_array
from lensdetect.errors import InputError
from lensdetect.images import apart
from lensdetect.images.bounds import check_pixels


class ArrayStack:
    """Objects along the first axis of an array, read when asked for.

    Parameters
    ----------
    shape : tuple of int
        ``(n, height, width, band)`` or ``(n, band, height, width)``, told apart by
        which axis is as long as there are declared bands. With one declared
        band ``(n, height, width)`` too.
    load : callable
        Called with an ndarray of row numbers; returns those rows.
    path : str
        File that it comes from, for people.
    frame : Frame
        Form of the cutouts.
    ids : list of str, optional
        One for each object; by default file name and row number.
    stored : tuple of str, optional
        Bands of the array, if there may be more than those to read.

    Attributes
    ----------
    ids : list of str
        Name of each object.
    frame : Frame
        Form of the cutouts.

    Raises
    ------
    InputError
        If it cannot be told which axis is the band, or ids are not as many as
        objects.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        load: Callable[[np.ndarray], np.ndarray],
        *,
        path: str,
        frame: Frame,
        ids: list[str] | None = None,
        stored: tuple[str, ...] | None = None,
    ):
        self.frame = frame
        self._load, self._path = load, path
        stored = stored or frame.bands
        self._band_axis = _band_axis(shape, path=path, bands=stored)
        check_pixels(path, shape[1:], max_pixels=frame.max_pixels)
        self._chosen = None if stored == frame.bands else [stored.index(band) for band in frame.bands]
        stem = Path(path).stem
        self.ids: list[str] = [f"{stem}-{row}" for row in range(shape[0])] if ids is None else ids
        if len(self.ids) != shape[0]:
            raise InputError(f"{path} must hold an id for each object, got {len(self.ids)} ids for {shape[0]} objects")

    def path(self, row: int) -> str:
        """File of an object: the same for all."""
        return self._path

    def read_into(self, rows: np.ndarray, block: np.ndarray, *, notes: Notes) -> None:
        """Read some objects; as ``ChallengeStamps.read_into``."""
        images = self._load(rows)
        images = images[:, None] if self._band_axis is None else np.moveaxis(images, self._band_axis, 1)
        images = images if self._chosen is None else images[:, self._chosen]
        with np.errstate(over="ignore"):
            if images.shape[2:] == block.shape[2:]:
                block[:, self.frame.planes] = images
                return
            for row, planes in enumerate(images.astype(np.float32)):
                for plane, image in zip(self.frame.planes, planes, strict=True):
                    self.frame.place(block, notes, row=row, plane=plane, image=image, path=self._path)


def _band_axis(shape: tuple[int, ...], *, path: str, bands: tuple[str, ...]) -> int | None:
    held = " x ".join(map(str, shape))
    if len(shape) == 3 and len(bands) == 1:
        return None
    if len(shape) != 4:
        raise InputError(f"{path} must hold an array (n, height, width, band), got {held}")
    axes = [axis for axis in (1, 3) if shape[axis] == len(bands)]
    if not axes:
        raise InputError(
            f"{path} must have an axis of {len(bands)} bands ({', '.join(bands)}), got {held}: "
            "name each plane that it holds, in order, with --bands"
        )
    if len(axes) > 1:
        raise InputError(
            f"{path}: two axes of {held} are as long as there are bands: store it as (n, height, width, band)"
        )
    return axes[0]


def from_array(pixels: np.ndarray, *, path: str, frame: Frame, ids: list[str] | None = None) -> ArrayStack:
    """Objects of an array in memory.

    Parameters
    ----------
    pixels : ndarray
        As ``ArrayStack`` takes it, or one object without the first axis.
    path : str
        File that it comes from.
    frame : Frame
        Form of the cutouts.
    ids : list of str, optional
        One for each object.

    Returns
    -------
    ArrayStack
    """
    _check_numbers(pixels.dtype, path=path)
    pixels = pixels[None] if _is_single(pixels.shape, frame) else pixels
    return ArrayStack(pixels.shape, lambda rows: pixels[rows], path=path, frame=frame, ids=ids)


def open_npy(
    path: Path, *, frame: Frame, ids: list[str] | None = None, stored: tuple[str, ...] | None = None
) -> ArrayStack:
    """Objects of a ``.npy`` file, which stays on disk.

    Parameters
    ----------
    path : Path
        The file.
    frame : Frame
        Form of the cutouts.
    ids : list of str, optional
        One for each object.
    stored : tuple of str, optional
        Bands of the array, if there may be more than those to read.

    Returns
    -------
    ArrayStack

    Raises
    ------
    InputError
        If the file is cut short or does not hold numbers.
    """
    # Mapped anew for each read: pages of a map that stays count as memory in use.
    mapped = map_array(path)
    shape = mapped.shape
    _check_numbers(mapped.dtype, path=str(path))
    single = stored is None and _is_single(shape, frame)

    def load(rows: np.ndarray) -> np.ndarray:
        pixels = map_array(path)
        if pixels.shape != shape:
            raise InputError(f"{path}: must hold {shape} values as when it was opened, got {pixels.shape}")
        return np.array((pixels[None] if single else pixels)[rows])

    return ArrayStack((1, *shape) if single else shape, load, path=str(path), frame=frame, ids=ids, stored=stored)


def open_npz(path: Path, *, frame: Frame) -> ArrayStack:
    """Objects of an ``.npz`` file, which is read into memory at once.

    Parameters
    ----------
    path : Path
        The file: one array, or one named as in ``hdf5.PIXEL_NAMES``, and perhaps ids.
    frame : Frame
        Form of the cutouts.

    Returns
    -------
    ArrayStack

    Raises
    ------
    InputError
        If the file is damaged or unpacks to too much, or it cannot be told which array to take.
    """
    with Archive(path, max_pixels=frame.max_pixels) as arrays:
        pixels = arrays[choose(path, arrays.shapes)]
        named = id_column(name for name, shape in arrays.shapes.items() if len(shape) == 1)
        ids = None if named is None else texts(arrays[named])
    return from_array(pixels, path=str(path), frame=frame, ids=ids)


def open_hdf5(path: Path, *, frame: Frame) -> ArrayStack:
    """Objects of an HDF5 file, which stays on disk.

    Parameters
    ----------
    path : Path
        The file: one four-dimensional dataset, or one named as in
        ``hdf5.PIXEL_NAMES``, and perhaps ids.
    frame : Frame
        Form of the cutouts.

    Returns
    -------
    ArrayStack

    Raises
    ------
    InputError
        If the file is damaged or claims what it does not hold, or it cannot be told which dataset to take.
    """
    found, _ = apart.call("lensdetect.data.hdf5:describe", path, frame.max_pixels)
    shape, name = tuple(found["shape"]), found["name"]
    _check_numbers(np.dtype(found["dtype"]), path=str(path))

    def load(rows: np.ndarray | None) -> np.ndarray:
        asked = None if rows is None else np.asarray(rows).tolist()
        return apart.call("lensdetect.data.hdf5:take", path, name, asked)[1][0]

    if _is_single(shape, frame):
        return from_array(load(None), path=str(path), frame=frame)
    return ArrayStack(shape, load, path=str(path), frame=frame, ids=found["ids"])


class BadFile:
    """A file that could not be opened: one object, which is refused with the reason.

    Parameters
    ----------
    path : Path
    reason : str
    frame : Frame
        Form of the cutouts.
    """

    def __init__(self, path: Path, reason: str, *, frame: Frame):
        self.frame, self.reason, self._path = frame, reason, str(path)
        self.ids: list[str] = [path.stem]

    def path(self, row: int) -> str:
        """The file."""
        return self._path

    def read_into(self, rows: np.ndarray, block: np.ndarray, *, notes: Notes) -> None:
        """Refuse it."""
        for row in range(len(rows)):
            self.frame.refuse(block, notes, row=row, flag="unreadable", text=self.reason)


def _is_single(shape: tuple[int, ...], frame: Frame) -> bool:
    count = len(frame.bands)
    return (len(shape) == 3 and count in {shape[0], shape[2]}) or (len(shape) == 2 and count == 1)


def _check_numbers(dtype: np.dtype, *, path: str) -> None:
    if dtype.kind not in "fiu":
        raise InputError(f"{path} must hold real numbers, got {dtype}")
