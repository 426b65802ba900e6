from __future__ import annotations

import pandas as pd


def test_demo_runs_twice_and_leaves_all(lensdetect, shipping, tmp_path):
    command = ("demo", "--count", 20, "--workers", 1, "--output", tmp_path / "demo")
    first = lensdetect(*command)
    table = pd.read_csv(tmp_path / "demo" / "scores.csv")
    assert first.code == 0
    assert len(table) == 20 and table["logit"].is_monotonic_decreasing
    assert "AUROC" in first.out and "lenses" in first.out and "are among the first" in first.out
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {"stamps", "scores.csv", "top.png", "truth.png"}
    second = lensdetect(*command)
    assert (second.code, second.out) == (0, first.out)


def test_demo_refuses_the_stamps_of_the_training(lensdetect, shipping, tmp_path):
    result = lensdetect("demo", "--seed", 1, "--output", tmp_path)
    assert result.code == 2 and "was trained on stamps of seed 1" in result.err


def test_demo_of_another_size_needs_another_folder(lensdetect, shipping, tmp_path):
    command = ("demo", "--workers", 1, "--output", tmp_path / "demo")
    assert lensdetect(*command, "--count", 12).code == 0
    result = lensdetect(*command, "--count", 13)
    assert result.code == 2 and "count is 12 there and 13 here" in result.err
