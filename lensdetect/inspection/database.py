"""Open the database of a store: SQLite beside the search by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lensdetect.errors import InputError, LensdetectError, one_line
from lensdetect.inspection.extra import grading_module
from lensdetect.text import for_screen

#: In the folder of a search: its grades.
DATABASE_NAME = "grades.sqlite"
#: How long a writer waits for another one.
_WAIT_S = 30.0
_KINDS = ("sqlite", "postgresql")


class StorageError(InputError):
    """A database cannot be read or written.

    Parameters
    ----------
    text : str
        What it says.
    reason : str
        Why, without where: what somebody else may know of this machine.
    """

    def __init__(self, text: str, *, reason: str):
        super().__init__(text)
        self.reason = reason


def database_url(where: Path | str) -> str:
    """URL of the database that holds the grades of a search.

    Parameters
    ----------
    where : path or str
        Folder of a search or of cutouts, another input of ``lensdetect grade``
        (whose grades are beside it), a file of SQLite, or a URL.

    Returns
    -------
    str
        As SQLAlchemy takes it.

    Raises
    ------
    InputError
        If it is a URL of another kind of database.
    """
    if "://" in str(where):
        return _checked(str(where))
    path = Path(where)
    if path.is_dir():
        path = path / DATABASE_NAME
    elif path.suffix not in (".sqlite", ".db"):
        path = path.with_name(f"{path.name}.{DATABASE_NAME}")
    return f"sqlite:///{path.absolute()}"


def _checked(url: str) -> str:
    kind = url.partition("://")[0].partition("+")[0]
    if kind not in _KINDS:
        raise InputError(f"--database must begin with {' or '.join(f'{name}://' for name in _KINDS)}, got {kind}://")
    # this driver whichever SQLAlchemy takes by itself
    return url.replace("postgresql://", "postgresql+psycopg://", 1) if url.startswith("postgresql://") else url


def shown_url(url: str) -> str:
    """A URL as it may be printed: without its password.

    Parameters
    ----------
    url : str

    Returns
    -------
    str
    """
    return for_screen(grading_module("sqlalchemy.engine").make_url(url).render_as_string(hide_password=True))


def open_engine(url: str, *, write: bool = True):
    """Engine of a database.

    SQLite keeps a write-ahead log, so that readers and a writer do not wait for
    one another, and flushes it at every commit: what is acknowledged outlives a
    killed process and a power cut.

    Parameters
    ----------
    url : str
        As ``database_url`` makes it.
    write : bool
        Whether it may be written to.

    Returns
    -------
    sqlalchemy.Engine

    Raises
    ------
    InputError
        If the URL cannot be understood, or its driver is not installed.
    """
    sqlalchemy = grading_module("sqlalchemy")
    try:
        parsed = sqlalchemy.engine.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(sqlalchemy, parsed, write=write)
        return sqlalchemy.create_engine(parsed, pool_pre_ping=True)
    except ImportError as error:
        raise InputError(
            f"{url.partition('://')[0]} must have its driver, got {one_line(error)}: "
            'pip install "lensdetect[postgresql]"'
        ) from error
    except sqlalchemy.exc.ArgumentError as error:
        raise InputError(f"--database must be a URL, got one that cannot be read: {one_line(error)}") from error


def _sqlite(sqlalchemy, url, *, write: bool):
    path = Path(url.database or "")
    if not write:
        # no side files are made in a folder that cannot be written to
        still = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
        url = sqlalchemy.engine.make_url(f"sqlite:///file:{_quoted(path)}?mode=ro{still}&uri=true")
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": _WAIT_S})

    def prepare(connection, _record) -> None:
        # sqlite3 begins no transaction of its own: "begin" below does
        connection.isolation_level = None
        if write:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    def begin(connection) -> None:
        # who will write waits for its turn now: one that began to read first could only fail
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    sqlalchemy.event.listen(engine, "connect", prepare)
    sqlalchemy.event.listen(engine, "begin", begin)
    return engine


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path.absolute()))


@contextmanager
def storing(url: str, *, what: str = "grades") -> Iterator[None]:
    """Say in one line what a database says when it cannot do what it should.

    Parameters
    ----------
    url : str
        Of the database.
    what : str
        What is stored or read, in the plural.

    Yields
    ------
    None

    Raises
    ------
    StorageError
        Instead of what SQLAlchemy raises.
    """
    errors = grading_module("sqlalchemy.exc")
    try:
        yield
    except LensdetectError:
        raise
    except errors.SQLAlchemyError as error:
        reason = one_line(getattr(error, "orig", None) or error)
        text = f"{what} must be readable and writable in {shown_url(url)}, got {reason}: {_way_out(reason)}"
        raise StorageError(text, reason=_kind_of(reason)) from error


def _way_out(reason: str) -> str:
    if "full" in reason:
        return "make room on that disk"
    if "readonly" in reason or "unable to open" in reason or "ermission" in reason:
        return "check who may write to that folder"
    return "check the database"


def _kind_of(reason: str) -> str:
    kinds = {"full": "its disk is full", "readonly": "its database is read-only", "locked": "its database is busy"}
    return next((text for word, text in kinds.items() if word in reason), "its database fails")
