"""Graders, and the tokens by which the server knows them.

A token is 32 random bytes, so that a salted SHA-256 of it is enough: there is no
list of likely tokens to try, as there is of passwords.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any, NamedTuple

from lensdetect.errors import InputError
from lensdetect.inspection import schema
from lensdetect.inspection.extra import grading_module
from lensdetect.inspection.store import Store, utc_now
from lensdetect.text import shown

#: A name is for people: letters of any script, digits, spaces and a few marks.
_NAME = re.compile(r"\w[\w .,'@+-]{0,59}")
_TOKEN = re.compile(r"([0-9a-f]{12})\.([A-Za-z0-9_-]{43})")


class Grader(NamedTuple):
    """Somebody who grades.

    Parameters
    ----------
    number : int
        In the store.
    name : str
    invited : bool
        Whether only a token that was made by command is this grader's.
    finished_at : str or None
        When this grader was told the answers, and could grade no more.
    """

    number: int
    name: str
    invited: bool
    finished_at: str | None


class Listed(NamedTuple):
    """A grader as ``--list-graders`` shows it."""

    name: str
    invited: bool
    made_at: str
    tokens: int
    grades: int


def checked_name(name: str) -> str:
    """A name that a grader may have.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Without spaces around it.

    Raises
    ------
    InputError
        If it is none.
    """
    name = " ".join(name.split())
    if not _NAME.fullmatch(name):
        raise InputError(
            f"a grader must be named by 1 to 60 letters, digits, spaces or .,'@+-, got {shown(name)}: "
            "choose another name"
        )
    return name


def add_grader(store: Store, name: str) -> str:
    """Make a token for somebody, who is new or lost the last one.

    Parameters
    ----------
    store : Store
    name : str

    Returns
    -------
    str
        The token: it is not kept, and cannot be shown again.

    Raises
    ------
    InputError
        If the name cannot be used.
    """
    return _make_token(store, checked_name(name), invited=True)


def admit(store: Store, name: str) -> str:
    """Make a token for somebody at this machine, who needs no invitation.

    Parameters
    ----------
    store : Store
    name : str

    Returns
    -------
    str
        A token.

    Raises
    ------
    InputError
        If the name cannot be used, or is that of somebody who was invited.
    """
    return _make_token(store, checked_name(name), invited=False)


def _make_token(store: Store, name: str, *, invited: bool) -> str:
    graders = schema.graders
    token_id, secret, salt = secrets.token_hex(6), secrets.token_urlsafe(32), secrets.token_hex(16)
    with store.writing() as connection:
        row = _row_of(connection, name)
        if row is None:
            values = {"name": name, "invited": invited, "made_at": utc_now()}
            number = connection.execute(graders.insert(), values).inserted_primary_key[0]
        elif row.invited and not invited:
            raise InputError(f"{name} must come with the link that was made for this name: choose another name")
        else:
            number = row.number
            connection.execute(
                graders.update().where(graders.c.number == number).values(invited=bool(row.invited or invited))
            )
        token = {"id": token_id, "grader": number, "salt": salt, "digest": _digest(salt, secret), "made_at": utc_now()}
        connection.execute(schema.tokens.insert(), token)
    return f"{token_id}.{secret}"


def _row_of(connection: Any, name: str) -> Any | None:
    """Row of a grader; "ann" and "Ann" are one person, whose word must not count twice."""
    rows = connection.execute(grading_module("sqlalchemy").select(schema.graders))
    return next((row for row in rows if row.name.casefold() == name.casefold()), None)


def revoke(store: Store, name: str) -> int:
    """End all tokens of a grader; the grades stay.

    Parameters
    ----------
    store : Store
    name : str

    Returns
    -------
    int
        How many tokens were good until now.

    Raises
    ------
    InputError
        If nobody has this name.
    """
    graders, tokens = schema.graders, schema.tokens
    with store.writing() as connection:
        row = _row_of(connection, checked_name(name))
        if row is None:
            raise InputError(f"{shown(name)} must be the name of a grader, got none of them: see --list-graders")
        # whoever knows the name alone must not come in by it again
        connection.execute(graders.update().where(graders.c.number == row.number).values(invited=True))
        good = (tokens.c.grader == row.number) & tokens.c.revoked_at.is_(None)
        return connection.execute(tokens.update().where(good).values(revoked_at=utc_now())).rowcount


def list_graders(store: Store) -> list[Listed]:
    """All graders, by name.

    Parameters
    ----------
    store : Store

    Returns
    -------
    list of Listed
        ``tokens`` counts those that are good, ``grades`` all rows of the log.
    """
    sql, graders, tokens, log = grading_module("sqlalchemy"), schema.graders, schema.tokens, schema.log
    good = (tokens.c.grader == graders.c.number) & tokens.c.revoked_at.is_(None)
    num_tokens = sql.select(sql.func.count()).select_from(tokens).where(good).scalar_subquery()
    num_grades = sql.select(sql.func.count()).select_from(log).where(log.c.grader == graders.c.number).scalar_subquery()
    query = sql.select(graders.c.name, graders.c.invited, graders.c.made_at, num_tokens, num_grades)
    with store.reading() as connection:
        return [Listed(*row) for row in connection.execute(query.order_by(graders.c.name))]


def grader_of(store: Store, token: str) -> Grader | None:
    """Whose a token is.

    Parameters
    ----------
    store : Store
    token : str

    Returns
    -------
    Grader or None
        None if it is nobody's, or was revoked.
    """
    sql, tokens, graders = grading_module("sqlalchemy"), schema.tokens, schema.graders
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    token_id, secret = match.groups()
    query = (
        sql.select(tokens.c.salt, tokens.c.digest, graders)
        .join_from(tokens, graders, tokens.c.grader == graders.c.number)
        .where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
    )
    with store.reading() as connection:
        row = connection.execute(query).first()
    # a token that is not there takes as long as a wrong one
    salt, digest = (row.salt, row.digest) if row else ("", "")
    if not hmac.compare_digest(_digest(salt, secret), digest) or row is None:
        return None
    return Grader(row.number, row.name, bool(row.invited), row.finished_at)


def finish(store: Store, grader: Grader) -> None:
    """End the grading of somebody, who may know the answers now.

    Parameters
    ----------
    store : Store
    grader : Grader
    """
    graders = schema.graders
    own = (graders.c.number == grader.number) & graders.c.finished_at.is_(None)
    with store.writing() as connection:
        connection.execute(graders.update().where(own).values(finished_at=utc_now()))


def _digest(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}.{secret}".encode()).hexdigest()
