from __future__ import annotations

import pandas as pd
import pytest

from ..rounds.round_sky import graded_sky

__all__ = ["graded_sky"]
RULE = ("--share", 0.3, "--cell", 0.5)


@pytest.fixture
def grades(graded_sky, tmp_path):
    path = tmp_path / "grades.csv"
    graded_sky.grades.iloc[:40].to_csv(path, index=False)
    return path


def command(sky, grades, output, *more):
    return ("next", sky.found, "--grades", grades, "--model", sky.detector, "--output", output, *RULE, *more)


def test_a_table_to_grade(lensdetect, graded_sky, grades, tmp_path):
    result = lensdetect(
        *command(graded_sky, grades, tmp_path / "next.csv", "--count", 6, "--by", "score:2,disagreement:1")
    )
    assert result.code == 0, result.err
    assert result.out.splitlines() == [
        "6 objects to grade: 4 by score, 2 by disagreement",
        f"grade them: lensdetect grade {tmp_path / 'next.csv'} --survey bologna",
    ]
    table = pd.read_csv(tmp_path / "next.csv")
    assert len(table) == 6 and not set(table["id"]) & set(graded_sky.objects["id"][:40])
    assert all((tmp_path / name).is_file() for name in table["file"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--by", "scores"), "unknown way to choose 'scores': did you mean score"),
        (("--by", "score", "--like", "galaxy 1"), "got both: leave one out"),
        (("--count", "0"), "must be a whole number of at least 1"),
        (("--share", "2"), "must be between 0 and 1"),
        (("--like", "nobody"), "must be an object of the search with pixels"),
    ],
)
def test_what_cannot_be_chosen(lensdetect, graded_sky, grades, tmp_path, more, message):
    result = lensdetect(*command(graded_sky, grades, tmp_path / "next.csv", *more))
    assert result.code == 2 and message in result.err and not (tmp_path / "next.csv").exists()
