"""Cutouts from whatever holds them: one interface to all kinds of input."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from lensdetect import flags as quality
from lensdetect.data.checks import check
from lensdetect.data.detection import open_parts
from lensdetect.data.frame import Frame, Notes
from lensdetect.errors import InputError, reason_of
from lensdetect.images.bounds import CUTOUT_PIXELS
from lensdetect.parallel import ahead
from lensdetect.survey import Survey

#: Cutouts read in one go: with more, the pixels fall out of the processor's caches.
_BLOCK = 16
#: More threads than this wait for one another more than for the disk.
_MAX_WORKERS = 4


class Part(Protocol):
    """What every kind of input offers."""

    ids: list[str]
    frame: Frame

    def path(self, row: int) -> str:
        """File of an object."""

    def read_into(self, rows: np.ndarray, block: np.ndarray, *, notes: Notes) -> None:
        """Put the declared bands of some objects into a block of planes."""


@dataclass(frozen=True)
class CutoutBatch:
    """Cutouts read from disk, with what is wrong with them.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(n, size, size, band)``, bands in the survey's order, in the
        units of the files. A bad pixel is NaN, and so is all of a refused cutout.
    ids, paths : list of str
        Name of each object, and its file (of its first band, if it has several).
    flags : ndarray
        int64 ``(n,)``, bits of ``lensdetect.flags``.
    reasons : list of str
        Why there are flags; empty where there are none.
    """

    pixels: np.ndarray
    ids: list[str]
    paths: list[str]
    flags: np.ndarray
    reasons: list[str]

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.ids)

    @property
    def refused(self) -> np.ndarray:
        """Which cutouts get no score: bool ``(n,)``."""
        return (self.flags & quality.REFUSED) != 0


class CutoutSource:
    """All objects of some inputs, in order; made by ``open_cutouts``.

    Parameters
    ----------
    parts : list of Part
        The inputs.
    frame : Frame
        Form of the cutouts.
    truth : DataFrame, optional
        Truth that came with the pixels, one row an object.

    Attributes
    ----------
    ids : list of str
        Name of each object.
    frame : Frame
        Form of the cutouts.
    truth : DataFrame or None
        One row an object, if all inputs are folders of simulated stamps.
    aside : list of (str, str)
        Files of no use, each with the reason: PSFs, models, bands not asked for.
    """

    def __init__(self, parts: Sequence[Part], *, frame: Frame, truth: pd.DataFrame | None = None):
        self.frame = frame
        self.truth = truth
        self.ids: list[str] = [name for part in parts for name in part.ids]
        self._parts = list(parts)
        self.aside: list[tuple[str, str]] = [pair for part in parts for pair in getattr(part, "aside", ())]
        self._starts = np.cumsum([0] + [len(part.ids) for part in parts])

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.ids)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and number of bands of one cutout."""
        return self.frame.size, self.frame.size, len(self.frame.survey.bands)

    @property
    def paths(self) -> list[str]:
        """File of each object."""
        return [part.path(row) for part in self._parts for row in range(len(part.ids))]

    def read(self, rows: np.ndarray) -> CutoutBatch:
        """Read some objects.

        May be called from several threads at once.

        Parameters
        ----------
        rows : array of int
            Positions in ``ids``, in any order.

        Returns
        -------
        CutoutBatch
            In the order of ``rows``.
        """
        rows = np.asarray(rows, dtype=np.int64).reshape(-1)
        if len(rows) and not (0 <= rows.min() and rows.max() < len(self)):
            raise InputError(f"rows must be from 0 to {len(self) - 1}, got {rows.min()} to {rows.max()}")
        pixels = np.empty((len(rows), *self.shape), np.float32)
        flags = np.zeros(len(rows), np.int64)
        reasons = [""] * len(rows)
        owner = np.searchsorted(self._starts, rows, side="right") - 1
        height, width, num_bands = self.shape
        planes = np.empty((_BLOCK, num_bands, height, width), np.float32)
        for number in np.unique(owner):
            places = np.flatnonzero(owner == number)
            for start in range(0, len(places), _BLOCK):
                here = places[start : start + _BLOCK]
                block = planes[: len(here)]
                notes = self._read_block(self._parts[number], rows[here] - self._starts[number], block=block)
                _interleave(block, pixels, places=here)
                flags[here] = notes.flags
                for place, reason in zip(here, notes.reasons(), strict=True):
                    reasons[place] = reason
        paths = [self._parts[part].path(row - self._starts[part]) for part, row in zip(owner, rows, strict=True)]
        return CutoutBatch(pixels, [self.ids[row] for row in rows], paths, flags, reasons)

    def _read_block(self, part: Part, rows: np.ndarray, *, block: np.ndarray) -> Notes:
        frame = self.frame
        notes = Notes(len(rows), block.shape[1])
        try:
            part.read_into(rows, block, notes=notes)
        # the border of the items: what one makes a reader raise must not take the others along
        except Exception as error:
            notes = self._read_singly(part, rows, error, block=block)
        absent = part.frame.absent
        for row in np.flatnonzero(~notes.refused):
            frame.leave_out(block, notes, row=row, planes=absent, text=f"{frame.names(absent)} not given")
        check(block, notes, frame=frame)
        return notes

    def _read_singly(self, part: Part, rows: np.ndarray, error: Exception, *, block: np.ndarray) -> Notes:
        """Read objects one by one after a block of them failed; each that fails is refused with its reason."""
        notes = Notes(len(rows), block.shape[1])
        for row, number in enumerate(rows):
            try:
                if len(rows) == 1:
                    raise error
                alone = Notes(1, block.shape[1])
                part.read_into(np.array([number]), block[row : row + 1], notes=alone)
                notes.take_over(alone, row=row)
            except Exception as own:
                part.frame.refuse(block, notes, row=row, flag="unreadable", text=reason_of(own))
        return notes

    def batches(self, batch_size: int, *, num_workers: int | None = None) -> Iterator[CutoutBatch]:
        """All objects in order, each exactly once.

        Batches are made ahead by threads; how many wait does not depend on the
        number of objects.

        Parameters
        ----------
        batch_size : int
            Objects to a batch; the last one may hold fewer.
        num_workers : int, optional
            Threads that read; by default one a core, at most 4.

        Yields
        ------
        CutoutBatch
        """
        if batch_size < 1:
            raise InputError(f"a batch must hold 1 object or more, got {batch_size}")
        workers = num_workers or min(len(os.sched_getaffinity(0)), _MAX_WORKERS)
        chunks = (np.arange(i, min(i + batch_size, len(self))) for i in range(0, len(self), batch_size))
        yield from ahead(self.read, chunks, threads=workers)


