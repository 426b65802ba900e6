"""The folder of a search: whose it is, and what of it is done already."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lensdetect.images.index import TileIndex
from lensdetect.runs import KeptKeys, open_run, writable, write_json
from lensdetect.search.catalogue import Catalogue
from lensdetect.search.committee import Committee
from lensdetect.search.objects import Spread
from lensdetect.search.scores import is_whole, join_parts, read_note, score_columns
from lensdetect.search.slices import Job, Slice, part_path, score_path, search_code, slices_of
from lensdetect.survey import Survey

#: What a folder of a search says about itself.
MANIFEST_NAME = "search.json"
#: What in it may change from one run to the next; bands and scale follow from the detectors.
_FREE = ("code_version", "tiles", "bands", "pixel_scale_arcsec")


def build_manifest(
    survey: Survey, catalogue: Catalogue, committee: Committee, prior: float | None, *, tiles: Sequence[Path] = ()
) -> dict:
    """What a folder says of its search: all that its scores follow from, where the tiles lie, and what cutouts are.

    Parameters
    ----------
    survey, catalogue, committee, prior
        As ``search_survey`` takes or makes them.
    tiles : sequence of Path
        Folders, files and patterns; they may have moved when the search goes on.

    Returns
    -------
    dict
        As JSON gives it back.
    """
    return {
        "survey": survey.name,
        "catalogue": [str(path.resolve()) for path in catalogue.files],
        "select": catalogue.selection.expression if catalogue.selection is not None else None,
        "columns": catalogue.columns,
        "detectors": [[member.title, member.digest] for member in committee.members],
        "prior": prior,
        "code_version": search_code(),
        "tiles": [str(path) for path in tiles],
        "bands": list(committee.bands),
        "pixel_scale_arcsec": committee.pixel_scale_arcsec,
    }


@contextmanager
def held_folder(folder: Path, manifest: dict) -> Iterator[bool]:
    """Hold the folder of a search: new, or begun for the same.

    Parameters
    ----------
    folder : Path
    manifest : dict
        Of the search that shall be in it.

    Yields
    ------
    bool
        Whether another version of the code was at work in it before, so that
        its scores and tables are made again.

    Raises
    ------
    InputError
        If it holds something else (the message names the first difference),
        another run is at work in it, or it cannot be written.
    """
    within = ("scores", "parts", "cutouts", "ordinary", "report")
    with open_run(folder, manifest, file_name=MANIFEST_NAME, work="search", free=_FREE, within=within) as found:
        with writable(folder):
            for name in ("scores", "parts"):
                (folder / name).mkdir(exist_ok=True)
            if any(found.get(name) != manifest[name] for name in _FREE):
                # scores that they change are made again: code and tiles are in their keys
                write_json(folder / MANIFEST_NAME, manifest, sort_keys=True)
        yield found["code_version"] != manifest["code_version"]


def missing_slices(job: Job, index: TileIndex, spread: Spread) -> tuple[list[Slice], int]:
    """Slices without scores; scores that follow from anything else than is there now, or are damaged, are removed.

    Parameters
    ----------
    job : Job
    index : TileIndex
    spread : Spread

    Returns
    -------
    slices : list of Slice
        To be scanned, by tile.
    ready : int
        Objects that have their scores.
    """
    slices, ready, kept, content = [], 0, set(), KeptKeys(job.folder / "keys.json")
    for name in sorted(spread.counts):
        count = spread.counts[name]
        pieces = slices_of(job, index[name], objects=count, digest=spread.digests[name], content=content)
        kept.add(score_path(job.folder, name))
        if _is_kept(job, score_path(job.folder, name), key=pieces[0].key, rows=count):
            ready += count
            continue
        missing = [piece for piece in pieces if not _has_part(job, piece)]
        kept |= {part_path(job.folder, piece) for piece in pieces}
        ready += sum(piece.objects for piece in pieces) - sum(piece.objects for piece in missing)
        slices += missing
        if not missing:
            join_slices(job, pieces[0])
    for old in [*(job.folder / "scores").glob("*.parquet"), *(job.folder / "parts").glob("*.parquet")]:
        if old not in kept:
            old.unlink()
    content.save()
    return slices, ready


def _has_part(job: Job, piece: Slice) -> bool:
    path = part_path(job.folder, piece)
    return piece.parts > 1 and _is_kept(job, path, key=piece.key, rows=piece.objects)


def _is_kept(job: Job, path: Path, *, key: str, rows: int) -> bool:
    """Whether a table of scores can stay."""
    note = read_note(path)
    if note is None or note.key != key or note.problem:
        return False
    return is_whole(path, columns=score_columns(job.committee), rows=rows)


def join_slices(job: Job, piece: Slice) -> str:
    """Put the scores of all slices of a tile together.

    Parameters
    ----------
    job : Job
    piece : Slice
        Any slice of the tile.

    Returns
    -------
    str
        Why not, if that fails; else empty.
    """
    parts = [part_path(job.folder, dataclasses.replace(piece, part=part)) for part in range(piece.parts)]
    try:
        join_parts(parts, score_path(job.folder, piece.tile.name), key=piece.key)
    except OSError as error:
        return f"scores could not be written: {error.strerror or error}: make room and run the same again"
    return ""
