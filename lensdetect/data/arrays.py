"""Objects as arrays: in memory, NumPy files, HDF5, and shards of simulated stamps."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import numpy as np

from lensdetect.data.frame import Frame, Notes
from lensdetect.errors import InputError

logger = logging.getLogger(__name__)

#: Names under which a file of several arrays holds its pixels.
PIXEL_NAMES = ("cutouts", "images", "X")
#: Names under which it may hold the ids of the objects, at any depth and in any case.
ID_NAMES = ("id", "ids", "object_id", "objectid", "objid", "obj_id", "source_id", "name", "names")


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
            "name its bands with --bands"
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
    mapped = _map(path)
    shape = mapped.shape
    _check_numbers(mapped.dtype, path=str(path))
    single = stored is None and _is_single(shape, frame)

    def load(rows: np.ndarray) -> np.ndarray:
        pixels = _map(path)
        return np.array((pixels[None] if single else pixels)[rows])

    return ArrayStack((1, *shape) if single else shape, load, path=str(path), frame=frame, ids=ids, stored=stored)


def _map(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cut short or not a plain array: {error}") from error


def open_npz(path: Path, *, frame: Frame) -> ArrayStack:
    """Objects of an ``.npz`` file, which is read into memory at once.

    Parameters
    ----------
    path : Path
        The file: one array, or one named as in ``PIXEL_NAMES``, and perhaps ids.
    frame : Frame
        Form of the cutouts.

    Returns
    -------
    ArrayStack

    Raises
    ------
    InputError
        If the file is damaged, or it cannot be told which array to take.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            shapes = {name: arrays[name].shape for name in arrays.files}
            pixels = arrays[_choose(path, shapes)]
            return from_array(pixels, path=str(path), frame=frame, ids=_ids(arrays, shapes, pixels.shape, path))
    except InputError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged or not plain arrays: {error}") from error


def open_hdf5(path: Path, *, frame: Frame) -> ArrayStack:
    """Objects of an HDF5 file, which stays on disk.

    Parameters
    ----------
    path : Path
        The file: one four-dimensional dataset, or one named as in
        ``PIXEL_NAMES``, and perhaps ids.
    frame : Frame
        Form of the cutouts.

    Returns
    -------
    ArrayStack

    Raises
    ------
    InputError
        If the file is damaged, or it cannot be told which dataset to take.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path}: cut short or not HDF5: {error}") from error
    shapes: dict[str, tuple[int, ...]] = {}
    file.visititems(lambda name, item: shapes.update({name: item.shape}) if isinstance(item, h5py.Dataset) else None)
    pixels = file[_choose(path, shapes)]
    _check_numbers(pixels.dtype, path=str(path))
    if _is_single(pixels.shape, frame):
        return from_array(pixels[()], path=str(path), frame=frame)
    return ArrayStack(
        pixels.shape,
        lambda rows: _take_sorted(pixels, rows, path),
        path=str(path),
        frame=frame,
        ids=_ids(file, shapes, pixels.shape, path),
    )


def _take_sorted(pixels: h5py.Dataset, rows: np.ndarray, path: Path) -> np.ndarray:
    # HDF5 takes rows in rising order only, and a run of rows much faster.
    sorted_rows, places = np.unique(rows, return_inverse=True)
    first, last = sorted_rows[0], sorted_rows[-1]
    run = last - first + 1 == len(sorted_rows)
    try:
        taken = pixels[first : last + 1] if run else pixels[sorted_rows]
    except OSError as error:
        raise InputError(f"{path}: its pixels cannot be read: {error}") from error
    return taken[places]


def _choose(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> str:
    named = [name for wanted in PIXEL_NAMES for name in shapes if name.rsplit("/", 1)[-1] == wanted]
    images = [name for name, shape in shapes.items() if len(shape) == 4]
    if len(shapes) == 1:
        images = list(shapes)
    if len(named) == 1 or len(images) == 1:
        return named[0] if len(named) == 1 else images[0]
    held = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "nothing"
    raise InputError(f"{path} must hold one array of images, or one named {' or '.join(PIXEL_NAMES)}, got {held}")


def _ids(arrays: Mapping, shapes: Mapping[str, tuple[int, ...]], images: tuple[int, ...], path: Path):
    """Ids by a known name, at any depth; None, and said, where other columns of that length may hold them."""
    columns = [name for name, shape in shapes.items() if shape == images[:1]]
    for wanted in ID_NAMES:
        for name, shape in shapes.items():
            if len(shape) == 1 and name.rsplit("/", 1)[-1].lower() == wanted:
                values = arrays[name][:].tolist()
                return [value.decode() if isinstance(value, bytes) else str(value) for value in values]
    if columns:
        logger.warning(
            "%s: no ids were found among %s, so objects are numbered: name one of them %s",
            path, ", ".join(columns[:5]), " or ".join(ID_NAMES[:3]),
        )  # fmt: skip
    return None


def _is_single(shape: tuple[int, ...], frame: Frame) -> bool:
    count = len(frame.bands)
    return (len(shape) == 3 and count in {shape[0], shape[2]}) or (len(shape) == 2 and count == 1)


def _check_numbers(dtype: np.dtype, *, path: str) -> None:
    if dtype.kind not in "fiu":
        raise InputError(f"{path} must hold real numbers, got {dtype}")
