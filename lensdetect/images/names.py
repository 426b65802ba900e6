"""What a file's name says: which tile or object, which band, which kind of image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lensdetect.images.kinds import is_never_sky, kind_of, words_of
from lensdetect.survey import FilePattern, Survey

#: How file names end.
ENDINGS = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fits.fz", ".fz")

#: Names of filters that surveys have; one that a survey's row has not is another band, and no part of a name.
FILTERS = ("u", "g", "r", "i", "z", "y", "i1", "i2", "Z", "Y", "J", "H", "K", "Ks", "VIS")

#: What may stand in the name of a folder beside a band or a kind, and its survey: ``band_g``, ``r_images``.
_OF_FOLDERS = {"", "band", "filter", "images", "cutouts", "stamps", "fits"}

#: Folders above a file that are read, at most.
_MOST_FOLDERS = 3

#: Fields of a pattern that tell one tile from another, as expressions; x and y are numbers, however written.
_IDENTITY = {"tile": r"[^/]+?", "tract": r"\d+", "patch": r"\d+(?:(?:,|%2C)\d+)?", "x": r"\d+", "y": r"\d+"}


@dataclass(frozen=True)
class Label:
    """What a name says.

    Parameters
    ----------
    tile : str
        The name without the words for band and kind, or what the survey's pattern
        says that tiles are told apart by.
    band : str
        Empty if it names none.
    kind : str
        One of ``KINDS``; empty if nothing is said.
    aside : str
        Why such an image is of no use here, whatever is in it: it is a model, a
        PSF, or of a band that the survey's row has not. Empty if it is of use.
    zero_point_mag : float or None
        That the survey states for files of such names.
    """

    tile: str
    band: str
    kind: str
    aside: str = ""
    zero_point_mag: float | None = None


def read_name(path: Path, survey: Survey) -> Label:
    """Read the name of an image file.

    A name that fits one of the survey's patterns is read by it, any other word by
    word: the last word that is the name of a band is the band.

    Parameters
    ----------
    path : Path
    survey : Survey

    Returns
    -------
    Label
    """
    stem = strip_ending(path.name)
    for pattern, expression in _expressions(survey):
        found = expression.fullmatch(stem)
        if found:
            return _by_pattern(stem, found, pattern, survey)
    return read_words(stem, survey)


def read_path(path: Path, survey: Survey) -> tuple[Label, Path]:
    """Read the name of a file, and those of its folders for what it does not say: ``r/science/object.fits``.

    Parameters
    ----------
    path : Path
    survey : Survey

    Returns
    -------
    label : Label
    folder : Path
        The first that says nothing or something else. By it objects are told
        apart whose files are called alike, or by nothing but band and kind.
    """
    label, folder = read_name(path, survey), path.parent
    band, kind, aside = label.band, label.kind, label.aside
    for _ in range(_MOST_FOLDERS):
        said = _read_folder(folder.name or folder.resolve().name, survey)
        other = said.aside.startswith("band ") and band
        if not (said.band or said.kind or said.aside) or other or (said.band and band not in {"", said.band}):
            break
        band, kind, aside = band or said.band, kind or said.kind, aside or said.aside
        folder = folder.parent
    return Label(label.tile, band, kind, aside, label.zero_point_mag), folder


@lru_cache(maxsize=1024)
def _read_folder(name: str, survey: Survey) -> Label:
    """What a folder is called after, if that is no more than band and kind."""
    said = read_words(name, survey)
    known = said.tile.lower() in _OF_FOLDERS | {survey.name.partition("_")[0]}
    return said if known else Label("", "", "")


def read_words(text: str, survey: Survey) -> Label:
    """Read a text word by word, as the name of a file or of an extension in it.

    Parameters
    ----------
    text : str
    survey : Survey

    Returns
    -------
    Label
    """
    words = words_of(text)
    never = [word for word in words if is_never_sky(word[0])]
    kinds = [word for word in words if kind_of(word[0])]
    bands = [word for word in words if band_of(word[0], survey)]
    others = [] if bands else [word for word in words if word[0] in FILTERS]
    taken = [word.span() for word in bands[-1:] + kinds[-1:] + others[-1:]]
    # of PSF11406730 the number is the name
    taken += [(word.start(), word.start() + 3 if word[0][3:].isdigit() else word.end()) for word in never]
    return Label(
        _without(text, taken),
        band_of(bands[-1][0], survey) if bands else "",
        kind_of(kinds[-1][0]) if kinds else "",
        _aside(never[0][0] if never else "", others[-1][0] if others else "", survey),
    )


def band_of(word: str, survey: Survey) -> str:
    """Band of a survey that a word names, in any case or as the survey's files call it.

    Parameters
    ----------
    word : str
    survey : Survey

    Returns
    -------
    str
        Empty if it names none.
    """
    return _bands(survey).get(word.lower(), "")


@lru_cache(maxsize=64)
def _bands(survey: Survey) -> dict[str, str]:
    words = {word.lower(): band for word, band in survey.files.band_words if band in survey.band_names}
    return words | {band.lower(): band for band in survey.band_names}


def strip_ending(name: str) -> str:
    """Name of a file without ``.fits`` and what follows."""
    return re.sub(r"(\.(fits?|fts))?(\.gz|\.fz)?$", "", name, flags=re.IGNORECASE)


def _aside(never: str, other: str, survey: Survey) -> str:
    if never:
        return f"{'psf' if never.lower().startswith('psf') else never.lower()}: no image of the sky"
    return f"band {other}: none of {', '.join(survey.band_names)}" if other else ""


def _by_pattern(stem: str, found: re.Match, pattern: FilePattern, survey: Survey) -> Label:
    groups = found.groupdict()
    band, kind = groups.get("band") or pattern.band, groups.get("kind") or pattern.kind
    known = kind_of(kind or "")
    never = kind if kind and not known else ""
    if not kind:
        # what a pattern leaves open may say more
        rest = read_words(_without(stem, [found.span("band")] if groups.get("band") else []), survey)
        known, never = rest.kind, "" if rest.aside.startswith("band") else rest.aside.partition(":")[0]
    other = band if band and not band_of(band, survey) else ""
    identity = [str(int(value)) if name in "xy" else value for name, value in groups.items() if name in _IDENTITY]
    spans = [found.span(name) for name in ("band", "kind") if groups.get(name)]
    tile = "_".join(identity) or _without(stem, spans)
    return Label(tile, band_of(band or "", survey), known, _aside(never, other, survey), pattern.zero_point_mag)


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """A text without some words, and with one separator where each of them was."""
    for start, stop in sorted(set(spans), reverse=True):
        text = text[:start].rstrip("_-. ") + text[stop:]
    return text.strip("_-. ")


@lru_cache(maxsize=64)
def _expressions(survey: Survey) -> list[tuple[FilePattern, re.Pattern]]:
    own = FilePattern(survey.tile_pattern)
    # a pattern of its own without a band or a kind tells nothing that words do not
    patterns = [own] if "{band}" in own.pattern and "{kind}" in own.pattern else []
    return [(pattern, _expression(pattern.pattern, survey)) for pattern in (*patterns, *survey.files.patterns)]


def _expression(pattern: str, survey: Survey) -> re.Pattern:
    """Regular expression of a pattern; what does not tell tiles apart is ``{*}``."""
    expression = ""
    for part in re.split(r"(\{[\w*]+(?::[^}]*)?\})", strip_ending(pattern)):
        field = re.match(r"\{([\w*]+)", part)
        expression += _field(field[1], survey) if field else re.escape(part)
    return re.compile(expression, re.IGNORECASE)


def _field(name: str, survey: Survey) -> str:
    if name == "band":
        words = {*survey.band_names, *FILTERS, *(word for word, _ in survey.files.band_words)}
        return f"(?P<band>{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})"
    if name in _IDENTITY:
        return f"(?P<{name}>{_IDENTITY[name]})"
    simple = {"kind": r"(?P<kind>[a-z]+\d*)", "ra": r"[-+]?\d+(?:\.\d+)?", "survey": re.escape(survey.name), "*": ".*?"}
    return simple.get(name, simple["ra"])
