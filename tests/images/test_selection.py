"""Selections: what an expression takes of a catalogue, and what is no expression."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lensdetect.errors import InputError
from lensdetect.images.rows import Rows, plain_table
from lensdetect.images.selection import Selection


def rows_of(columns: dict) -> Rows:
    """Rows as a reader makes them; a list with None has nulls, a list of text is one of a CSV file."""
    return Rows(Path("table"), plain_table({name: pa.array(values) for name, values in columns.items()}))


COLUMNS = {
    "Z_B": [0.1, 0.3, 0.5, None],
    "MAG_AUTO": [20.0, 22.0, 19.0, 18.0],
    "MASK": np.array([0, 16384, 1, 16385], np.int32),
    "KIDS_TILE": ["a", "b", "a", "c"],
}
ROWS = rows_of(COLUMNS)
AS_TEXT = rows_of({name: [None if v is None else str(v) for v in values] for name, values in COLUMNS.items()})


@pytest.mark.parametrize(
    "expression, taken",
    [
        ("Z_B < 0.4 and MAG_AUTO < 21", [True, False, False, False]),
        ("Z_B < 0.4 or MAG_AUTO < 18.5", [True, True, False, True]),
        ("not (Z_B < 0.4)", [False, False, True, False]),
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
    assert Selection(expression)(AS_TEXT).tolist() == taken


def test_names_its_columns():
    assert Selection("Z_B < 0.4 and MAG_AUTO < 21 and Z_B > 0").columns == ("Z_B", "MAG_AUTO")


def test_a_column_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(InputError, match=r"unknown column of the catalogue 'MAG_ATO': did you mean MAG_AUTO"):
        Selection("MAG_ATO < 20").check_columns(COLUMNS)


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


@pytest.mark.parametrize("storage", [float, str, "f4"])
@pytest.mark.parametrize(
    "expression, taken",
    [
        ("z == 0.25", [True, False, False]),
        ("z != 0.25", [False, True, False]),
        ("z in [0.25, 1]", [True, False, False]),
        ("z not in [0.25, 1]", [False, True, False]),
        ("not (z < 0.3)", [False, True, False]),
        ("not (z >= 0.3)", [True, False, False]),
        ("not (z < 0.3 and m < 7)", [False, True, False]),
        ("z < 0.3 or m > 5", [True, True, True]),
        ("z < 0.3 or m < 5", [True, False, False]),
        ("z + 1 != 3", [True, True, False]),
        ("-z < 0", [True, True, False]),
        ("not z in []", [True, True, False]),
        ("z == z", [True, True, False]),
    ],
)
def test_a_comparison_with_a_missing_value_takes_nothing(storage, expression, taken):
    z = ["0.25", "0.5", "--"] if storage is str else np.array([0.25, 0.5, np.nan], storage)
    assert Selection(expression)(rows_of({"z": z, "m": [6, 6, 6]})).tolist() == taken


@pytest.mark.parametrize("flags", [[4, 0, None], ["4", "0", "NULL"], [4.0, 0.0, float("nan")]])
def test_bits_of_missing_flags_take_nothing(flags):
    rows = rows_of({"flags": pa.array(flags)})
    assert Selection("flags & 4 == 0")(rows).tolist() == [False, True, False]
    assert Selection("(flags | 1) != 1")(rows).tolist() == [True, False, False]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.uint64, np.float32, str])
def test_whole_numbers_do_not_wrap(dtype):
    rows = rows_of({"flag": ["200", "100", "20"] if dtype is str else np.array([200, 100, 20], dtype)})
    assert Selection("flag + 100 > 250")(rows).tolist() == [True, False, False]
    assert Selection("flag * 200 > 30000")(rows).tolist() == [True, False, False]
    assert Selection("-flag < -150")(rows).tolist() == [True, False, False]
    assert Selection("flag ** 9 > 1e20")(rows).tolist() == [True, False, False]
    assert Selection("flag * 100000000000000000 > 0")(rows).tolist() == [True, True, True]


def test_large_identifiers_are_compared_to_the_last_digit():
    ids = [3216988463521284001, 3216988463521284002, None]
    for column in (pa.array(ids), pa.array(["" if one is None else str(one) for one in ids])):
        assert Selection("ID == 3216988463521284001")(rows_of({"ID": column})).tolist() == [True, False, False]


def test_a_number_is_compared_in_the_precision_of_its_column():
    rows = rows_of({"z": np.array([0.1, 0.2], np.float32)})
    assert Selection("z == 0.1")(rows).tolist() == [True, False]
    assert Selection("z not in [0.1]")(rows).tolist() == [False, True]


def test_names_in_backticks():
    rows = rows_of({"class": ["GALAXY", "STAR"], "RA [deg]": [180.0, 190.0], "g-r": [0.5, 1.5], "MAG AUTO": [20, 21]})
    selection = Selection("`class` == 'GALAXY' and `RA [deg]` < 185 and `g-r` < 1 and `MAG AUTO` >= 20")
    assert selection.columns == ("class", "RA [deg]", "g-r", "MAG AUTO")
    assert selection(rows).tolist() == [True, False]
    assert Selection('`class` == "a`b`"').columns == ("class",)
    with pytest.raises(InputError, match=r"column whose name is no word, or one of Python's, is put in backticks"):
        Selection('class == "GALAXY"')


def test_columns_of_truth_values():
    for column in ([True, False, None], ["T", "False", ""]):
        rows = rows_of({"good": pa.array(column), "z": [1.0, 1.0, 1.0]})
        assert Selection("good and z > 0")(rows).tolist() == [True, False, False]
        assert Selection("not good or z < 0")(rows).tolist() == [False, True, False]
    assert Selection("good == 1")(rows_of({"good": [True, False, None]})).tolist() == [True, False, False]


def test_text_is_compared_with_text():
    rows = rows_of({"a": ["x", "y", None], "b": ["x", "z", "x"], "date": ["2024-01-02", "2023-01-01", ""]})
    assert Selection("a == b")(rows).tolist() == [True, False, False]
    assert Selection("a != b")(rows).tolist() == [False, True, False]
    assert Selection("date > '2024'")(rows).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "expression, message",
    [
        ("z < 1", r"column z must hold numbers, got 'deep' in row 1 \(from 0\) of table"),
        ("n < 0.4 & n < 2", "bits of whole numbers: join conditions with and, or"),
        ("n == 99999999999999999999999", "beyond 64 bits"),
        ("z * 1000000000 == 3", r"column z must hold numbers, got 'deep'"),
        ("'a' * 1000000000 == 'b'", "computed with numbers, got the text 'a'"),
        ("n in 3", "in needs a list"),
        ("[1, 2] == n", "a list must stand behind in"),
        ("z and n > 0", "column z must be true or false to stand alone, got '0.2'"),
    ],
)
def test_what_cannot_be_computed(expression, message):
    with pytest.raises(InputError, match=message):
        Selection(expression)(rows_of({"z": ["0.2", "deep"], "n": [1, 2]}))


@pytest.mark.parametrize(
    "expression", ["(" * 400 + "z" + ")" * 400, "not " * 5000 + "z", "z" + " + z" * 9000 + " > 0", "z == None"]
)
def test_what_is_too_deep_or_no_value(expression):
    with pytest.raises(InputError, match="selection"):
        Selection(expression)(rows_of({"z": [1.0]}))
