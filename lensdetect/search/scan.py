"""One slice of a tile: cut, look, score, write. The same function in process, in workers and under Dask."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect import flags as quality
from lensdetect.errors import LensdetectError
from lensdetect.search.ahead import ahead
from lensdetect.search.committee import Committee
from lensdetect.search.cutouts import Cutouts, OpenTile, open_tile
from lensdetect.search.objects import file_stem, list_path, read_objects
from lensdetect.search.quality import flag_duplicates
from lensdetect.search.scores import ScoreNote, refused_table, score_table, write_scores
from lensdetect.search.tiles import Tile
from lensdetect.survey import Survey

#: Cutouts cut and scored at once; larger batches fall out of a CPU's caches.
_BATCH = 128
#: Objects of a slice, at most: enough to pay for opening a tile, few enough to share a large one.
SLICE_OBJECTS = 2000
_NO_NUMBER = "the detector gives no finite number for such pixels"


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
    """

    survey: Survey
    folder: Path
    committee: Committee
    prior: float | None = None
    duplicate_arcsec: float = 1.0


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


@dataclass(frozen=True)
class Outcome:
    """What became of a slice.

    Parameters
    ----------
    scored, refused : int
        Objects with and without a score.
    problem : str
        Why all were refused or nothing was written; empty if all went well.
    written : bool
        Whether there is a table of them.
    seconds : float
        Wall time.
    """

    scored: int
    refused: int
    problem: str = ""
    written: bool = True
    seconds: float = 0.0


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
    edges = _edges(objects, parts)
    files = [(path, *_stat(path)) for path in tile.paths]
    said = [digest, files, tile.problem, edges.tolist(), asdict(job.survey), job.prior, job.duplicate_arcsec]
    said += [[asdict(member) for member in job.committee.members], job.committee.size]
    key = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    return [Slice(tile, part, parts, int(edges[part + 1] - edges[part]), key) for part in range(parts)]


def _edges(objects: int, parts: int) -> np.ndarray:
    """Where slices begin and end: between batches, since a part of one costs as much to score as all of it."""
    batches = -(-objects // _BATCH)
    if batches < parts:
        return np.linspace(0, objects, parts + 1).round().astype(int)
    return np.minimum(_BATCH * np.linspace(0, batches, parts + 1).round().astype(int), objects)


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


def scan_slice(job: Job, piece: Slice) -> Outcome:
    """Score some objects of a tile, and write the table of them.

    What goes wrong with a tile is the reason of each of its objects, and raises
    nothing: the others go on.

    Parameters
    ----------
    job : Job
    piece : Slice

    Returns
    -------
    Outcome
    """
    began_s = time.monotonic()
    try:
        objects, duplicates = _objects(job, piece)
        try:
            table, problem = _scores(job, piece, objects, duplicates), ""
        except (LensdetectError, OSError) as error:
            problem = _line(error)
        except Exception as error:  # a tile of which nobody has thought must not end the search of the others
            problem = f"{type(error).__name__}: {_line(error)}"
        if problem:
            table = refused_table(objects, problem, tile=piece.tile.name, committee=job.committee)
        write_scores(part_path(job.folder, piece), table, ScoreNote(piece.key, problem))
    except Exception as error:
        problem = f"scores could not be written: {_line(error)}: make room and run the same again"
        return Outcome(0, piece.objects, problem, False, time.monotonic() - began_s)
    scored = int(table["logit"].notna().sum())
    return Outcome(scored, len(table) - scored, problem, True, time.monotonic() - began_s)


def refuse_slice(job: Job, piece: Slice, problem: str) -> Outcome:
    """Write the table of a slice none of whose objects can be scored.

    Parameters
    ----------
    job : Job
    piece : Slice
    problem : str
        Why.

    Returns
    -------
    Outcome
    """
    try:
        objects, _ = _objects(job, piece)
        table = refused_table(objects, problem, tile=piece.tile.name, committee=job.committee)
        write_scores(part_path(job.folder, piece), table, ScoreNote(piece.key, problem))
    except OSError as error:
        return Outcome(0, piece.objects, f"{problem}; scores could not be written: {_line(error)}", False)
    return Outcome(0, len(table), problem)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _objects(job: Job, piece: Slice) -> tuple[pd.DataFrame, np.ndarray]:
    """Objects of the slice, from the bottom of the tile up, and their flag of duplicates."""
    objects = read_objects(list_path(job.folder / "objects", piece.tile.name))
    duplicates = flag_duplicates(
        objects["ra_deg"].to_numpy(), objects["dec_deg"].to_numpy(), radius_arcsec=job.duplicate_arcsec
    )
    # Neighbours in y share rows of pixels on disk.
    order = np.argsort(objects["y_pix"].to_numpy(), kind="stable")
    edges = _edges(len(objects), piece.parts)
    order = order[edges[piece.part] : edges[piece.part + 1]]
    return objects.iloc[order].reset_index(drop=True), duplicates[order]


def _scores(job: Job, piece: Slice, objects: pd.DataFrame, duplicates: np.ndarray) -> pd.DataFrame:
    committee, found = job.committee, []
    with open_tile(piece.tile, job.survey, scale_arcsec=committee.pixel_scale_arcsec) as tile:
        scorer = _scorer(committee.make_scorer)
        with closing(ahead(_batches(tile, objects, committee.size))) as batches:
            for cutouts in batches:
                found.append((scorer(cutouts.pixels), cutouts.flags, cutouts.reasons))
    logits = np.concatenate([logit for logit, _, _ in found]).astype(np.float32, copy=False)
    flags = np.concatenate([flag for _, flag, _ in found]) | duplicates
    reasons = [reason for _, _, some in found for reason in some]
    logits[(flags & quality.REFUSED) != 0] = np.nan
    for row in np.flatnonzero(~np.isfinite(logits).all(axis=1)):
        logits[row] = np.nan
        reasons[row] = reasons[row] or _NO_NUMBER
    return score_table(
        objects, logits, flags=flags, reasons=reasons, tile=piece.tile.name, committee=committee, prior=job.prior
    )


def _batches(tile: OpenTile, objects: pd.DataFrame, size: int) -> Iterator[Cutouts]:
    x_pix, y_pix = objects["x_pix"].to_numpy(), objects["y_pix"].to_numpy()
    for start in range(0, len(objects), _BATCH):
        yield tile.cut(x_pix[start : start + _BATCH], y_pix[start : start + _BATCH], size=size)


_loaded: dict[bytes, Callable] = {}
_loading = threading.Lock()


def _scorer(make_scorer: Callable) -> Callable[[np.ndarray], np.ndarray]:
    """The scorer of this process, made once; one at a time is kept."""
    key = pickle.dumps(make_scorer)
    with _loading:
        if key not in _loaded:
            _loaded.clear()
            _loaded[key] = make_scorer()
        return _loaded[key]
