"""Pixels of what is graded, from wherever they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from lensdetect.data import CutoutSource, open_cutouts
from lensdetect.errors import InputError
from lensdetect.images.fits import read_planes
from lensdetect.survey import Survey

#: Ways to turn a square cutout: quarter turns, and the same mirrored.
NUM_TURNS = 8


class Collection(Protocol):
    """Cutouts by name."""

    @property
    def members(self) -> list[str]:
        """Names of all."""

    def read(self, member: str) -> np.ndarray:
        """Pixels of one, float32 ``(height, width, band)``; raises ``InputError`` if they cannot be read."""


class Cubes:
    """FITS cubes in one folder, as a search writes them: planes in the order of the survey's bands.

    Parameters
    ----------
    folder : Path
    names : iterable of str
        Of the files.
    num_bands : int
    """

    def __init__(self, folder: Path, names: Iterable[str], *, num_bands: int):
        self._paths = {name: folder / name for name in names}
        self._num_bands = num_bands

    @property
    def members(self) -> list[str]:
        """Names of the files."""
        return list(self._paths)

    def read(self, member: str) -> np.ndarray:
        """Pixels of one, float32 ``(height, width, band)``."""
        path = self._paths[member]
        planes = [plane.pixels for plane in read_planes(str(path))]
        if len(planes) != self._num_bands or len({plane.shape for plane in planes}) > 1:
            raise InputError(f"{path}: must hold {self._num_bands} planes of one size, got {len(planes)}")
        return np.stack(planes, axis=-1)


class Files:
    """Files that a table names, each opened when it is asked for.

    Parameters
    ----------
    paths : mapping of Path
        By name of the object.
    survey : Survey
    size : int
        Side in pixels; larger ones are cropped, smaller ones get NaN around them.
    """

    def __init__(self, paths: Mapping[str, Path], *, survey: Survey, size: int):
        self._paths, self._survey, self._size = dict(paths), survey, size

    @property
    def members(self) -> list[str]:
        """Names of the objects."""
        return list(self._paths)

    def read(self, member: str) -> np.ndarray:
        """Pixels of one, float32 ``(height, width, band)``."""
        return _one(open_cutouts(self._paths[member], survey=self._survey, size=self._size, fit="both"), 0)


class Opened:
    """Cutouts in any form that ``data.open_cutouts`` reads.

    Parameters
    ----------
    source : CutoutSource

    Raises
    ------
    InputError
        If two of them have one id.
    """

    def __init__(self, source: CutoutSource):
        self._source = source
        self._rows = {name: row for row, name in enumerate(source.ids)}
        if len(self._rows) < len(source):
            seen: set[str] = set()
            twice = next(name for name in source.ids if name in seen or seen.add(name))
            raise InputError(
                f"ids of what is graded must be different, got {twice!r} twice: grade one folder at a time"
            )

    @property
    def members(self) -> list[str]:
        """Ids of the objects."""
        return list(self._rows)

    def read(self, member: str) -> np.ndarray:
        """Pixels of one, float32 ``(height, width, band)``."""
        return _one(self._source, self._rows[member])


def _one(source: CutoutSource, row: int) -> np.ndarray:
    batch = source.read(np.array([row]))
    if batch.refused[0]:
        raise InputError(batch.reasons[0])
    return batch.pixels[0]


def turned(pixels: np.ndarray, turn: int) -> np.ndarray:
    """A cutout as it is, turned by quarters, mirrored, or both.

    Parameters
    ----------
    pixels : ndarray
        ``(size, size, band)``.
    turn : int
        From 0, which leaves it as it is, to 7.

    Returns
    -------
    ndarray
    """
    return np.rot90(pixels[:, ::-1] if turn >= 4 else pixels, turn % 4)
