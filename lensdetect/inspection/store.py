"""The store: what is graded, and what it was begun with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lensdetect.errors import InputError
from lensdetect.inspection.database import database_url, open_engine, shown_url, storing
from lensdetect.inspection.extra import grading_module

#: Rows that one statement brings.
_ROWS = 500


@dataclass(frozen=True)
class Subject:
    """One thing that is graded.

    Parameters
    ----------
    id : str
        Of the object; one that is mixed in has an id of its own.
    collection : str
        Which images it is among: "objects", or "given" where it was mixed in.
    member : str
        Its name there.
    planted : str
        "" for what nobody knows, "lens", "dud" or "known" for what is mixed in or known.
    truth : float or None
        1 for a lens, 0 for none, None where nobody knows.
    training : bool
        Whether it is shown with its answer, and only then.
    turn : int
        How it is turned, from 0 (as it is) to 7: quarter turns, and 4 more if mirrored.
    about : dict
        What is told of it when a grader is done, in plain values.
    number : int or None
        Its row in the store; None before it is there.
    """

    id: str
    collection: str
    member: str
    planted: str = ""
    truth: float | None = None
    training: bool = False
    turn: int = 0
    about: Mapping[str, Any] = field(default_factory=dict)
    number: int | None = None


def utc_now() -> str:
    """Tell the time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Store:
    """Grades of one search, and all that they refer to.

    Parameters
    ----------
    where : path or str
        As ``database_url`` takes it.
    create : bool
        Whether to make one where there is none.

    Attributes
    ----------
    url : str
        Of its database.

    Raises
    ------
    InputError
        If there is none and none may be made, it holds something else or is of
        another schema, or cannot be read and written.
    """

    def __init__(self, where: Path | str, *, create: bool = True):
        from lensdetect.inspection import schema

        self.url = database_url(where)
        self._schema, self._sql = schema, grading_module("sqlalchemy")
        if not create:
            need_store(self.url)
        self._engine = open_engine(self.url)
        self._writer = self._engine.execution_options(writes=True)
        try:
            with self.writing() as connection:
                self._begin_or_check(connection)
        except BaseException:
            self.close()
            raise

    def _begin_or_check(self, connection) -> None:
        there = set(self._sql.inspect(connection).get_table_names())
        if "facts" in there:
            check_schema(connection, self._schema, url=self.url)
            self._touch(connection)
            return
        if taken := sorted(there & set(self._schema.metadata.tables)):
            raise InputError(
                f"{shown_url(self.url)} must be empty or hold grades, got a table {taken[0]}: choose another database"
            )
        self._schema.metadata.create_all(connection)
        values = {"kind": self._schema.KIND, "schema": str(self._schema.SCHEMA_VERSION), "begun_at": utc_now()}
        connection.execute(self._schema.facts.insert(), [{"name": n, "value": v} for n, v in values.items()])

    def _touch(self, connection) -> None:
        """Write what is there already: on a disk that is read-only SQLite begins a transaction and fails in it only."""
        facts = self._schema.facts
        connection.execute(facts.update().where(facts.c.name == "kind").values(value=self._schema.KIND))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        """The store itself."""
        return self

    def __exit__(self, *_) -> None:
        """Let go of the database."""
        self.close()

    @contextmanager
    def reading(self) -> Iterator:
        """A connection to read with; see ``storing`` for what it raises."""
        with storing(self.url), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator:
        """A connection to write with: all of the block is kept, and on the disk when it ends, or nothing is."""
        with storing(self.url), self._writer.begin() as connection:
            yield connection

    def setting(self, name: str, value: Any, *, option: str) -> Any:
        """Something that grading was begun with: kept the first time, the same ever after.

        Parameters
        ----------
        name : str
        value : object or None
            What is asked for, in plain values; None asks for what is there.
        option : str
            Of the command line, for the message.

        Returns
        -------
        object
            What holds, or None if nothing was ever asked for.

        Raises
        ------
        InputError
            If something else holds.
        """
        facts = self._schema.facts
        with self.writing() as connection:
            row = connection.execute(self._sql.select(facts.c.value).where(facts.c.name == name)).first()
            if row is None and value is not None:
                connection.execute(facts.insert(), {"name": name, "value": json.dumps(value)})
                return value
        found = None if row is None else json.loads(row.value)
        if value is not None and found != value:
            raise InputError(
                f"{option} must stay {found}, with which grading was begun in {shown_url(self.url)}, got {value}: "
                "leave it out, or choose another --database"
            )
        return found

    def add_subjects(self, found: Iterable[Subject]) -> int:
        """Add what is not there yet, by its id.

        Parameters
        ----------
        found : iterable of Subject

        Returns
        -------
        int
            How many are new.
        """
        table = self._schema.subjects
        with self.writing() as connection:
            there = set(connection.scalars(self._sql.select(table.c.id)))
            new = [_row(one) for one in found if one.id not in there]
            for start in range(0, len(new), _ROWS):
                connection.execute(table.insert(), new[start : start + _ROWS])
        return len(new)

    def subjects(self) -> list[Subject]:
        """All that is graded, in the order in which it came."""
        with self.reading() as connection:
            return [Subject(**row) for row in subject_rows(connection, self._schema)]


