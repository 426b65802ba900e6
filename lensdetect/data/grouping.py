"""Which FITS files are which object: one file an object, or one a band."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lensdetect.errors import InputError
from lensdetect.images.headers import read_headers
from lensdetect.images.kinds import kind_of
from lensdetect.images.names import Label, read_path, strip_ending
from lensdetect.survey import Survey

#: Stacks are few files; of more no header is read to find them.
_MOST_STACKS = 20


@dataclass
class FitsObject:
    """Files of one object.

    Parameters
    ----------
    id : str
    files : dict
        Path by (band, kind); the band is empty for a file that holds all of them.
    problem : str
        Why it cannot be used; empty if it can.
    member : int or None
        Number along the first axis of its files, if they are stacks of objects.
    """

    id: str
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    problem: str = ""
    member: int | None = None

    @property
    def path(self) -> str:
        """Its first image."""
        return next((path for (_, kind), path in self.files.items() if kind == "sci"), next(iter(self.files.values())))


def group_files(
    files: list[Path], survey: Survey, bands: tuple[str, ...]
) -> tuple[list[FitsObject], list[tuple[str, str]]]:
    """Put the files of each object together.

    A name, or else the folder, tells band and kind; what remains of it is the
    object, the same in all its bands. A file whose name tells no band is an object
    of its own.

    Parameters
    ----------
    files : list of Path
    survey : Survey
    bands : tuple of str
        That are asked for.

    Returns
    -------
    objects : list of FitsObject
        In the order of their first files.
    aside : list of (str, str)
        Files of no use, each with the reason.
    """
    objects: dict[tuple, FitsObject] = {}
    aside: list[tuple[str, str]] = []
    for file in files:
        label, folder = read_path(file, survey)
        if label.aside:
            aside.append((str(file), label.aside))
        elif label.band and label.band not in bands:
            aside.append((str(file), f"band {label.band}: not asked for"))
        else:
            _add(objects, file, label, folder)
    found = [each for one in objects.values() for each in _settle(one, survey, bands, few=len(objects) <= _MOST_STACKS)]
    alone = [one for one in found if not any(kind == "sci" for _, kind in one.files)]
    aside += [(path, f"{kind}: without an image") for one in alone for (_, kind), path in one.files.items()]
    return _named_apart([one for one in found if one not in alone], objects), aside


def _add(objects: dict[tuple, FitsObject], file: Path, label: Label, folder: Path) -> None:
    key = (label.band, label.kind or "sci")
    name = label.tile or folder.resolve().name
    if not label.band and key[1] == "sci":
        # whatever its words mean, they are its name
        name = strip_ending(file.name)
    one = objects.setdefault((folder, name), FitsObject(name))
    if key in one.files:
        what = " ".join(filter(None, key))
        one.problem = one.problem or f"{what} of {name} is in {one.files[key]} and in {file}: leave one of the two"
    else:
        one.files[key] = str(file)


def _settle(one: FitsObject, survey: Survey, bands: tuple[str, ...], *, few: bool) -> list[FitsObject]:
    """An object, or the objects that its files are stacks of."""
    images = {band: path for (band, kind), path in one.files.items() if kind == "sci" and band}
    alone = len(images) == 1 and len(bands) > 1
    if not images or not (few or alone):
        return [one]
    path = next(iter(images.values()))
    try:
        planes = read_headers(path).planes
    except InputError:
        return [one]
    if len(planes) > 1 and all(plane.plane is not None for plane in planes):
        if alone and len(planes) == len(bands):
            # a cube of all bands, in whose name a word is that of a band
            return [FitsObject(strip_ending(Path(path).name), {("", "sci"): path})]
        return [
            FitsObject(f"{one.id}-{plane.plane}", one.files, one.problem, plane.plane)
            for plane in planes
            if plane.unit == planes[0].unit
        ]
    named = {word for plane in planes for word in (plane.extension,) if kind_of(word)}
    if alone and len(planes) >= len(bands) and not named:
        return [FitsObject(strip_ending(Path(path).name), {("", "sci"): path})]
    return [one]


def _named_apart(found: list[FitsObject], objects: dict[tuple, FitsObject]) -> list[FitsObject]:
    """Names with their folder where files in several folders are called alike."""
    names = [name for _, name in objects]
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    for (folder, name), one in objects.items():
        if name in twice:
            one.id = f"{folder.name}/{name}"
    return found
