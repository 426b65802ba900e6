"""Which grades count, and what they say together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError
from lensdetect.inspection import combine, standing_grades, with_product
from lensdetect.inspection.combining import COMBINED_COLUMNS

from .graded_logs import mixed_log


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return mixed_log()


def log_of(*rows, columns=("id", "grader", "grade")) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns))


def grades_of(*grades) -> pd.DataFrame:
    return log_of(*[("one", f"grader {number}", float(grade)) for number, grade in enumerate(grades)])


@pytest.mark.parametrize(
    ("grades", "expected"),
    [
        ((5,), True),
        ((5, 0, 0, 0), True),
        ((3,), False),
        ((1, 0, 0, 0), False),
        ((1, 1, 0, 0), True),
        ((3, 1), True),
        ((0, 0, 0, 0), False),
    ],
)
def test_published_rule(grades, expected):
    """Two who recognise it, or one who is sure."""
    found = combine(grades_of(*grades)).iloc[0]
    assert found["is_candidate"] == expected
    assert found["recognised"] == sum(grade > 0 for grade in grades)
    assert found["num_grades"] == len(grades) and found["mean_grade"] == pytest.approx(np.mean(grades))


def test_columns_and_types():
    found = combine(grades_of(5, 3))
    assert tuple(found.columns) == COMBINED_COLUMNS
    assert found["num_grades"].dtype == found["recognised"].dtype == np.int64 and found["is_candidate"].dtype == bool


def test_the_kind_that_most_name():
    columns = ("id", "grader", "grade", "kind")
    log = log_of(
        ("a", "ann", 0.0, "ring"), ("a", "bob", 0.0, "spiral"), ("a", "cem", 1.0, "ring"),
        ("b", "ann", 0.0, "star"), ("b", "bob", 0.0, "merger"), ("c", "ann", 5.0, ""), columns=columns,
    )  # fmt: skip
    assert combine(log).set_index("id")["kind"].to_dict() == {"a": "ring", "b": "merger", "c": ""}


def test_undone_and_skipped_grades_do_not_count():
    columns = ("id", "grader", "grade", "undone")
    log = log_of(
        ("a", "ann", 5.0, True), ("a", "bob", 0.0, False), ("b", "ann", np.nan, False), ("c", "ann", 5.0, True),
        columns=columns,
    )  # fmt: skip
    found = combine(log)
    assert found["id"].tolist() == ["a"] and found["mean_grade"].tolist() == [0.0]


def test_the_last_of_several_grades_of_one_grader_counts():
    columns = ("id", "grader", "grade", "graded_at")
    log = log_of(
        ("a", "ann", 0.0, "2026-11-26T20:00:00Z"), ("a", "ann", 5.0, "2026-11-26T19:00:00Z"), columns=columns
    )  # fmt: skip
    for rows in (log, log[::-1]):
        assert standing_grades(rows)["grade"].tolist() == [0.0]


def test_a_hidden_repeat_is_no_further_evidence():
    columns = ("id", "grader", "grade", "graded_at", "planted")
    first, again = ("a", "ann", 1.0, "2026-11-26T19:00:00Z", ""), ("a", "ann", 5.0, "2026-11-26T20:00:00Z", "repeat")
    pd.testing.assert_frame_equal(
        combine(log_of(first, again, columns=columns)), combine(log_of(first, columns=columns))
    )
    # where no other grade stands it is the grader's word
    assert combine(log_of(again, columns=columns))["mean_grade"].tolist() == [5.0]
    assert combine(log_of(again, columns=columns))["planted"].tolist() == [""]


def test_the_truth_of_an_object_is_that_of_all_its_rows():
    columns = ("id", "grader", "grade", "planted", "truth")
    log = log_of(("a", "ann", 5.0, "lens", 1.0), ("a", "bob", 3.0, "", np.nan), columns=columns)
    found = combine(log)
    assert found["truth"].tolist() == [1.0] and found["planted"].tolist() == ["lens"]


def test_two_truths_of_one_object_are_refused():
    log = log_of(("a", "ann", 5.0, 1.0), ("a", "bob", 3.0, 0.0), columns=("id", "grader", "grade", "truth"))
    with pytest.raises(InputError, match="a lens or none, got both truths for 'a'"):
        combine(log)


def test_a_log_without_grades_is_refused():
    with pytest.raises(InputError, match="must have columns id, grader and grade, got none named grade"):
        combine(pd.DataFrame({"id": ["a"], "grader": ["ann"]}))


def test_order_of_rows_does_not_matter(log):
    pd.testing.assert_frame_equal(combine(log), combine(log.sample(frac=1, random_state=3)), check_exact=True)


def test_product_of_score_and_grade():
    found = with_product(combine(grades_of(5, 0)), pd.Series({"one": 0.8, "two": 1.0}))
    assert found["product"].tolist() == pytest.approx([0.8 * 0.5])
    assert with_product(combine(grades_of(5, 0)), pd.Series(dtype=float))["product"].isna().all()
