"""README does what it says: its Python runs, and its commands and files exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lensdetect.artifact import find_detector
from lensdetect.cli import build_parser

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Contents of the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


COMMANDS = [
    command.strip()
    for line in "".join(blocks("bash")).splitlines()
    for command in line.split("&&")
    if command.strip().startswith("lensdetect ")
]


def test_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), namespace)
    assert len(namespace["table"]) == 50
    assert namespace["logit_gri"].shape == namespace["probability"].shape == (8,)


def test_there_is_something_to_run():
    assert len(blocks("python")) == 2
    assert len(COMMANDS) == 25


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_understood(command):
    arguments = shlex.split(command)[1:]
    assert build_parser().parse_args(arguments).command == arguments[0]


def test_commands_of_the_table_exist():
    named = re.findall(r"^\| `lensdetect (\w+)", TEXT, re.MULTILINE)
    (choices,) = [action.choices for action in build_parser()._actions if action.dest == "command"]
    assert set(named) == set(choices)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^):]+)\)|`(\w+/[\w.]+\.\w+)`", TEXT))))
def test_linked_file_exists(path):
    (name,) = filter(None, path)
    assert (ROOT / name).exists() or (find_detector() / name).exists()


@pytest.mark.parametrize("script", sorted(set(re.findall(r"`(bench_\w+\.py)`", TEXT))))
def test_benchmark_exists(script):
    assert (ROOT / "benchmarks" / script).is_file()
