from __future__ import annotations

import pandas as pd
import pytest

from ..rounds.round_sky import RULE_OPTIONS, graded_sky, simulated, write_simulated

__all__ = ["graded_sky", "simulated"]


@pytest.fixture(scope="module")
def grades(graded_sky, tmp_path_factory):
    """Combined grades as a table."""
    path = tmp_path_factory.mktemp("grades") / "grades.csv"
    graded_sky.grades.to_csv(path, index=False)
    return path


def command(sky, simulated, grades, output, *more):
    return (
        *("retrain", sky.found, "--from", sky.detector, "--grades", grades, "--stamps", simulated),
        *("--output", output, "--epochs", 1, "--seed", 3, *RULE_OPTIONS, *more),
    )


@pytest.fixture(scope="module")
def finished(graded_sky, simulated, grades, tmp_path_factory):
    """A round that went through."""
    from lensdetect.cli import main

    run = tmp_path_factory.mktemp("rounds") / "one"
    assert main([str(word) for word in command(graded_sky, simulated, grades, run)]) == 0
    return run


def test_a_finished_round_tells_again_what_it_brought(lensdetect, graded_sky, simulated, grades, finished):
    result = lensdetect(*command(graded_sky, simulated, grades, finished, "--resume"))
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert (
        lines[0].startswith("learned from ") and " lens" in lines[0] and " ring" in lines[0] and " spiral" in lines[0]
    )
    assert any("AUROC: before" in line and "; after " in line for line in lines)
    assert any("fewer false positives at 70% completeness, times: " in line for line in lines)
    assert {"graded", "held_out", "objects.csv", "comparison.csv", "round.json", "plan.json", "model"} <= {
        path.name for path in finished.iterdir()
    }


def test_the_detector_of_a_round_scores(lensdetect, simulated, finished, tmp_path):
    result = lensdetect("score", simulated, "--model", finished, "--output", tmp_path / "scores.csv")
    assert result.code == 0, result.err


def test_a_taken_folder_asks_for_resume(lensdetect, graded_sky, simulated, grades, finished, tmp_path):
    result = lensdetect(*command(graded_sky, simulated, grades, finished))
    assert result.code == 2 and "add --resume to go on" in result.err
    result = lensdetect(*command(graded_sky, simulated, grades, tmp_path / "new", "--resume"))
    assert result.code == 2 and "got none in" in result.err and "leave --resume out" in result.err


def test_graded_objects_without_pixels_are_exit_status_1(lensdetect, graded_sky, simulated, tmp_path):
    more = pd.DataFrame({"id": ["nobody"], "posterior": [0.9], "kind": [""], "planted": [""]})
    table = tmp_path / "grades.parquet"
    pd.concat([graded_sky.grades, more], ignore_index=True).to_parquet(table)
    result = lensdetect(*command(graded_sky, simulated, table, tmp_path / "run"))
    assert result.code == 1 and "not used: nobody: is no object of this search" in result.out


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("", "labels need grades, got none"),
        ("galaxy 1,0.01\n", "must hold 5 graded lenses and 5 others"),
        ("galaxy 1,a lot\n", "must hold numbers, true or false, got 'a lot'"),
    ],
    ids=["none", "few", "words"],
)
def test_grades_that_cannot_be_used(lensdetect, graded_sky, simulated, tmp_path, rows, message):
    table = tmp_path / "grades.csv"
    table.write_text(f"id,posterior\n{rows}")
    result = lensdetect(*command(graded_sky, simulated, table, tmp_path / "run"))
    assert result.code == 2 and message in result.err


def test_stamps_of_another_pixel_scale(lensdetect, graded_sky, grades, tmp_path):
    stamps = write_simulated(tmp_path / "stamps", count=8, seed=1, pixel_scale_arcsec=0.3)
    result = lensdetect(*command(graded_sky, stamps, grades, tmp_path / "run"))
    assert result.code == 2 and "takes pixels of 0.2 arcsec, got 0.3 arcsec" in result.err


def test_a_folder_that_is_no_search(lensdetect, graded_sky, grades, tmp_path):
    result = lensdetect(
        "retrain", tmp_path, "--from", graded_sky.detector, "--grades", grades, "--output", tmp_path / "r"
    )
    assert result.code == 2 and "must be the output of lensdetect search" in result.err