def subject_rows(connection, schema) -> list[dict[str, Any]]:
    """All that is graded, in the order in which it came: the fields of ``Subject``.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    schema : module
        The tables.

    Returns
    -------
    list of dict
    """
    table = schema.subjects
    rows = connection.execute(grading_module("sqlalchemy").select(table).order_by(table.c.number)).mappings().all()
    return [{**row, "about": json.loads(row["about"])} for row in rows]


def _row(subject: Subject) -> dict[str, Any]:
    row = asdict(subject)
    del row["number"]
    return {**row, "about": json.dumps(dict(subject.about))}


def need_store(url: str) -> None:
    """Check that a file of SQLite is there, which opening it would make.

    Parameters
    ----------
    url : str

    Raises
    ------
    InputError
        If there is none.
    """
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).is_file():
        raise InputError(f"there must be grades in {path}, got no such file: begin with lensdetect grade")


@contextmanager
def opened_to_read(where: Path | str) -> Iterator[Any]:
    """A database of grades, of which nothing is written.

    Parameters
    ----------
    where : path or str
        As ``database_url`` takes it.

    Yields
    ------
    sqlalchemy.Connection

    Raises
    ------
    InputError
        If there are no grades, they are of another schema, or cannot be read.
    """
    from lensdetect.inspection import schema

    url = database_url(where)
    need_store(url)
    engine = open_engine(url, write=False)
    try:
        with storing(url), engine.begin() as connection:
            check_schema(connection, schema, url=url)
            yield connection
    finally:
        engine.dispose()


def check_schema(connection, schema, *, url: str) -> None:
    """Check that a database holds grades as this version keeps them.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    schema : module
        ``lensdetect.inspection.schema``.
    url : str
        For the message.

    Raises
    ------
    InputError
        If it does not.
    """
    sql = grading_module("sqlalchemy")
    names = set(sql.inspect(connection).get_table_names())
    columns = {one["name"] for one in sql.inspect(connection).get_columns("facts")} if "facts" in names else set()
    values = dict(connection.execute(sql.select(schema.facts)).all()) if columns == {"name", "value"} else {}
    if values.get("kind") != schema.KIND:
        raise InputError(
            f"{shown_url(url)} must be a database of lensdetect grade, got another one: choose another --database"
        )
    if values.get("schema") != str(schema.SCHEMA_VERSION):
        raise InputError(
            f"{shown_url(url)} must have schema {schema.SCHEMA_VERSION}, got {values.get('schema')}: "
            "use the version of lensdetect that made it, or choose another --database"
        )
