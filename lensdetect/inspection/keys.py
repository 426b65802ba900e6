"""By which keys the grading page knows its pictures, from which a table of what it kept is understood."""

from __future__ import annotations

import json
from pathlib import Path

from lensdetect.inspection.extra import grading_module
from lensdetect.inspection.order import showings_of
from lensdetect.inspection.store import Subject, opened_to_read, subject_rows


class PictureKeys:
    """Keys of all pictures of a grading, which are others for each grader.

    Parameters
    ----------
    where : path or str
        As ``database_url`` takes it. Nothing is written.

    Raises
    ------
    InputError
        If there is no store, or it cannot be read.
    """

    def __init__(self, where: Path | str):
        from lensdetect.inspection import schema

        sql = grading_module("sqlalchemy")
        with opened_to_read(where) as connection:
            self._facts = {row.name: row.value for row in connection.execute(sql.select(schema.facts))}
            self._subjects = [Subject(**row) for row in subject_rows(connection, schema)]
        self._of: dict[str, dict[str, tuple[str, bool]]] = {}

    def find(self, grader: str, key: str) -> tuple[str, bool] | None:
        """What a key stands for.

        Parameters
        ----------
        grader : str
            Name, as it is in the store.
        key : str

        Returns
        -------
        tuple of (str, bool) or None
            Id of the object, and whether it was shown for the second time; None
            where this grader was shown nothing of this key.
        """
        if "secret" not in self._facts:
            return None
        if grader not in self._of:
            seed, repeats, secret = (json.loads(self._facts[name]) for name in ("seed", "repeats", "secret"))
            shown = showings_of(self._subjects, grader, seed=seed, repeats=repeats, secret=secret)
            self._of[grader] = {one.key: (one.subject.id, one.number > 0) for one in shown}
        return self._of[grader].get(key)
