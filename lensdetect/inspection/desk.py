"""What a grader can do, without the web: get the work, see pictures, say what they are, learn how it went."""

from __future__ import annotations

import functools
import hashlib
import logging
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lensdetect.errors import InputError, one_line
from lensdetect.inspection.agreement import measure_agreement
from lensdetect.inspection.ledger import Entry, append, said_by
from lensdetect.inspection.log import read_log
from lensdetect.inspection.order import Showing, lessons_of, showings_of
from lensdetect.inspection.pictures import Collection, turned
from lensdetect.inspection.scale import GRADES, KINDS, steps
from lensdetect.inspection.standing import RECOGNISED
from lensdetect.inspection.store import Store
from lensdetect.inspection.tokens import Grader, finish
from lensdetect.pages import pack_cutout
from lensdetect.survey import Survey
from lensdetect.text import storable

logger = logging.getLogger(__name__)

#: Packed cutouts that are kept for who asks next.
_KEPT = 512
#: Letters of a note.
MOST_NOTE = 1000
#: Nobody looks at one picture for longer than a day.
_MOST_SECONDS = 86_400.0
#: What is told of a subject when its grader has finished.
_FIGURES = ("num_lenses", "recall", "recall_low", "recall_high", "num_duds", "false_alarms", "false_alarms_low",
            "false_alarms_high", "num_repeats", "repeated", "repeated_low", "repeated_high", "repeat_steps",
            "median_seconds")  # fmt: skip


class NoSuchPicture(Exception):
    """There is nothing by the key that was asked for, or it cannot be read."""


@dataclass(frozen=True)
class Rules:
    """How grading is done here.

    Parameters
    ----------
    seed : int
        Of the order in which a grader sees things.
    repeats : float
        Share that is shown to a grader twice.
    scale : str
        A name in ``scale.SCALES``.
    secret : str
        From which keys are made.
    """

    seed: int
    repeats: float
    scale: str
    secret: str


