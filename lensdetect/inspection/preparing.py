"""From what the user names to a desk at which people grade."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lensdetect.data import open_cutouts
from lensdetect.errors import InputError
from lensdetect.inspection.database import shown_url
from lensdetect.inspection.desk import Desk, Rules
from lensdetect.inspection.pictures import Collection, Cubes, Opened
from lensdetect.inspection.planting import Galaxies, given_folder, known_lenses, plant
from lensdetect.inspection.scale import steps
from lensdetect.inspection.sources import Source, open_source
from lensdetect.inspection.store import Store, Subject
from lensdetect.runs import writable


@dataclass(frozen=True)
class Wishes:
    """How grading shall be done; what is None is as it was begun, or the default.

    Parameters
    ----------
    survey : str, optional
        Where the images are from; a search tells it.
    size : int
        Side of cutouts that are not from a search, in pixels.
    lenses, others : path, optional
        Cutouts of lenses that are known, and of galaxies that are none, of the same survey; the
        latter where a search has not drawn ordinary objects.
    planted : float, optional
        Simulated lenses, and as many duds, for each object.
    repeats : float, optional
        Share of what a grader sees that is shown again.
    training : int, optional
        Lenses and duds, each, that are shown with their answers.
    seed : int, optional
    scale : str
        A name in ``scale.SCALES``.
    workers : int
        Processes that paint lenses.
    """

    survey: str | None = None
    size: int = 101
    lenses: Path | None = None
    others: Path | None = None
    planted: float | None = None
    repeats: float | None = None
    training: int | None = None
    seed: int | None = None
    scale: str = "5310"
    workers: int = 1


#: What holds where grading begins and nothing else was asked for.
_DEFAULTS = {"planted": 0.05, "repeats": 0.05, "training": 0, "seed": 0}


def prepare(path: Path | str, database: str | None, wishes: Wishes) -> tuple[Desk, list[str]]:
    """Open what is graded and its store; mix in lenses and duds when grading begins.

    Parameters
    ----------
    path : path
        As ``open_source`` takes it.
    database : str or None
        URL; beside what is graded by default.
    wishes : Wishes

    Returns
    -------
    desk : Desk
    notes : list of str
        What is graded, what was mixed in and what was left out, in words.

    Raises
    ------
    InputError
        If there is nothing to grade, the store cannot be used, or grading was
        begun otherwise.
    """
    steps(wishes.scale)
    source = open_source(path, survey=wishes.survey, size=wishes.size)
    store = Store(database or path)
    try:
        return _desk(source, store, wishes)
    except BaseException:
        store.close()
        raise


def _desk(source: Source, store: Store, wishes: Wishes) -> tuple[Desk, list[str]]:
    there = store.subjects()
    _check_same_objects(source, there, store.url)
    if there and (wishes.lenses or wishes.others):
        raise InputError(
            f"--lenses and --others are for when grading begins, and it was begun in {shown_url(store.url)}: "
            "leave them out, or choose another --database"
        )
    settings, notes = _asked(wishes), list(source.notes)
    if not there:
        with writable(source.home, what="lenses and duds to be mixed in"):
            mixed, more = _mixed_in(source, settings, wishes)
        notes += more
    # what could not be begun binds nobody
    settings = {name: _setting(store, name, getattr(wishes, name)) for name in _DEFAULTS}
    if not there:
        store.add_subjects([*source.subjects, *mixed])
    elif new := store.add_subjects(source.subjects):
        notes.append(f"{new:,} objects are new since grading was begun")
    secret = store.setting("secret", None, option="") or store.setting("secret", secrets.token_hex(16), option="")
    rules = Rules(seed=settings["seed"], repeats=settings["repeats"], scale=wishes.scale, secret=secret)
    return Desk(store, _collections(source), survey=source.survey, rules=rules), notes


def _check_same_objects(source: Source, there: list[Subject], url: str) -> None:
    ids = {one.id for one in there}
    if there and not any(one.id in ids for one in source.subjects):
        raise InputError(
            f"{shown_url(url)} must hold grades of the same objects, got others, as {there[0].id!r}: "
            "choose another --database"
        )


def _asked(wishes: Wishes) -> dict[str, Any]:
    """What grading is begun with."""
    asked = {name: getattr(wishes, name) for name in _DEFAULTS}
    return {name: _DEFAULTS[name] if value is None else value for name, value in asked.items()}


def _setting(store: Store, name: str, asked):
    found = store.setting(name, asked, option=f"--{name}")
    return store.setting(name, _DEFAULTS[name], option=f"--{name}") if found is None else found


def _collections(source: Source) -> dict[str, Collection]:
    """Pixels of the objects, and of what was mixed in when grading began."""
    collections: dict[str, Collection] = {"objects": source.objects}
    given = sorted(path.name for path in given_folder(source.home).glob("*.fits"))
    collections["given"] = Cubes(given_folder(source.home), given, num_bands=len(source.survey.bands))
    return collections


def _side(source: Source) -> int:
    """Side of the cutouts, in pixels."""
    return min(source.objects.read(source.subjects[0].member).shape[:2])


def _mixed_in(source: Source, settings, wishes: Wishes) -> tuple[list[Subject], list[str]]:
    count, known = math.ceil(settings["planted"] * len(source.subjects)), []
    taken = {one.id for one in source.subjects}
    if wishes.lenses is not None:
        known = known_lenses(_opened(wishes.lenses, source), source.home, taken=taken)
    if not count:
        return known, [f"mixed in: {len(known)} known lenses and nothing else" if known else "nothing is mixed in"]
    planted, notes = plant(
        _galaxies(source, wishes), source.survey, source.home, lenses=count, duds=count, seed=settings["seed"],
        taken=taken, training=settings["training"], workers=wishes.workers,
    )  # fmt: skip
    return [*known, *planted], notes


def _galaxies(source: Source, wishes: Wishes) -> Galaxies:
    if wishes.others is None:
        return source.ordinary
    if source.ordinary.members:
        raise InputError(
            f"--others is for what has no ordinary objects of its own, and {source.home} has "
            f"{len(source.ordinary.members):,} of them: leave it out"
        )
    others = _opened(wishes.others, source)
    what, more = "the galaxies given with --others", "give more galaxies with --others"
    return Galaxies(others, {name: name for name in others.members}, what, more)


def _opened(path: Path, source: Source) -> Opened:
    return Opened(open_cutouts(path, survey=source.survey, size=_side(source), fit="both"))
