"""How graders agree with the truth, with themselves and with one another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from lensdetect.inspection import measure_agreement
from lensdetect.inspection.kappa import kappa_interval, krippendorff_alpha, weighted_kappa
from lensdetect.metrics.intervals import wilson_interval

from .graded_logs import mixed_log

COLUMNS = ["id", "grader", "grade", "planted", "truth", "seconds", "undone"]


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return mixed_log()


@pytest.fixture
def own() -> pd.DataFrame:
    """Ann: 3 of 4 lenses, 1 of 2 duds, one of two repeats the same, a skip, an undone one."""
    rows = [
        ("l1", 5.0, "lens", 1.0, 2.0, False), ("l2", 3.0, "known", 1.0, 4.0, False),
        ("l3", 1.0, "lens", 1.0, 3.0, False), ("l4", 0.0, "lens", 1.0, 9.0, False),
        ("d1", 1.0, "dud", 0.0, 2.0, False), ("d2", 0.0, "dud", 0.0, 1.0, False),
        ("u1", 5.0, "", np.nan, 3.0, False), ("u1", 5.0, "repeat", np.nan, 3.0, False),
        ("u2", 0.0, "", np.nan, 3.0, False), ("u2", 3.0, "repeat", np.nan, 3.0, False),
        ("u3", np.nan, "", np.nan, 90.0, False), ("u4", 5.0, "", np.nan, 90.0, True),
    ]  # fmt: skip
    return pd.DataFrame([(name, "ann", *rest) for name, *rest in rows], columns=COLUMNS)


def test_one_grader(own):
    row = measure_agreement(own).graders.iloc[0]
    assert (row["num_grades"], row["num_skipped"], row["num_undone"]) == (8, 1, 1)
    assert (row["num_lenses"], row["recall"]) == (4, 0.75)
    assert (row["recall_low"], row["recall_high"]) == pytest.approx(wilson_interval(3, 4, confidence=0.95))
    assert (row["num_duds"], row["false_alarms"]) == (2, 0.5)
    assert (row["num_repeats"], row["repeated"], row["repeat_steps"]) == (2, 0.5, 1.0)
    assert row["median_seconds"] == 3.0


def test_shares_of_nothing_are_nan():
    found = measure_agreement(pd.DataFrame({"id": ["a"], "grader": ["ann"], "grade": [3.0]}))
    row = found.graders.iloc[0]
    assert row[["recall", "recall_low", "false_alarms", "repeated", "repeat_steps", "median_seconds"]].isna().all()
    assert found.pairs.empty and np.isnan(found.alpha)


def test_no_grades():
    found = measure_agreement(pd.DataFrame({"id": [], "grader": [], "grade": []}))
    assert found.graders.empty and found.pairs.empty and np.isnan(found.alpha)


def test_pairs_like_scikit_learn(log):
    pairs = measure_agreement(log).pairs
    assert len(pairs) == 15
    grid = log.pivot(index="id", columns="grader", values="grade").astype(int)
    for row in pairs.itertuples():
        oracle = cohen_kappa_score(grid[row.grader], grid[row.other], labels=[0, 1, 3, 5], weights="quadratic")
        assert row.kappa == pytest.approx(oracle, abs=1e-12)
        assert row.kappa_low < row.kappa < row.kappa_high
        assert row.num_objects == 400 and row.same == pytest.approx((grid[row.grader] == grid[row.other]).mean())


def test_pairs_are_of_objects_that_both_graded(log):
    less = log[(log["grader"] != "bob") | (log["id"] < "0030")]
    pairs = measure_agreement(less).pairs.set_index(["grader", "other"])
    assert pairs.loc[("ann", "bob"), "num_objects"] == 30 and pairs.loc[("ann", "cem"), "num_objects"] == 400
    apart = log[((log["grader"] == "ann") & (log["id"] < "0030")) | ((log["grader"] == "bob") & (log["id"] > "0100"))]
    row = measure_agreement(apart).pairs.iloc[0]
    assert row["num_objects"] == 0 and row[["same", "kappa", "kappa_low"]].isna().all()


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([[5, 0], [0, 5]], 1.0), ([[0, 5], [5, 0]], -1.0), ([[4, 4], [4, 4]], 0.0), ([[9, 0], [0, 0]], np.nan)],
)
def test_kappa_of_plain_cases(counts, expected):
    assert weighted_kappa(np.array(counts)) == pytest.approx(expected, nan_ok=True)


def test_interval_of_kappa_covers_what_it_should():
    rng = np.random.default_rng(1)
    chance = np.array([[0.5, 0.1, 0.02], [0.08, 0.1, 0.05], [0.01, 0.04, 0.1]])
    truth = weighted_kappa(chance * 1e6)
    inside = 0
    for _ in range(200):
        low, high = kappa_interval(rng.multinomial(80, chance.ravel()).reshape(3, 3), confidence=0.95)
        inside += low <= truth <= high
    assert 0.89 <= inside / 200 <= 0.99


def test_alpha_like_krippendorff(log):
    krippendorff = pytest.importorskip("krippendorff", reason="krippendorff is GPL-3: an oracle where it is installed")
    rng = np.random.default_rng(2)
    gappy = log[rng.random(len(log)) < 0.6]
    grid = gappy.pivot(index="grader", columns="id", values="grade").to_numpy()
    oracle = krippendorff.alpha(
        reliability_data=grid, level_of_measurement="ordinal", value_domain=[0.0, 1.0, 3.0, 5.0]
    )
    assert measure_agreement(gappy).alpha == pytest.approx(oracle, abs=1e-12)


@pytest.mark.parametrize(("levels", "expected"), [([[0, 0], [2, 2]], 1.0), ([[0, 0], [0, 0]], np.nan)])
def test_alpha_of_plain_cases(levels, expected):
    assert krippendorff_alpha(np.array(levels, float), num_levels=3) == pytest.approx(expected, nan_ok=True)


def test_order_of_rows_does_not_matter(log):
    first, second = measure_agreement(log), measure_agreement(log.sample(frac=1, random_state=5))
    pd.testing.assert_frame_equal(first.graders, second.graders, check_exact=True)
    pd.testing.assert_frame_equal(first.pairs, second.pairs, check_exact=True)
    assert first.alpha == second.alpha
