"""The scale of grades: what each means, written as it stands on the page."""

from __future__ import annotations

from typing import NamedTuple

from lensdetect.errors import unknown_name


class Step(NamedTuple):
    """One grade.

    Parameters
    ----------
    grade : float
        As it is kept.
    label : str
        As it is shown.
    name : str
    rule : str
        When to give it.
    """

    grade: float
    label: str
    name: str
    rule: str


#: Grades of the published search (Thuruthipilly+ 2022, arXiv 2212.12915, and the talk to it); the rules in our words.
_RULES = (
    (5.0, "sure", "A lens without doubt: arcs or several images, and a galaxy that bends their light."),
    (3.0, "maybe", "Most likely a lens, but something else could look like this."),
    (1.0, "interesting", "Something about it is like a lens; a deeper or sharper image would have to tell."),
    (0.0, "no", "No lens: say what it is instead, if you can tell."),
)

#: Name of a scale -> its labels, from the highest grade down. The letters are those of catalogues of lenses.
SCALES = {"5310": ("5", "3", "1", "0"), "ABCX": ("A", "B", "C", "X")}

#: What it may be instead.
KINDS = ("spiral", "ring", "merger", "edge-on", "star", "artefact", "group")
#: All grades, from the highest one down.
GRADES = tuple(grade for grade, _, _ in _RULES)


def steps(scale: str) -> list[Step]:
    """A scale, from the highest grade down.

    Parameters
    ----------
    scale : str
        A name in ``SCALES``.

    Returns
    -------
    list of Step

    Raises
    ------
    InputError
        If there is no such scale.
    """
    if scale not in SCALES:
        raise unknown_name("scale", scale, SCALES)
    labels = zip(_RULES, SCALES[scale], strict=True)
    return [Step(grade, label, name, rule) for (grade, name, rule), label in labels]
