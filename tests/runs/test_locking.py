from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest

from lensdetect.errors import InputError
from lensdetect.runs import lock, locking

_HOLD = """
import sys, time
from lensdetect.runs import lock
with lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_run(tmp_path):
    """A process that holds the folder."""
    run = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert run.stdout.readline() == "held\n"
    yield run
    run.kill()
    run.communicate()


def test_a_second_run_is_told_who_holds_the_folder(other_run, tmp_path):
    with pytest.raises(InputError, match=rf"must have one run at a time, and process {other_run.pid} on .+ "
                       r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(-c .*\) is at work there: wait until"):  # fmt: skip
        with lock(tmp_path):
            pytest.fail("two runs at once")


def test_a_kill_gives_the_folder_free(other_run, tmp_path):
    os.kill(other_run.pid, signal.SIGKILL)
    other_run.wait()
    with lock(tmp_path) as held:
        assert held


def test_a_folder_is_free_after_a_run_and_after_a_failure(tmp_path):
    for _ in range(2):
        with pytest.raises(RuntimeError), lock(tmp_path / "new"):
            raise RuntimeError
    assert not list((tmp_path / "new").iterdir())


def test_a_lock_on_what_its_holder_has_removed_counts_for_nothing(tmp_path, monkeypatch):
    flock, taken = locking.fcntl.flock, []

    def slow(file, how):
        if not taken:
            os.unlink(file.name)
        taken.append(file.name)
        flock(file, how)

    monkeypatch.setattr(locking.fcntl, "flock", slow)
    with lock(tmp_path):
        assert len(taken) == 2 and (tmp_path / locking.LOCK_NAME).is_file()
        with pytest.raises(InputError, match="must have one run at a time"), lock(tmp_path):
            pytest.fail("two runs at once")
        assert (tmp_path / locking.LOCK_NAME).is_file()


def test_processes_that_a_run_starts_do_not_hold_its_folder(tmp_path):
    with lock(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with lock(tmp_path) as held:
            assert held
    finally:
        child.kill()
        child.wait()


def test_a_file_system_without_locks_is_said_and_goes_on(tmp_path, monkeypatch, caplog):
    def flock(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locking.fcntl, "flock", flock)
    with lock(tmp_path) as held:
        assert not held
    assert "cannot be locked (No locks available): take care that no second run" in caplog.text


def test_a_holder_that_does_not_say_who_it_is(other_run, tmp_path, monkeypatch):
    (tmp_path / locking.LOCK_NAME).write_bytes(b"{}")
    with (
        pytest.raises(InputError, match="and another process, which does not say who it is, is at work"),
        lock(tmp_path),
    ):
        pytest.fail("two runs at once")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="must be writable to .*file/run, got .*: choose another folder"):
        with lock(tmp_path / "file" / "run"):
            pytest.fail("no folder")
