"""In what order a grader sees what: shuffled by a seed, some of it twice, under names that tell nothing."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple

from lensdetect.inspection.pictures import NUM_TURNS
from lensdetect.inspection.store import Subject

#: What is shown again comes no sooner than after this share of all.
_APART = 0.25


class Showing(NamedTuple):
    """One picture as a grader gets it.

    Parameters
    ----------
    key : str
        By which the page asks for it: another one for each grader, and for what is shown again.
    subject : Subject
    number : int
        0, or 1 where it is shown again.
    turn : int
        As ``pictures.turned`` takes it.
    """

    key: str
    subject: Subject
    number: int
    turn: int


def showings_of(subjects: Sequence[Subject], grader: str, *, seed: int, repeats: float, secret: str) -> list[Showing]:
    """All that a grader shall see, in order.

    What is added to the subjects later takes its place in the order and changes
    nobody else's, so that grading goes on where it was.

    Parameters
    ----------
    subjects : sequence of Subject
        Those for training are left out.
    grader : str
        Name.
    seed : int
        Of the order.
    repeats : float
        Share that is shown twice.
    secret : str
        Keeps keys from being worked out.

    Returns
    -------
    list of Showing
    """
    shown = [one for one in subjects if not one.training]
    placed = []
    for subject in shown:
        place = _share(seed, grader, "place", subject.id)
        placed.append((place, _showing(subject, grader, number=0, secret=secret)))
        # who comes late has no room behind to be shown again, so twice the share of the early half is
        if place < 0.5 and _share(seed, grader, "again", subject.id) < 2.0 * repeats:
            later = place + _APART + (1.0 - place - _APART) * _share(seed, grader, "later", subject.id)
            placed.append((later, _showing(subject, grader, number=1, secret=secret)))
    return [showing for _, showing in sorted(placed, key=lambda one: (one[0], one[1].key))]


def lessons_of(subjects: Sequence[Subject], grader: str, *, seed: int, secret: str) -> list[Showing]:
    """What a grader sees with its answer, in order.

    Parameters
    ----------
    subjects, grader, seed, secret
        As ``showings_of`` takes them; only those for training are used.

    Returns
    -------
    list of Showing
    """
    shown = sorted((one for one in subjects if one.training), key=lambda one: _share(seed, grader, "training", one.id))
    return [_showing(one, grader, number=0, secret=secret) for one in shown]


def _showing(subject: Subject, grader: str, *, number: int, secret: str) -> Showing:
    digest = hmac.new(secret.encode(), repr((grader, subject.id, number)).encode(), hashlib.sha256)
    # the second time it looks different
    turn = (subject.turn + number * (1 + digest.digest()[-1] % (NUM_TURNS - 1))) % NUM_TURNS
    return Showing(digest.hexdigest()[:20], subject, number, turn)


def _share(*what) -> float:
    """A number from 0 to 1 that follows from what is given, and looks like chance."""
    return int.from_bytes(hashlib.sha256(repr(what).encode()).digest()[:8], "big") / 2.0**64
