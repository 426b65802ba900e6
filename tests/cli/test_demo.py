from __future__ import annotations

import pandas as pd


def test_demo_runs_twice_and_leaves_all(lensdetect, shipping, tmp_path):
    command = ("demo", "--tiles", 2, "--side", 240, "--workers", 1, "--output", tmp_path / "demo")
    first = lensdetect(*command)
    assert first.code == 0, first.err
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {"survey", "hidden_lenses.csv", "found"}
    table = pd.read_csv(tmp_path / "demo" / "found" / "candidates.csv")
    assert len(table) and table["logit"].is_monotonic_decreasing
    assert "in 2 overlapping tiles were scored" in first.out and "lenses hidden in them" in first.out
    assert (tmp_path / "demo" / "found" / "report.html").stat().st_size > 10_000
    second = lensdetect(*command)
    assert (second.code, second.out) == (0, first.out)


def test_demo_refuses_the_stamps_of_the_training(lensdetect, shipping, tmp_path):
    result = lensdetect("demo", "--seed", 1, "--output", tmp_path)
    assert result.code == 2 and "was trained on stamps of seed 1" in result.err


def test_demo_of_other_tiles_needs_another_folder(lensdetect, shipping, tmp_path):
    command = ("demo", "--tiles", 1, "--workers", 1, "--output", tmp_path / "demo")
    assert lensdetect(*command, "--side", 150).code == 0
    result = lensdetect(*command, "--side", 160)
    assert result.code == 2 and "is [150, 150] there and [160, 160] here" in result.err
