from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError
from lensdetect.rounds import labels_of, read_grades


def test_a_label_weighs_what_its_grade_is_worth():
    grades = pd.DataFrame(
        {"id": list("abcd"), "posterior": [1.0, 0.7, 0.52, 0.0], "kind": ["", "", "spiral", "ring"], "planted": ""}
    )
    found = labels_of(grades)
    # of c nobody knows
    assert found["id"].tolist() == ["a", "b", "d"]
    assert found["is_lens"].tolist() == [True, True, False]
    np.testing.assert_allclose(found["weight"], [1.0, 0.4, 1.0])
    assert found["kind"].tolist() == ["lens", "lens", "ring"]


def test_painted_lenses_and_duds_teach_nothing_and_known_lenses_do():
    grades = pd.DataFrame(
        {"id": list("abcd"), "posterior": [1.0, 0.0, 1.0, 0.0], "planted": ["lens", "dud", "known", ""]}
    )
    assert labels_of(grades)["id"].tolist() == ["c", "d"]


def test_without_a_posterior_the_published_rule_counts():
    found = labels_of(pd.DataFrame({"id": ["a", "b"], "is_candidate": [True, False]}))
    assert found["is_lens"].tolist() == [True, False] and (found["weight"] == 1.0).all()


@pytest.mark.parametrize(
    ("grades", "message"),
    [
        ({"id": [], "posterior": []}, "labels need grades, got none: grade some objects first"),
        ({"posterior": [0.5]}, "must have a column id"),
        ({"id": ["a"], "grade": [5]}, "must have a column posterior, or is_candidate or is_lens, got id, grade"),
        ({"id": ["a"], "posterior": [1.2]}, "must be from 0 to 1, got 1.2"),
        ({"id": ["a", "a"], "posterior": [1.0, 0.0]}, "each object once, got a twice"),
    ],
)
def test_grades_that_cannot_be_used(grades, message):
    with pytest.raises(InputError, match=message):
        labels_of(pd.DataFrame(grades))


def test_a_table_of_grades(tmp_path):
    path = tmp_path / "grades.csv"
    path.write_text("ID,num_grades,posterior,is_candidate,kind\n007,2,0.9,True,\n8,2,,False,merger\n")
    found = read_grades(path)
    assert found["id"].tolist() == ["007", "8"] and found["is_candidate"].tolist() == [1.0, 0.0]
    assert labels_of(found)["id"].tolist() == ["007"]
    path.write_text("id,is_lens\na,yes\n")
    with pytest.raises(InputError, match="column is_lens of .* must hold numbers, true or false, got 'yes'"):
        read_grades(path)
    path.write_text("name,posterior\na,1\n")
    with pytest.raises(InputError, match="must have a column id, got name, posterior"):
        read_grades(path)
