"""What can be graded: a finished search, cutouts in any form, or a table of files."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from lensdetect.data import open_cutouts
from lensdetect.errors import InputError, reading
from lensdetect.images.columns import find_columns
from lensdetect.images.tables import ENDINGS, Table
from lensdetect.inspection.pictures import Collection, Cubes, Files, Opened
from lensdetect.inspection.planting import Galaxies
from lensdetect.inspection.store import Subject
from lensdetect.runs import read_json
from lensdetect.survey import Survey, get_survey

#: What a folder of a search says about itself, and its table.
_MANIFEST, _TABLE = "search.json", "candidates.parquet"
#: Of its ordinary objects: the table, and the folder of the cutouts.
_ORDINARY = "ordinary"
#: Cutouts in it are named by their place in the table, then their id.
_PLACE = re.compile(r"(\d{5,})_.*\.fits")
#: Of the table: what a grader is told when done, and not before.
_TOLD = ("rank", "logit", "probability", "ra_deg", "dec_deg", "tile", "near_miss", "known_lens", "known_grade")
#: What lists call lenses of which they are not sure.
_DOUBTED = re.compile(r"prob|possib|candidate|maybe|^[bcd]\b|^$", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """What is graded.

    Parameters
    ----------
    survey : Survey
        Its bands, in order.
    home : Path
        Folder in which what is mixed in is kept.
    subjects : list of Subject
    objects : Collection
        Their pixels.
    ordinary : Galaxies
        What may be painted on and be a dud; without members where there is none.
    notes : list of str
        What was left out, in words.
    """

    survey: Survey
    home: Path
    subjects: list[Subject]
    objects: Collection
    ordinary: Galaxies
    notes: list[str] = field(default_factory=list)


def open_source(path: Path | str, *, survey: str | None = None, size: int = 101) -> Source:
    """Open what is to be graded.

    Parameters
    ----------
    path : path
        Folder of a search; a folder, file or array of cutouts as
        ``data.open_cutouts`` takes it; or a table with ``id`` and ``file`` (beside the
        table, or absolute).
    survey : str, optional
        Where the images are from; a search tells it.
    size : int
        Side of cutouts that are not from a search.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        If there is nothing to grade, or it is not known where it is from.
    """
    path = Path(path)
    if (path / _MANIFEST).is_file():
        return _of_search(path, survey)
    if not path.exists():
        raise InputError(f"there must be a search, cutouts or a table to grade, got nothing at {path}: check the path")
    if survey is None:
        raise InputError(
            f"{path} does not say which survey it is from: say it with --survey, or give the folder of a search"
        )
    known = get_survey(survey)
    if path.is_file() and path.name.lower().endswith(ENDINGS) and not path.name.lower().endswith((".fits", ".fit")):
        return _of_table(path, known, size=size)
    objects = Opened(open_cutouts(path, survey=known, size=size, fit="both"))
    subjects = [Subject(name, "objects", name) for name in objects.members]
    home = path if path.is_dir() else path.with_name(f"{path.name}.grading")
    return Source(known, home, subjects, objects, _no_ordinary())


def _of_search(folder: Path, survey: str | None) -> Source:
    known = _as_cut(folder / _MANIFEST, survey)
    table = _candidates(folder)
    files, subjects, missing = _files_by_place(folder / "cutouts"), [], 0
    for row in table.to_dict("records"):
        member = files.get(int(row["rank"]))
        if member is None:
            missing += 1
            continue
        subjects.append(_subject(row, member))
    if not subjects:
        way_out = "give the same search once more, which cuts them out" if missing else "search with another --top"
        raise InputError(f"there must be candidates with cutouts to grade, got none in {folder}: {way_out}")
    notes = [f"{missing:,} of {len(table):,} have no cutout and are left out"] if missing else []
    objects = Cubes(folder / "cutouts", (one.member for one in subjects), num_bands=len(known.bands))
    return Source(known, folder, subjects, objects, _ordinary(folder, known), notes)


def _files_by_place(folder: Path) -> dict[int, str]:
    names = sorted(path.name for path in folder.glob("*.fits"))
    return {int(match[1]): name for name in names if (match := _PLACE.fullmatch(name))}


def _ordinary(folder: Path, survey: Survey) -> Galaxies:
    """What the search drew at random among all that it did not list: as rarely a lens as anything in the sky."""
    path, files = folder / f"{_ORDINARY}.parquet", _files_by_place(folder / _ORDINARY)
    members: dict[str, str] = {}
    if path.is_file():
        with reading(path, what="the ordinary objects of a search"):
            table = pd.read_parquet(path, columns=["draw", "id"])
        members = {str(one.id): files[one.draw] for one in table.itertuples() if one.draw in files}
    cubes = Cubes(folder / _ORDINARY, files.values(), num_bands=len(survey.bands))
    if members:
        more = "give the same search once more with a larger --ordinary, if it has more objects"
        return Galaxies(cubes, members, "objects drawn at random from all that the search did not list", more)
    more = "give galaxies with --others"
    if path.is_file():
        return Galaxies(cubes, {}, "the search has no ordinary objects with cutouts beside its candidates", more)
    why = "the search drew no ordinary objects, as it is of an older version"
    return Galaxies(cubes, {}, why, f"give the same search once more, or {more.removeprefix('give ')}")


def _no_ordinary() -> Galaxies:
    """What cutouts without a search come with."""
    why = "cutouts without a search come without ordinary objects"
    return Galaxies(Cubes(Path(), (), num_bands=0), {}, why, "give galaxies with --others")


def _as_cut(path: Path, survey: str | None) -> Survey:
    """The survey with the bands and the pixel scale of the cutouts of a search, which are those of its detectors."""
    manifest = read_json(path, remedy="finish the search")
    missing = {"survey", "bands", "pixel_scale_arcsec"} - set(manifest)
    if missing:
        raise InputError(f"{path} must say {', '.join(sorted(missing))} of its cutouts: give the same search once more")
    known = get_survey(survey or manifest["survey"]).with_bands(manifest["bands"])
    return replace(known, pixel_scale_arcsec=float(manifest["pixel_scale_arcsec"]))


def _candidates(folder: Path) -> pd.DataFrame:
    path = folder / _TABLE
    if not path.is_file():
        raise InputError(f"{folder} must hold a finished search, got no {_TABLE}: run the same search to its end")
    with reading(path, what="the candidates of a search"):
        return pd.read_parquet(path)


def _subject(row: dict[str, Any], member: str) -> Subject:
    about = {name: _plain(row[name]) for name in _TOLD if name in row}
    lens = str(row.get("known_lens") or "")
    sure = bool(lens) and not _DOUBTED.search(str(row.get("known_grade") or ""))
    return Subject(str(row["id"]), "objects", member, "known" if lens else "", truth=1.0 if sure else None, about=about)


def _plain(value: Any) -> Any:
    """A value as JSON has it; what is not finite is nothing."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _of_table(path: Path, survey: Survey, *, size: int) -> Source:
    table = Table(path, strict=True)
    columns = find_columns(table.columns, ("id", "file"), path=path)
    if not (columns["id"] and columns["file"]):
        raise InputError(f"{path} must have the columns id and file, got {', '.join(table.columns[:12])}")
    paths: dict[str, Path] = {}
    for piece in table.pieces([columns["id"], columns["file"]]):
        for name, file in zip(piece.texts(columns["id"]), piece.texts(columns["file"]), strict=True):
            if not name or not file or name in paths:
                raise InputError(f"each row of {path} must have an id of its own and a file, got {name!r} and {file!r}")
            paths[name] = path.parent / file
    if not paths:
        raise InputError(f"{path} must have a row for each object, got none")
    subjects = [Subject(name, "objects", name) for name in paths]
    objects = Files(paths, survey=survey, size=size)
    return Source(survey, path.with_name(f"{path.name}.grading"), subjects, objects, _no_ordinary())