class Desk:
    """Where people grade.

    Parameters
    ----------
    store : Store
    collections : mapping of Collection
        Pixels, by the name that subjects know them by.
    survey : Survey
    rules : Rules
    """

    def __init__(self, store: Store, collections: Mapping[str, Collection], *, survey: Survey, rules: Rules):
        self.store, self.rules = store, rules
        self._collections, self._survey = dict(collections), survey
        self._subjects = store.subjects()
        self._lists: dict[str, tuple[list[Showing], list[Showing]]] = {}
        self._keys: dict[tuple[str, str], Showing] = {}
        self._lock = threading.Lock()
        self._packed = functools.lru_cache(maxsize=_KEPT)(self._pack)

    def _lists_of(self, grader: Grader) -> tuple[list[Showing], list[Showing]]:
        """What a grader shall grade, and what comes with its answer."""
        with self._lock:
            if grader.name not in self._lists:
                rules = self.rules
                shown = showings_of(
                    self._subjects, grader.name, seed=rules.seed, repeats=rules.repeats, secret=rules.secret
                )
                lessons = lessons_of(self._subjects, grader.name, seed=rules.seed, secret=rules.secret)
                self._keys.update({(grader.name, one.key): one for one in [*shown, *lessons]})
                self._lists[grader.name] = shown, lessons
            return self._lists[grader.name]

    def _showing(self, grader: Grader, key: str) -> Showing:
        self._lists_of(grader)
        found = self._keys.get((grader.name, key))
        if found is None:
            raise NoSuchPicture("there is no picture of this key")
        return found

    def work(self, grader: Grader) -> dict[str, Any]:
        """All that the page needs to begin, or to go on.

        Parameters
        ----------
        grader : Grader

        Returns
        -------
        dict
            As JSON has it.
        """
        shown, lessons = self._lists_of(grader)
        keys = {(one.subject.number, one.number): one.key for one in shown}
        said = [
            {"key": keys[one.subject, one.showing], "grade_id": one.grade_id, "grade": one.grade, "kind": one.kind,
             "note": one.note, "seconds": one.seconds}
            for one in said_by(self.store, grader.number) if (one.subject, one.showing) in keys
        ]  # fmt: skip
        survey = self._survey
        return {
            # what the browser keeps is of this search and nobody else's
            "grading": hashlib.sha256(f"page of {self.rules.secret}".encode()).hexdigest()[:16],
            "grader": grader.name,
            "finished": grader.finished_at is not None,
            "keys": [one.key for one in shown],
            "lessons": [one.key for one in lessons],
            "said": said,
            "scale": [step._asdict() for step in steps(self.rules.scale)],
            "kinds": list(KINDS),
            "bands": list(survey.band_names),
            "pixel_scale_arcsec": survey.pixel_scale_arcsec,
        }

    def picture(self, grader: Grader, key: str) -> bytes:
        """A cutout, packed.

        Parameters
        ----------
        grader : Grader
        key : str

        Returns
        -------
        bytes
            As ``pages.pack_cutout`` makes them.

        Raises
        ------
        NoSuchPicture
            If there is none, or its file cannot be read.
        """
        showing = self._showing(grader, key)
        subject = showing.subject
        try:
            return self._packed(subject.collection, subject.member, showing.turn)
        except (InputError, OSError, KeyError) as error:
            # the grader learns no path of this machine
            logger.warning("the cutout of %s cannot be read: %s", subject.id, one_line(error))
            raise NoSuchPicture("its cutout cannot be read: skip it, and tell who runs this server") from error

    def _pack(self, collection: str, member: str, turn: int) -> bytes:
        return pack_cutout(turned(self._collections[collection].read(member), turn))

    def take(self, grader: Grader, items: Sequence[Any]) -> dict[str, Any]:
        """Put into the log what a grader sends.

        Parameters
        ----------
        grader : Grader
        items : sequence
            As the page makes them; each is checked.

        Returns
        -------
        dict
            ``kept``, a list of ``grade_id``; ``refused``, the others with the reason.

        Raises
        ------
        InputError
            If the log cannot be written to.
        """
        entries, refused = [], {}
        for item in items:
            try:
                entries.append(self._entry(grader, item))
            except (NoSuchPicture, ValueError, TypeError) as error:
                name = item.get("grade_id") if isinstance(item, dict) else None
                refused[storable(str(name))[:64]] = one_line(error)
        outcome = append(self.store, grader.number, entries)
        return {"kept": outcome.kept, "refused": {**refused, **outcome.refused}}

    def _entry(self, grader: Grader, item: Any) -> Entry:
        if not isinstance(item, dict):
            raise TypeError("a grade must be an object with names and values")
        showing = self._showing(grader, str(item.get("key")))
        if showing.subject.training:
            raise ValueError("what is shown with its answer gets no grade")
        undoes, grade, kind = item.get("undoes"), item.get("grade"), item.get("kind", "")
        is_grade = grade in GRADES and not isinstance(grade, bool)
        if (undoes is None) == (grade is None) or not (grade is None or is_grade):
            raise ValueError(
                f"grade must be one of {', '.join(f'{one:g}' for one in GRADES)}, or undoes say which goes"
            )
        if kind not in ("", *KINDS):
            raise ValueError(f"kind must be empty or one of {', '.join(KINDS)}")
        return Entry(
            grade_id=str(UUID(str(item.get("grade_id")))),
            subject=showing.subject.number,
            showing=showing.number,
            grade=None if grade is None else float(grade),
            undoes=None if undoes is None else str(UUID(str(undoes))),
            kind=kind,
            note=_plain(item.get("note", "")),
            seconds=_seconds(item.get("seconds", 0.0)),
            graded_at=_moment(item.get("graded_at")),
        )

    def lesson(self, grader: Grader, key: str) -> dict[str, Any]:
        """The answer to what is shown for training.

        Parameters
        ----------
        grader : Grader
        key : str

        Returns
        -------
        dict
            ``is_lens``, and ``einstein_radius_arcsec`` of a lens.

        Raises
        ------
        NoSuchPicture
            If it is not shown for training: of nothing else is the answer told.
        """
        subject = self._showing(grader, key).subject
        if not subject.training:
            raise NoSuchPicture("there is no lesson of this key")
        return {"is_lens": subject.truth == 1.0, "einstein_radius_arcsec": subject.about.get("einstein_radius_arcsec")}

    def finish(self, grader: Grader) -> None:
        """End the grading of somebody, who gets the results then.

        Parameters
        ----------
        grader : Grader
        """
        finish(self.store, grader)

    def results(self, grader: Grader) -> dict[str, Any]:
        """How it went, for who has finished.

        Parameters
        ----------
        grader : Grader

        Returns
        -------
        dict
            ``graded``; ``figures`` of ``measure_agreement`` on this grader's own grades;
            ``answers``: what was mixed in, is known or was recognised, with the grade it got.

        Raises
        ------
        InputError
            If this grader has not finished.
        """
        if grader.finished_at is None:
            raise InputError("results must wait until you have finished: until then you grade without knowing")
        log = read_log(self.store.url)
        log = log[log["grader"] == grader.name]
        own = measure_agreement(log).graders.to_dict("records") if len(log) else [{}]
        figures = {name: _number(own[0].get(name)) for name in _FIGURES}
        last = {(one.subject, one.showing): one.grade for one in said_by(self.store, grader.number)}
        answers = [
            {"key": one.key, "id": one.subject.id, "planted": one.subject.planted, "grade": grade,
             "about": dict(one.subject.about)}
            for one in self._lists_of(grader)[0]
            if one.number == 0 and (grade := last.get((one.subject.number, 0))) is not None
            and (one.subject.planted or grade >= RECOGNISED)
        ]  # fmt: skip
        return {"graded": len(last), "recognised": RECOGNISED, "figures": figures, "answers": answers}


def _plain(text: Any) -> str:
    """A note as every database can keep it."""
    if not isinstance(text, str) or len(text) > MOST_NOTE:
        raise ValueError(f"note must be a text of at most {MOST_NOTE} letters")
    return storable(text.replace("\0", ""))


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= _MOST_SECONDS:
        raise ValueError(f"seconds must be from 0 to {_MOST_SECONDS:g}")
    return float(value)


def _moment(text: Any) -> str:
    """A moment in UTC, in the form of the log."""
    if text is None:
        return ""
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("graded_at must say its time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
