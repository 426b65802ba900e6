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


def logged(objects: pd.DataFrame, graders: tuple[str, ...]) -> pd.DataFrame:
    """A log of people who agree, as lensdetect grade keeps it."""
    rows = [
        (f"{one.id}/{name}", one.id, name, 5.0 * one.is_lens, "" if one.is_lens else "ring", float(known), known)
        for name in graders
        for one, known in zip(objects.itertuples(), objects["is_lens"].astype(float), strict=True)
    ]
    table = pd.DataFrame(rows, columns=["grade_id", "id", "grader", "grade", "kind", "seconds", "truth"])
    table["truth"] = table["truth"].where(table.index % 3 == 0)
    planted = table["truth"].map({1.0: "known", 0.0: ""}).fillna("")
    return table.assign(note="", graded_at="2026-11-26T20:00:00Z", version="0.2", planted=planted, undone=False)


@pytest.mark.slow
def test_the_log_of_the_search_and_of_a_table_are_learned_from_together(
    lensdetect, graded_sky, simulated, tmp_path, monkeypatch
):
    logs = {
        str(graded_sky.found): logged(graded_sky.objects.iloc[:100], ("ann", "bob")),
        "next.csv": logged(graded_sky.objects.iloc[100:], ("ann",)),
    }
    monkeypatch.setattr("lensdetect.inspection.read_log", lambda where: logs[str(where)], raising=False)
    how = ("--from", graded_sky.detector, "--stamps", simulated, "--epochs", 1, *RULE_OPTIONS)
    result = lensdetect("retrain", graded_sky.found, "--graded", "next.csv", *how, "--output", tmp_path / "run")
    assert result.code == 0, result.err
    objects = pd.read_csv(tmp_path / "run" / "objects.csv").set_index("id")
    truth = graded_sky.objects.set_index("id")["is_lens"]
    assert len(objects) == 144 and (objects["is_lens"] == truth.loc[objects.index]).all()


def test_without_a_log_it_says_how_to_get_one(lensdetect, graded_sky, tmp_path):
    result = lensdetect("retrain", graded_sky.found, "--from", graded_sky.detector, "--output", tmp_path / "run")
    assert result.code == 2 and "grade" in result.err and not (tmp_path / "run").exists()


def test_a_taken_folder_asks_for_resume(lensdetect, graded_sky, simulated, grades, finished, tmp_path):
    result = lensdetect(*command(graded_sky, simulated, grades, finished))
    assert result.code == 2 and "add --resume to go on" in result.err
    result = lensdetect(*command(graded_sky, simulated, grades, tmp_path / "new", "--resume"))
    assert result.code == 2 and "got none in" in result.err and "leave --resume out" in result.err


@pytest.mark.slow
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
