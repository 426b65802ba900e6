"""The folder of a search: whose it is, and what of it is done already."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from lensdetect import __version__
from lensdetect.errors import InputError
from lensdetect.runs import write_whole
from lensdetect.search.catalogue import Catalogue
from lensdetect.search.committee import Committee
from lensdetect.search.index import TileIndex
from lensdetect.search.objects import Spread
from lensdetect.search.scores import join_parts, read_note
from lensdetect.search.slices import Job, Slice, part_path, score_path, slices_of
from lensdetect.survey import Survey

#: What a folder of a search says about itself.
MANIFEST_NAME = "search.json"


def build_manifest(survey: Survey, catalogue: Catalogue, committee: Committee, prior: float | None) -> dict:
    """What a folder says of its search: all that its scores follow from, but for the tiles.

    Parameters
    ----------
    survey, catalogue, committee, prior
        As ``search_survey`` takes or makes them.

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
        "detectors": [[member.name, member.digest] for member in committee.members],
        "prior": prior,
        "code_version": __version__,
    }


def open_folder(folder: Path, manifest: dict) -> None:
    """Create a folder with its manifest, or check that it holds the same search.

    Parameters
    ----------
    folder : Path
    manifest : dict
        Of the search that shall be in it.

    Raises
    ------
    InputError
        If it holds something else; the message names the first difference.
    OSError
        If it cannot be written.
    """
    path = folder / MANIFEST_NAME
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():
        try:
            there = json.loads(path.read_text())
        except ValueError as error:
            raise InputError(f"{path} must be what a search wrote, got {error}: choose another folder") from error
        for name, value in manifest.items():
            if there.get(name) != value and name != "code_version":
                raise InputError(
                    f"{folder} holds another search: {name} is {there.get(name)} there and {value} here: "
                    "choose another folder"
                )
    elif any(entry for entry in folder.iterdir() if not entry.name.startswith(".")):
        raise InputError(f"{folder} must be empty or hold this search, got other files: choose another folder")
    for name in ("scores", "parts"):
        (folder / name).mkdir(exist_ok=True)
        for left in (folder / name).glob(".*.partial"):
            left.unlink()
    text = json.dumps(manifest, indent=2) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def missing_slices(job: Job, index: TileIndex, spread: Spread) -> tuple[list[Slice], int]:
    """Slices without scores; scores that were made of other files or in another way are removed.

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
    slices, ready, kept = [], 0, set()
    for name in sorted(spread.counts):
        pieces = slices_of(job, index[name], objects=spread.counts[name], digest=spread.digests[name])
        note = read_note(score_path(job.folder, name))
        kept.add(score_path(job.folder, name))
        if note is not None and note.key == pieces[0].key and not note.problem:
            ready += spread.counts[name]
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
    return slices, ready


def _has_part(job: Job, piece: Slice) -> bool:
    note = read_note(part_path(job.folder, piece)) if piece.parts > 1 else None
    return note is not None and note.key == piece.key and not note.problem


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
