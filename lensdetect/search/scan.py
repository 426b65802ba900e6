"""One slice of a tile: cut, look, score, write. The same function in process, in workers and under Dask."""

from __future__ import annotations

import dataclasses
import pickle
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from lensdetect import flags as quality
from lensdetect.errors import InputError, LensdetectError, one_line, reason_of
from lensdetect.images.cutouts import Cutouts, OpenTile
from lensdetect.parallel import ahead
from lensdetect.search.examination import find_glitches, open_for
from lensdetect.search.objects import list_path, read_objects
from lensdetect.search.quality import flag_duplicates
from lensdetect.search.scores import ScoreNote, refused_table, score_table, write_scores
from lensdetect.search.slices import BATCH, Job, Slice, part_path, search_code, slice_edges

_NO_NUMBER = "the detector gives no finite number for such pixels"


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
        _check_code(job)
        objects, duplicates = _objects(job, piece)
        try:
            table, problem = _scores(job, piece, objects, duplicates), ""
        except Exception as error:  # a tile of which nobody has thought must not end the search of the others
            problem = reason_of(error)
        if problem:
            table = refused_table(objects, problem, tile=piece.tile.name, committee=job.committee)
        write_scores(part_path(job.folder, piece), table, ScoreNote(piece.key, problem))
    except LensdetectError as error:
        return Outcome(0, piece.objects, one_line(error), False, time.monotonic() - began_s)
    except Exception as error:
        problem = f"scores could not be written: {one_line(error)}: make room and run the same again"
        return Outcome(0, piece.objects, problem, False, time.monotonic() - began_s)
    scored = int(table["logit"].notna().sum())
    return Outcome(scored, len(table) - scored, problem, True, time.monotonic() - began_s)


def _check_code(job: Job) -> None:
    if search_code() != job.code:
        raise InputError(
            f"all of a search must be done by one version of lensdetect, got {search_code()} in this worker "
            f"({socket.gethostname()}) and {job.code} where it was started: install the same on both"
        )


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
    except (OSError, LensdetectError) as error:
        return Outcome(0, piece.objects, f"{problem}; scores could not be written: {one_line(error)}", False)
    return Outcome(0, len(table), problem)


def _objects(job: Job, piece: Slice) -> tuple[pd.DataFrame, np.ndarray]:
    """Objects of the slice, from the bottom of the tile up, and their flag of duplicates."""
    objects = read_objects(list_path(job.folder / "objects", piece.tile.name), digest=piece.digest)
    duplicates = flag_duplicates(
        objects["ra_deg"].to_numpy(), objects["dec_deg"].to_numpy(), radius_arcsec=job.duplicate_arcsec
    )
    # Neighbours in y share rows of pixels on disk.
    order = np.argsort(objects["y_pix"].to_numpy(), kind="stable")
    edges = slice_edges(len(objects), piece.parts)
    order = order[edges[piece.part] : edges[piece.part + 1]]
    return objects.iloc[order].reset_index(drop=True), duplicates[order]


def _scores(job: Job, piece: Slice, objects: pd.DataFrame, duplicates: np.ndarray) -> pd.DataFrame:
    committee = job.committee
    x_pix, y_pix = objects["x_pix"].to_numpy(), objects["y_pix"].to_numpy()
    with open_for(job, piece.tile) as tile:
        logits, flags, reasons = _logits(job, tile, x_pix, y_pix)
    return score_table(
        objects,
        logits,
        flags=flags | duplicates,
        reasons=reasons,
        tile=piece.tile.name,
        committee=committee,
        prior=job.prior,
    )


def _logits(job: Job, tile: OpenTile, x_pix: np.ndarray, y_pix: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Logits ``(n, detectors)``, NaN for those that get none; flags and reasons of the cutouts."""
    scorer, found = _scorer(job.committee.make_scorer), []
    cut = partial(_batch, job, tile, x_pix, y_pix)
    with closing(ahead(cut, range(0, len(x_pix), BATCH), depth=2)) as batches:
        for cutouts in batches:
            found.append((scorer(cutouts.pixels), cutouts.flags, cutouts.reasons))
    logits = np.concatenate([logit for logit, _, _ in found]).astype(np.float32, copy=False)
    flags = np.concatenate([flag for _, flag, _ in found])
    reasons = [reason for _, _, some in found for reason in some]
    logits[(flags & quality.REFUSED) != 0] = np.nan
    for row in np.flatnonzero(~np.isfinite(logits).all(axis=1)):
        logits[row] = np.nan
        reasons[row] = reasons[row] or _NO_NUMBER
    if not job.examine_all:
        flags |= np.where(np.isfinite(logits).all(axis=1), quality.FLAGS["unexamined"].value, 0)
    return logits, flags, reasons


def _batch(job: Job, tile: OpenTile, x_pix: np.ndarray, y_pix: np.ndarray, start: int) -> Cutouts:
    cutouts = tile.cut(x_pix[start : start + BATCH], y_pix[start : start + BATCH], size=job.committee.size)
    if job.examine_all:
        cutouts = dataclasses.replace(cutouts, flags=cutouts.flags | find_glitches(job, tile, cutouts.pixels))
    return cutouts


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
