"""Slices of tiles: what is scored at a time, from what, and where its scores go."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lensdetect.search.committee import Committee
from lensdetect.search.objects import file_stem
from lensdetect.search.tiles import Tile
from lensdetect.survey import Survey

#: Cutouts cut and scored at once; larger batches fall out of a CPU's caches.
BATCH = 128
#: Objects of a slice, at most: enough to pay for opening a tile, few enough to share a large one.
SLICE_OBJECTS = 2000


@dataclass(frozen=True)
class Job:
    """What all slices of a search have in common.

    Parameters
    ----------
    survey : Survey
        With the bands that the detectors take, and no other.
    folder : Path
        Of the output; all processes must see it under this name.
    committee : Committee
    prior : float, optional
        Share of lenses among the objects.
    duplicate_arcsec : float
        Objects of a tile nearer than this are one.
    examine_all : bool
        Whether all objects are looked at for glitches, and not only those that
        would become candidates.
    """

    survey: Survey
    folder: Path
    committee: Committee
    prior: float | None = None
    duplicate_arcsec: float = 1.0
    examine_all: bool = False


@dataclass(frozen=True)
class Slice:
    """Some objects of one tile: what a worker does at a time.

    Parameters
    ----------
    tile : Tile
    part, parts : int
        Which slice of how many.
    objects : int
        How many it has.
    key : str
        Digest of all that its scores follow from.
    """

    tile: Tile
    part: int
    parts: int
    objects: int
    key: str


def slices_of(job: Job, tile: Tile, *, objects: int, digest: str, per_slice: int = SLICE_OBJECTS) -> list[Slice]:
    """Cut the objects of a tile into slices of about one size.

    Parameters
    ----------
    job : Job
    tile : Tile
    objects : int
        How many it has.
    digest : str
        Of the list of its objects.
    per_slice : int
        Most objects of a slice.

    Returns
    -------
    list of Slice
    """
    parts = max(1, -(-objects // per_slice))
    edges = slice_edges(objects, parts)
    files = [(path, *_stat(path)) for path in tile.paths]
    said = [digest, files, tile.problem, edges.tolist(), asdict(job.survey)]
    said += [job.prior, job.duplicate_arcsec, job.examine_all]
    said += [[asdict(member) for member in job.committee.members], job.committee.size]
    key = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    return [Slice(tile, part, parts, int(edges[part + 1] - edges[part]), key) for part in range(parts)]


def slice_edges(objects: int, parts: int) -> np.ndarray:
    """Where slices begin and end.

    Parameters
    ----------
    objects : int
        How many there are.
    parts : int
        Number of slices.

    Returns
    -------
    ndarray
        int ``(parts + 1,)``; between batches, since a part of one costs as much to score as all of it.
    """
    batches = -(-objects // BATCH)
    if batches < parts:
        return np.linspace(0, objects, parts + 1).round().astype(int)
    return np.minimum(BATCH * np.linspace(0, batches, parts + 1).round().astype(int), objects)


def _stat(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def score_path(folder: Path, tile: str) -> Path:
    """Table of the scores of a tile."""
    return folder / "scores" / f"{file_stem(tile)}.parquet"


def part_path(folder: Path, piece: Slice) -> Path:
    """Table that a slice leaves: that of the tile, where it is the only one."""
    if piece.parts == 1:
        return score_path(folder, piece.tile.name)
    return folder / "parts" / f"{file_stem(piece.tile.name)}.{piece.part:04d}-{piece.parts:04d}.parquet"
