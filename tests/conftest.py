"""Fixtures shared by all tests."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
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
