"""What is mixed in, so that it is known how well people grade: lenses and duds.

Lenses are simulated ones, painted onto galaxies of the survey itself. Duds are such
galaxies as they are. Both are turned or mirrored, so that nobody sees the same
picture twice. The galaxies are ordinary ones: a search draws them at random among
all that it scored and did not list, and who grades without a search gives them.
The pixels of all that is mixed in are kept beside the grades.
"""

from __future__ import annotations

import hashlib
import io
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from lensdetect.data import open_cutouts
from lensdetect.errors import InputError, one_line
from lensdetect.inspection.pictures import NUM_TURNS, Collection, Opened
from lensdetect.inspection.store import Subject
from lensdetect.runs import key_of, write_whole
from lensdetect.survey import Survey

#: Galaxies that are painted for each lens that is wanted: on some no arc can be seen.
_PAINTED_FOR_ONE = 1.5
_FOLDER, _KEPT = "grading", "given"


@dataclass(frozen=True)
class Galaxies:
    """Galaxies that are taken for no lenses.

    Parameters
    ----------
    collection : Collection
    members : mapping of str
        Member by id, in the order in which they are used.
    what : str
        What they are, or why there are none, in words.
    more : str
        How to get more of them.
    """

    collection: Collection
    members: Mapping[str, str]
    what: str
    more: str


def plant(
    galaxies: Galaxies,
    survey: Survey,
    home: Path,
    *,
    lenses: int,
    duds: int,
    seed: int,
    taken: set[str],
    training: int = 0,
    workers: int = 1,
) -> tuple[list[Subject], list[str]]:
    """Make lenses and duds.

    Parameters
    ----------
    galaxies : Galaxies
    survey : Survey
    home : Path
        What is mixed in is kept in its folder ``grading``.
    lenses, duds : int
        How many are wanted.
    seed : int
    taken : set of str
        Ids that nothing may have.
    training : int
        How many more of each, to be shown with their answers.
    workers : int
        Processes that paint.

    Returns
    -------
    subjects : list of Subject
        Fewer where there are not galaxies enough.
    notes : list of str
        What was used, and what there was too little of.
    """
    if not galaxies.members:
        return [], [f"no lenses and duds are mixed in: {galaxies.what}: {galaxies.more}"]
    num_lenses, num_duds = lenses + training * bool(lenses), duds + training * bool(duds)
    # what is painted on and what is a dud are different galaxies
    chosen = list(galaxies.members)[: math.ceil(_PAINTED_FOR_ONE * num_lenses) + num_duds]
    np.random.default_rng([seed, len(chosen)]).shuffle(chosen)
    found = _duds(galaxies, chosen[:num_duds], home, seed=seed)
    painted = _painted(galaxies, chosen[num_duds:], survey, home, seed=seed, workers=workers)[:num_lenses]
    notes = [f"mixed in: {len(painted)} simulated lenses painted onto, and {len(found)} duds of, {galaxies.what}"]
    if len(painted) < num_lenses or len(found) < num_duds:
        notes.append(f"wanted were {num_lenses} lenses and {num_duds} duds: {galaxies.more}")
    parts = (painted, found)
    subjects = [replace(one, training=number < training) for part in parts for number, one in enumerate(part)]
    return [_named_apart(one, taken) for one in subjects], notes


def _duds(galaxies: Galaxies, names: Sequence[str], home: Path, *, seed: int) -> list[Subject]:
    found = []
    for name in names:
        member = keep(galaxies.collection, galaxies.members[name], home, kind="dud")
        about, turn = {"galaxy": name}, turn_of(seed, name)
        found.append(Subject(f"{name}+dud", "given", member, "dud", truth=0.0, turn=turn, about=about))
    return found


