"""The store on a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import uuid
from pathlib import Path

import pytest

from lensdetect.errors import InputError
from lensdetect.inspection import read_log
from lensdetect.inspection.ledger import Entry, append
from lensdetect.inspection.store import Store, Subject
from lensdetect.inspection.tokens import add_grader, grader_of, list_graders, revoke

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url():
    """A database server of its own, without a password, on a socket that only this machine has."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (extra postgresql)")
    control = shutil.which("pg_ctl")
    if control is None:
        pytest.skip("there is no PostgreSQL (Debian: apt-get install postgresql)")
    # it refuses to be run by root
    user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        if user:
            shutil.chown(name, "postgres")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        run = {"check": True, "cwd": "/", "stdout": subprocess.DEVNULL, **user}
        data = Path(name) / "data"
        subprocess.run([control, "initdb", "-s", "-D", data, "-o", "-A trust -U tester --no-sync"], **run)
        options = f"-c listen_addresses='' -c unix_socket_directories={name} -p {port} -F"
        subprocess.run([control, "start", "-s", "-w", "-D", data, "-l", Path(name) / "log", "-o", options], **run)
        try:
            yield f"postgresql+psycopg://tester@/postgres?host={name}&port={port}"
        finally:
            subprocess.run([control, "stop", "-s", "-m", "immediate", "-D", data], **run)


@pytest.fixture
def store(url):
    import sqlalchemy

    with Store(url) as store:
        store.add_subjects([Subject("one", "objects", "1"), Subject("onto", "painted", "2", "lens", truth=1.0)])
        yield store
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    engine.dispose()


def entry(subject: int = 1, grade: float | None = 3.0, **more) -> Entry:
    return Entry(str(uuid.uuid4()), subject, 0, grade, **more)


def test_log_is_that_of_sqlite(store, url):
    ann = grader_of(store, add_grader(store, "Ann")).number
    first, second = entry(1, 5.0, note="a <b> \u00e9"), entry(2, 0.0)
    assert append(store, ann, [first, second, first]).refused == {}
    append(store, ann, [entry(2, None, undoes=second.grade_id)])
    log = read_log(url)
    assert list(log["id"]) == ["one", "onto"] and list(log["undone"]) == [False, True]
    assert list(log["planted"]) == ["", "lens"] and log["note"][0] == "a <b> \u00e9"
    assert [(one.tokens, one.grades) for one in list_graders(store)] == [(1, 3)] and revoke(store, "Ann") == 1


def test_database_refuses_to_change_the_log(store):
    append(store, grader_of(store, add_grader(store, "Ann")).number, [entry()])
    for change in ("UPDATE log SET grade = 0", "DELETE FROM log", "TRUNCATE log"):
        with pytest.raises(InputError, match="the log of grades only grows"), store.writing() as connection:
            connection.exec_driver_sql(change)


def test_threads_that_write_at_once_lose_nothing(store, url):
    numbers = [grader_of(store, add_grader(store, name)).number for name in ("Ann", "Bob")]
    parts = [[entry(1 + place % 2) for place in range(10)] for _ in range(20)]
    # everything is sent twice
    threads = [
        threading.Thread(target=append, args=(store, numbers[place % 2], parts[place])) for place in (*range(20),) * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(read_log(url)["grade_id"]) == sorted(one.grade_id for part in parts for one in part)


def test_nothing_there_and_nobody_there_are_said(url):
    with pytest.raises(InputError, match="must be a database of lensdetect grade, got another one"):
        read_log(url)
    with pytest.raises(InputError, match="grades must be readable and writable in postgresql.*: check the database"):
        read_log("postgresql+psycopg://tester@127.0.0.1:1/none")