def _interleave(block: np.ndarray, pixels: np.ndarray, *, places: np.ndarray) -> None:
    # Planes to cutouts, a band at a time into a slice: three times as fast as
    # one transposed copy. Places rise; most often they are a run.
    run = places[-1] - places[0] + 1 == len(places)
    index = slice(places[0], places[-1] + 1) if run else places
    for band in range(block.shape[1]):
        pixels[index, ..., band] = block[:, band]


def open_cutouts(
    paths,
    *,
    survey: Survey,
    bands: Sequence[str] | None = None,
    size: int = 101,
    fit: str | None = None,
    max_pixels: int = CUTOUT_PIXELS,
) -> CutoutSource:
    """Open cutouts in any of the forms that they come in.

    The form is told by the content: the layout of the Bologna Lens Challenge
    (its ``Public`` folder, or a folder around one or several); FITS files or folders
    of them, one object a file or one file a band; ``.npy``, ``.npz`` and HDF5 arrays, or one
    in memory; a folder of stamps that ``lensdetect simulate`` made.

    Every object comes out exactly once. One with an unreadable or truncated
    file, another size without ``fit``, or no good pixel is refused: it is all
    NaN, with flag and reason. One that lacks a band, has two bands with the same
    bytes, or was cropped, padded or masked in more than 5 % of a band is kept,
    with flag and reason.

    Parameters
    ----------
    paths : path, list of paths, or ndarray
        The inputs, in the order wanted.
    survey : Survey
        Names and order of the bands of the cutouts, and the masked value.
    bands : sequence of str, optional
        Bands that the inputs hold, in the order of their planes; by default all
        of the survey, in its order. Others are NaN planes.
    size : int
        Height and width of the cutouts, in pixels.
    fit : str, optional
        ``"crop"`` to take the centre of larger images, ``"pad"`` to put NaN around
        smaller ones, ``"both"``; by default other sizes are refused.
    max_pixels : int
        Pixels that the images in one file may have, and those of one object in an
        array; what claims more is refused before memory is taken.

    Returns
    -------
    CutoutSource

    Raises
    ------
    InputError
        If a path does not exist, is of no known kind or holds no object, if a
        whole band is absent, or if the only object there is cannot be read.
    """
    frame = Frame(survey, tuple(survey.band_names if bands is None else bands), size, fit, max_pixels)
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    parts, truth = open_parts(paths if isinstance(paths, np.ndarray) else [Path(path) for path in paths], frame=frame)
    source = CutoutSource(parts, frame=frame, truth=truth)
    if len(source) == 1:
        # a run that has nothing else to do ends here, with the reason
        only = source.read([0])
        if only.flags[0] & quality.bits("unreadable"):
            raise InputError(only.reasons[0])
    return source
