"""The store of grades: nothing lost, nothing twice, nothing changed."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import uuid
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy

from lensdetect.errors import InputError
from lensdetect.inspection import read_log
from lensdetect.inspection.database import database_url, shown_url
from lensdetect.inspection.ledger import Entry, append, said_by
from lensdetect.inspection.store import Store, Subject
from lensdetect.inspection.tokens import add_grader, admit, grader_of, list_graders, revoke

SUBJECTS = [
    Subject("one", "objects", "one"),
    Subject("two", "objects", "two"),
    Subject("onto-two", "painted", "two", planted="lens", truth=1.0),
    Subject("dud-one", "objects", "one", planted="dud", truth=0.0, turn=3),
]
COLUMNS = [
    "grade_id", "id", "grader", "grade", "kind", "note", "seconds", "graded_at", "version",
    "planted", "truth", "undone",
]  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path) as store:
        store.add_subjects(SUBJECTS)
        yield store


def grader(store: Store, name: str) -> int:
    return grader_of(store, add_grader(store, name)).number


def entry(subject: int = 1, grade: float | None = 3.0, *, showing: int = 0, **more) -> Entry:
    return Entry(str(uuid.uuid4()), subject, showing, grade, **more)


def test_log_is_a_table_of_the_columns_that_others_read(store, tmp_path):
    ann = grader(store, "Ann")
    append(store, ann, [entry(1, 5.0, note="arc", seconds=2.5), entry(4, 0.0, kind="ring"), entry(1, 3.0, showing=1)])
    log = read_log(tmp_path)
    assert list(log.columns) == COLUMNS
    assert list(log["id"]) == ["one", "dud-one", "one"]
    assert list(log["planted"]) == ["", "dud", "repeat"]
    assert np.array_equal(log["truth"], [np.nan, 0.0, np.nan], equal_nan=True)
    assert list(log["grade"]) == [5.0, 0.0, 3.0] and list(log["kind"]) == ["", "ring", ""]
    assert log["grader"].eq("Ann").all() and not log["undone"].any()
    assert log["seconds"][0] == 2.5 and log["note"][0] == "arc"
    assert log["undone"].dtype == bool and log["truth"].dtype == np.float64


def test_log_without_grades_has_the_same_types(store, tmp_path):
    log = read_log(tmp_path)
    assert list(log.columns) == COLUMNS and not len(log)
    assert log["undone"].dtype == bool and log["grade"].dtype == np.float64


def test_what_is_sent_twice_counts_once(store, tmp_path):
    ann, one = grader(store, "Ann"), entry()
    assert append(store, ann, [one]).kept == [one.grade_id]
    assert append(store, ann, [one, one]).kept == [one.grade_id, one.grade_id]
    assert len(read_log(tmp_path)) == 1


def test_grade_id_of_another_is_refused(store, tmp_path):
    ann, bob, one = grader(store, "Ann"), grader(store, "Bob"), entry()
    append(store, ann, [one])
    outcome = append(store, bob, [Entry(one.grade_id, 2, 0, 0.0)])
    assert outcome.kept == [] and outcome.refused == {one.grade_id: "another grade has this grade_id"}
    assert list(read_log(tmp_path)["grader"]) == ["Ann"]


def test_undo_is_a_further_row_and_the_grade_before_holds_again(store, tmp_path):
    ann, first, second = grader(store, "Ann"), entry(1, 1.0), entry(1, 5.0)
    append(store, ann, [first, second])
    assert list(read_log(tmp_path)["undone"]) == [True, False]
    append(store, ann, [entry(1, None, undoes=second.grade_id)])
    assert list(read_log(tmp_path)["undone"]) == [False, True]
    assert [said.grade for said in said_by(store, ann)] == [1.0]
    append(store, ann, [entry(1, None, undoes=first.grade_id)])
    assert read_log(tmp_path)["undone"].all() and said_by(store, ann) == []


def test_nobody_takes_back_what_another_said(store):
    ann, bob, one = grader(store, "Ann"), grader(store, "Bob"), entry()
    append(store, ann, [one])
    undo = entry(1, None, undoes=one.grade_id)
    assert append(store, bob, [undo]).refused == {undo.grade_id: "there is no grade of yours that it takes back"}
    assert len(said_by(store, ann)) == 1


def test_database_itself_refuses_to_change_the_log(store, tmp_path):
    append(store, grader(store, "Ann"), [entry()])
    store.close()
    database = sqlite3.connect(tmp_path / "grades.sqlite")
    for change in ("UPDATE log SET grade = 0", "DELETE FROM log"):
        with pytest.raises(sqlite3.IntegrityError, match="the log of grades only grows"):
            database.execute(change)
    database.close()


def test_threads_that_write_at_once_lose_nothing(store, tmp_path):
    number, entries = grader(store, "Ann"), [[entry(1 + i % 4) for i in range(10)] for _ in range(20)]
    threads = [threading.Thread(target=append, args=(store, number, part)) for part in entries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(read_log(tmp_path)["grade_id"]) == sorted(one.grade_id for part in entries for one in part)


def test_subjects_come_back_as_they_were_and_are_added_once(store):
    assert store.add_subjects([*SUBJECTS, Subject("three", "objects", "3", about={"rank": 3})]) == 1
    found = store.subjects()
    assert [one.id for one in found] == ["one", "two", "onto-two", "dud-one", "three"]
    assert found[2].planted == "lens" and found[2].truth == 1.0 and found[3].turn == 3 and found[4].about == {"rank": 3}


def test_setting_stays_what_it_was(store):
    assert store.setting("seed", None, option="--seed") is None
    assert store.setting("seed", 4, option="--seed") == 4 == store.setting("seed", None, option="--seed")
    with pytest.raises(
        InputError, match=r"^--seed must stay 4, with which grading was begun in .*, got 5: leave it out"
    ):
        store.setting("seed", 5, option="--seed")


def test_token_is_known_and_only_its_hash_is_kept(store, tmp_path):
    token = add_grader(store, "Ann B. O'Hara")
    assert grader_of(store, token).name == "Ann B. O'Hara"
    for wrong in ("", ".", token[:-1], token[:-1] + ("a" if token[-1] != "a" else "b"), f"{token}x", "\udc80.x", "\0"):
        assert grader_of(store, wrong) is None
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("grades.sqlite*"))
    assert token.encode() not in kept and token.partition(".")[2].encode() not in kept


def test_revoked_token_lets_nobody_in_and_grades_stay(store, tmp_path):
    first, second = add_grader(store, "Ann"), add_grader(store, "Ann")
    append(store, grader_of(store, first).number, [entry()])
    assert revoke(store, "Ann") == 2
    assert grader_of(store, first) is None and grader_of(store, second) is None
    assert [(one.name, one.tokens, one.grades) for one in list_graders(store)] == [("Ann", 0, 1)]
    with pytest.raises(InputError, match="'Bob' must be the name of a grader, got none of them: see --list-graders"):
        revoke(store, "Bob")
    with pytest.raises(InputError, match="must come with the link"):
        admit(store, "Ann")


@pytest.mark.parametrize("name", ["", "<script>", "../../x", "a" * 61, "a\nb<", " "])
def test_name_that_is_none_is_refused(store, name):
    with pytest.raises(InputError, match="a grader must be named by 1 to 60 letters"):
        add_grader(store, name)


def test_who_was_invited_cannot_be_named_on_the_page(store):
    admit(store, "Cy")
    assert grader_of(store, admit(store, "Cy")).name == "Cy"
    add_grader(store, "Ann")
    with pytest.raises(InputError, match="Ann must come with the link that was made for this name"):
        admit(store, "Ann")


def test_name_in_other_letters_is_the_same_person(store):
    first, again = add_grader(store, "Ann"), add_grader(store, "aNN")
    assert grader_of(store, again).number == grader_of(store, first).number
    assert [one.name for one in list_graders(store)] == ["Ann"]
    with pytest.raises(InputError, match="ANN must come with the link that was made for this name"):
        admit(store, "ANN")
    assert revoke(store, "ann") == 2


def test_nothing_there_is_said(tmp_path):
    with pytest.raises(InputError, match="there must be grades in .*, got no such file: begin with lensdetect grade"):
        read_log(tmp_path)
    assert not list(tmp_path.iterdir())


def test_other_schema_is_refused_in_one_line(store, tmp_path):
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE facts SET value = '99' WHERE name = 'schema'")
    for opened in (lambda: Store(tmp_path), lambda: read_log(tmp_path)):
        with pytest.raises(InputError, match="must have schema 1, got 99: use the version of lensdetect that made it"):
            opened()


@pytest.mark.parametrize("made", ["CREATE TABLE log (x)", "CREATE TABLE facts (x)", None])
def test_database_of_something_else_is_left_alone(tmp_path, made):
    path = tmp_path / "other.sqlite"
    if made is None:
        path.write_bytes(b"no database at all, but a text" * 100)
    else:
        with sqlite3.connect(path) as database:
            database.execute(made)
        database.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="choose another|check the database"):
        Store(path)
    if made is None:
        assert path.read_bytes() == before


def test_url_is_made_and_its_password_not_shown(tmp_path):
    assert database_url(tmp_path) == f"sqlite:///{tmp_path}/grades.sqlite"
    assert database_url(tmp_path / "stamps.npy") == f"sqlite:///{tmp_path}/stamps.npy.grades.sqlite"
    assert shown_url("postgresql://ann:secret@host/x") == "postgresql://ann:***@host/x"
    assert database_url("postgresql://host/x") == "postgresql+psycopg://host/x"
    with pytest.raises(InputError, match="--database must begin with sqlite:// or postgresql://, got mysql://"):
        database_url("mysql://host/x")


@pytest.fixture
def shown_folder():
    """A folder that other users can look into, as those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_read_only_folder_is_said_and_its_log_can_be_read(shown_folder):
    with Store(shown_folder) as store:
        store.add_subjects(SUBJECTS)
        append(store, grader(store, "Ann"), [entry()])
    for path in [*shown_folder.iterdir(), shown_folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    code = f"""
import os
from lensdetect.inspection import read_log
from lensdetect.inspection.store import Store
read_log({str(shown_folder)!r})  # all is imported
if os.geteuid() == 0:  # who may write anywhere
    os.setuid(65534)
print(len(read_log({str(shown_folder)!r})))
try:
    Store({str(shown_folder)!r})
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=True)
    count, message = done.stdout.splitlines()
    assert count == "1" and re.search("readonly database: check who may write to that folder$", message)


def test_disk_that_is_read_only_is_said_before_anybody_grades(tmp_path):
    """There SQLite begins a transaction that is to write, and fails when it does."""
    Store(tmp_path).close()

    def forbid(connection, *_) -> None:
        connection.execute("PRAGMA query_only=1")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", forbid)
    try:
        with pytest.raises(InputError, match="got attempt to write a readonly database: check who may write"):
            Store(tmp_path)
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "connect", forbid)


def test_reading_the_package_loads_no_database(tmp_path):
    code = "import lensdetect.inspection, sys; print('sqlalchemy' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
