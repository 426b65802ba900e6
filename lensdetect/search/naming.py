"""What a file's name says: which tile, which band, which kind of image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lensdetect.survey import Survey

#: How file names end.
ENDINGS = (".fits", ".fit", ".fits.gz", ".fits.fz", ".fz")

#: Words for each kind of image.
_KIND_WORDS = {
    "sci": "sci", "science": "sci", "image": "sci", "coadd": "sci",
    "wei": "wei", "weight": "wei", "wht": "wei", "var": "var", "msk": "msk", "mask": "msk", "flag": "msk",
}  # fmt: skip
_WORD = re.compile(r"[^_\-. ]+")


@dataclass(frozen=True)
class Label:
    """What a name says.

    Parameters
    ----------
    tile : str
        The name without the words for band and kind.
    band : str
        Empty if it names none.
    kind : str
        sci, wei, var or msk; sci where nothing is said.
    """

    tile: str
    band: str
    kind: str


def read_name(path: Path, survey: Survey) -> Label:
    """Read the name of an image file.

    A name that fits the survey's ``tile_pattern`` is read by it, any other word
    by word: the last word that is the name of a band is the band.

    Parameters
    ----------
    path : Path
    survey : Survey

    Returns
    -------
    Label
    """
    stem = strip_ending(path.name)
    found = _pattern(survey).fullmatch(stem)
    if found:
        spans = [found.span("band"), found.span("kind")]
        return Label(_without(stem, spans), _band(found["band"], survey), found["kind"].lower())
    return read_words(stem, survey)


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
    words = list(_WORD.finditer(text))
    bands = [word for word in words if _band(word[0], survey)]
    kinds = [word for word in words if word[0].lower() in _KIND_WORDS]
    taken = bands[-1:] + kinds[-1:]
    return Label(
        _without(text, [word.span() for word in taken]),
        _band(bands[-1][0], survey) if bands else "",
        _KIND_WORDS[kinds[-1][0].lower()] if kinds else "sci",
    )


def strip_ending(name: str) -> str:
    """Name of a file without ``.fits`` and what follows."""
    return re.sub(r"(\.fits?)?(\.gz|\.fz)?$", "", name, flags=re.IGNORECASE)


def _band(word: str, survey: Survey) -> str:
    return next((band for band in survey.band_names if band.lower() == word.lower()), "")


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """A text without some words, and with one separator where each of them was."""
    for start, stop in sorted(spans, reverse=True):
        text = text[:start].rstrip("_-. ") + text[stop:]
    return text.strip("_-. ")


def _pattern(survey: Survey) -> re.Pattern:
    """Regular expression of the survey's names; ``{kind}`` and ``{band}`` may stand anywhere."""
    parts = re.split(r"(\{\w+(?::[^}]*)?\})", strip_ending(survey.tile_pattern))
    expression = ""
    for part in parts:
        field = re.match(r"\{(\w+)", part)
        match field[1] if field else None:
            case "band":
                expression += f"(?P<band>{'|'.join(map(re.escape, survey.band_names))})"
            case "kind":
                expression += "(?P<kind>sci|wei|msk)"
            case "ra" | "dec":
                expression += r"[-+]?\d+(?:\.\d+)?"
            case "survey":
                expression += re.escape(survey.name)
            case _:
                expression += re.escape(part)
    # a pattern without a band or a kind tells nothing that words do not
    return re.compile(expression if "?P<band>" in expression and "?P<kind>" in expression else r"(?!)", re.IGNORECASE)
