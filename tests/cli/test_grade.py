"""``lensdetect grade``: graders by command, and what cannot be served."""

from __future__ import annotations

import re
import socket
import subprocess
import sys

import pytest

from lensdetect.inspection.store import Store
from lensdetect.inspection.tokens import grader_of

from ..inspection.served import found, found_once  # noqa: F401


def test_graders_are_made_listed_and_revoked(lensdetect, found):  # noqa: F811
    made = lensdetect("grade", found, "--add-grader", "Ann Lee", "--host", "grading.example.org", "--port", 80)
    token = re.fullmatch(r"http://grading\.example\.org:80/#token=(\S+)\n", made.out)[1]
    with Store(found) as store:
        assert grader_of(store, token).name == "Ann Lee"
    listed = lensdetect("grade", found, "--list-graders")
    assert re.fullmatch(r"Ann Lee: 0 rows in the log, 1 tokens, since \d{4}-\d\d-\d\dT\d\d:\d\d\n", listed.out)
    assert token not in listed.out
    revoked = lensdetect("grade", found, "--revoke", "Ann Lee")
    assert (revoked.code, revoked.out) == (0, "revoked: 1 tokens of Ann Lee; the grades stay\n")
    with Store(found) as store:
        assert grader_of(store, token) is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--revoke", "Bob"], "there must be grades in"),
        (["--list-graders"], "there must be grades in"),
        (["--add-grader", "<script>"], "a grader must be named by 1 to 60 letters"),
        (["--list-graders", "--revoke", "Ann"], "not allowed with argument"),
        (["--port", "70000"], "must be at most 65535"),
        (["--planted", "0.6"], "must be from 0 to 0.5"),
        (["--scale", "12"], "invalid choice"),
        (["--host", "192.0.2.1"], "--host and --port must be free on this machine, got 192.0.2.1"),
        (["--database", "mysql://x/y"], "--database must begin with sqlite:// or postgresql://"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(lensdetect, found, words, message):  # noqa: F811
    result = lensdetect("grade", found, *words)
    assert result.code == 2 and message in result.err and len(result.err.splitlines()) == 1


def test_port_that_is_taken_is_said(lensdetect, found):  # noqa: F811
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = lensdetect("grade", found, "--port", taken.getsockname()[1])
    assert result.code == 2 and "Address already in use: choose another --port" in result.err


def test_nowhere_is_said_and_nothing_is_made(lensdetect, tmp_path):
    for words in ([], ["--add-grader", "Ann"]):
        result = lensdetect("grade", tmp_path / "nowhere", *words)
        assert result.code == 2 and "got nothing at" in result.err
    assert not list(tmp_path.iterdir())


def test_without_the_extra_it_says_how_to_install_it(found):  # noqa: F811
    code = f"""
import sys
sys.modules["fastapi"] = None
from lensdetect.cli import main
sys.exit(main(["grade", {str(found)!r}]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == 'lensdetect: error: grading needs the package fastapi: pip install "lensdetect[grade]"\n'