def known_lenses(lenses: Collection, home: Path, *, taken: set[str]) -> list[Subject]:
    """Lenses that are known, to be mixed in.

    Parameters
    ----------
    lenses : Collection
    home : Path
        Their pixels are kept in its folder ``grading``.
    taken : set of str
        Ids that nothing may have; gets those of the lenses.

    Returns
    -------
    list of Subject
    """
    found = [
        Subject(
            f"{name}+known", "given", keep(lenses, name, home, kind="known"), "known", truth=1.0,
            about={"known_lens": name},
        )
        for name in lenses.members
    ]  # fmt: skip
    return [_named_apart(one, taken) for one in found]


def keep(collection: Collection, member: str, home: Path, *, kind: str) -> str:
    """Keep the pixels of something that is given when grading begins.

    Parameters
    ----------
    collection : Collection
    member : str
    home : Path
    kind : str
        How the names of such files begin.

    Returns
    -------
    str
        Name of its file in ``given_folder``.
    """
    folder = given_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.ascontiguousarray(collection.read(member))
    name = f"{kind}-{hashlib.sha256(pixels.tobytes()).hexdigest()[:20]}.fits"
    write_whole(folder / name, _cube_writer(pixels), durable=False)
    return name


def given_folder(home: Path) -> Path:
    """Where cutouts are kept that were given when grading began."""
    return home / _FOLDER / _KEPT


def _painted(
    galaxies: Galaxies, names: Sequence[str], survey: Survey, home: Path, *, seed: int, workers: int
) -> list[Subject]:
    """Lenses on some galaxies, those of them that can be seen."""
    if not names:
        return []
    bases = [np.ascontiguousarray(galaxies.collection.read(galaxies.members[name])) for name in names]
    size = min(bases[0].shape[:2])
    # of these galaxies and no others: what was interrupted goes on, and another store paints its own
    digests = [hashlib.sha256(pixels.tobytes()).hexdigest() for pixels in bases]
    work = home / _FOLDER / f"painting-{key_of(seed, digests)[:16]}"
    _write_bases(bases, work / "galaxies")
    # loads the simulation, which a server that has its lenses does not need
    from lensdetect.simulation.painting import paint

    try:
        folder = paint(
            survey, work / "galaxies", None, work / "painted", seed=seed, lens_fraction=1.0, size=size,
            plane_bands=survey.band_names, workers=workers,
        )  # fmt: skip
    except InputError as error:
        raise InputError(f"no lenses can be mixed in: {one_line(error)}; or grade without them: --planted 0") from error
    truth = pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))], ignore_index=True)
    images, found = Opened(open_cutouts(folder, survey=survey, size=size)), []
    for row in truth[truth["is_lens"]].itertuples():
        name = names[int(row.id)]
        about = {"galaxy": name, "einstein_radius_arcsec": round(float(row.einstein_radius_arcsec), 3)}
        member = keep(images, row.id, home, kind="lens")
        found.append(Subject(f"{name}+lens", "given", member, "lens", truth=1.0, turn=turn_of(seed, name), about=about))
    shutil.rmtree(work)
    return found


def _write_bases(bases: Sequence[np.ndarray], folder: Path) -> None:
    """Write the galaxies to be painted on under names of our own, as words in others' would be taken for bands."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(bases):
        write_whole(folder / f"{number:05d}.fits", _cube_writer(pixels), durable=False)


def _cube_writer(pixels: np.ndarray) -> Callable:
    planes = np.ascontiguousarray(np.moveaxis(pixels, -1, 0), np.float32)
    buffer = io.BytesIO()
    fits.PrimaryHDU(planes).writeto(buffer)
    return lambda file: file.write(buffer.getvalue())


def turn_of(seed: int, name: str) -> int:
    """How something mixed in is turned: never as it was."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return 1 + digest[0] % (NUM_TURNS - 1)


def _named_apart(subject: Subject, taken: set[str]) -> Subject:
    name = subject.id
    while name in taken:
        name += "+"
    taken.add(name)
    return replace(subject, id=name)
