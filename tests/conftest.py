"""Fixtures shared by all tests."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lensdetect.errors import LensdetectError
from lensdetect.runs import writing

# fixtures, for all tests of pages
from .browser import browser, browser_session, complaints, downloads  # noqa: F401

# A shell that starts a job in the background has it ignore SIGINT, and so would
# every process that a test starts and means to interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real stamps and images, beside the checkout; never copied into it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real survey data not found in {folder}")
    return folder


#: Seconds after which a process counts as stuck. No test is about time, and other work may run beside the tests.
PATIENCE_S = 1800.0


@pytest.fixture(scope="session")
def patience_s() -> float:
    """How long to wait for the end of a process, in seconds."""
    return PATIENCE_S


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., None]:
    """Wait until something has come of a process: ``wait_for(there, process)`` with a function that says so."""

    def wait(there: Callable[[], object], process: subprocess.Popen) -> None:
        began_s = time.monotonic()
        while not there():
            # It may have come, and the process ended, since the question.
            if process.poll() is not None and not there():
                pytest.fail(f"the process ended with code {process.returncode} before that")
            if time.monotonic() - began_s > PATIENCE_S:
                pytest.fail(f"nothing came of the process in {PATIENCE_S:.0f} s")
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def few_known_lenses(tmp_path_factory) -> Path | None:
    """Every hundredth row of lenscat's list, all of which each search reads; None where that is not installed."""
    from lensdetect.search.known import lenscat_file

    whole = lenscat_file()
    if whole is None:
        return None
    header, *rows = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path_factory.mktemp("lenscat") / "catalog.csv"
    path.write_text("".join([header, *rows[::100]]), encoding="utf-8")
    return path


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded generator: the same numbers in every run."""
    return np.random.default_rng(20260215)


class Stopped(BaseException):
    """What ends a run in a test as a kill would: nothing of lensdetect catches it."""


@pytest.fixture
def stopped_at(monkeypatch):
    """Stop a run at its n-th write to disk.

    ``stopped_at(run, n, how=...)`` says whether the run came so far; over n = 0, 1, 2, ... until it does not, every
    write of a command is tried. "full disk" lets that write and all after it fail; "kill before" and "kill after" end
    the run there, the first with what was half written left behind.
    """

    def stop(run, number: int, *, how: str) -> bool:
        count, commit = 0, writing.commit

        def faulty(partial: Path, path: Path) -> None:
            nonlocal count
            count += 1
            if count <= number:
                commit(partial, path)
            elif how == "full disk":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(partial))
            elif how == "kill before":
                os.rename(partial, partial.with_name(f".{path.name}.1-killed.partial"))
                raise Stopped
            else:
                commit(partial, path)
                raise Stopped

        with monkeypatch.context() as patch, contextlib.suppress(Stopped, LensdetectError):
            patch.setattr(writing, "commit", faulty)
            run()
        return count > number

    return stop
