"""Every example runs as its docstring says, and ends in one line where it cannot."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))
#: Files that an example leaves in its output folder.
LEFT = {
    "01_score.py": ("scores.csv", "top.png"),
    "02_simulate.py": ("bologna.png", "kids.png", "kids/manifest.json"),
    "03_train.py": ("run/curves.png", "run/history.csv", "run/model/1/saved_model.pb", "truth.png"),
    "04_transfer.py": ("stem/curves.png", "stem/model/1/saved_model.pb"),
    "05_search.py": ("found/report.html", "found/candidates.fits"),
}
PRINTED = {
    "01_score.py": "AUROC",
    "02_simulate.py": "of 60 stamps are lenses",
    "03_train.py": "AUROC",
    "04_transfer.py": "as it is: AUROC",
    "05_search.py": "objects scored: ",
}
NEED_DETECTOR = ("01_score.py", "04_transfer.py", "05_search.py")

#: Most of the time goes into importing TensorFlow.
slow_but_one = [
    name if name == "02_simulate.py" else pytest.param(name, marks=pytest.mark.slow) for name in sorted(LEFT)
]
#: These score, train or search for ten seconds and more.
SLOW = ("01_score.py", "03_train.py", "04_transfer.py", "05_search.py")
runs = [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in sorted(LEFT)]


def run(name: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess:
    path = next(path for path in EXAMPLES if path.name == name)
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    return subprocess.run(
        [sys.executable, path, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_all_examples_are_tested():
    assert [path.name for path in EXAMPLES] == sorted(LEFT) == sorted(PRINTED)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_docstring_tells_command_and_time(path):
    text = ast.get_docstring(ast.parse(path.read_text()))
    assert f"python examples/{path.name}" in text
    assert "on 2 cores" in text and "--quick" in text


@pytest.mark.parametrize("name", runs)
def test_example_runs(name, tmp_path):
    done = run(name, "--quick", "--output", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert PRINTED[name] in done.stdout
    for left in LEFT[name]:
        assert (tmp_path / "out" / left).stat().st_size > 0
    assert "Warning" not in done.stderr


@pytest.mark.parametrize("name", slow_but_one)
def test_example_says_in_one_line_what_is_wrong(name, tmp_path):
    (tmp_path / "taken").write_text("a file where a folder is wanted")
    done = run(name, "--quick", "--output", "taken", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"{name}: ")
    assert "Traceback" not in done.stderr
