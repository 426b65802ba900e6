"""Selections: what an expression takes of a catalogue, and what is no expression."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError
from lensdetect.search.selection import Selection

ROWS = pd.DataFrame(
    {
        "Z_B": [0.1, 0.3, 0.5, np.nan],
        "MAG_AUTO": [20.0, 22.0, 19.0, 18.0],
        "MASK": np.array([0, 16384, 1, 16385], np.int32),
        "KIDS_TILE": ["a", "b", "a", "c"],
    }
)


@pytest.mark.parametrize(
    "expression, taken",
    [
        ("Z_B < 0.4 and MAG_AUTO < 21", [True, False, False, False]),
        ("Z_B < 0.4 or MAG_AUTO < 18.5", [True, True, False, True]),
        ("not (Z_B < 0.4)", [False, False, True, True]),
        ("0.2 <= Z_B < 0.6", [False, True, True, False]),
        ("(MASK & 16384) == 0", [True, False, True, False]),
        ("KIDS_TILE in ['a', 'c']", [True, False, True, True]),
        ("KIDS_TILE == 'b'", [False, True, False, False]),
        ("MAG_AUTO - 10 * Z_B < 18", [False, False, True, False]),
        ("-MAG_AUTO > -19.5", [False, False, True, True]),
        ("1 < 2", [True, True, True, True]),
    ],
)
def test_takes_the_rows_for_which_it_holds(expression, taken):
    assert Selection(expression)(ROWS).tolist() == taken


def test_names_its_columns():
    assert Selection("Z_B < 0.4 and MAG_AUTO < 21 and Z_B > 0").columns == ("Z_B", "MAG_AUTO")


def test_a_column_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(InputError, match=r"unknown column of the catalogue 'MAG_ATO': did you mean MAG_AUTO"):
        Selection("MAG_ATO < 20").check_columns(ROWS.columns)


@pytest.mark.parametrize(
    "expression, message",
    [
        ("Z_B <", "must be an expression such as .* got 'Z_B <'"),
        ("__import__('os').system('true')", "may hold columns, numbers"),
        ("Z_B.max() > 0", "may hold columns, numbers"),
        ("", "must be an expression"),
    ],
)
def test_what_is_no_selection(expression, message):
    with pytest.raises(InputError, match=message):
        Selection(expression)


@pytest.mark.parametrize(
    "expression, message",
    [("Z_B + 1", "true or false for each row"), ("Z_B and MAG_AUTO < 3", "join conditions"), ("MASK < 'a'", "suit")],
)
def test_what_does_not_suit_the_columns(expression, message):
    with pytest.raises(InputError, match=message):
        Selection(expression)(ROWS)
