"""Truth tables in the forms that exist."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lensdetect.data import read_truth
from lensdetect.errors import InputError


def write(tmp_path, text, name="truth.csv"):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_genuine_classifications(shared_data):
    truth = read_truth(shared_data / "bologna_ground" / "classifications.csv")
    assert len(truth) == 20_000 and truth["is_lens"].dtype == bool
    assert round(truth["is_lens"].mean(), 4) == 0.4010
    row = truth.set_index("id").loc["100000"]
    assert row["is_lens"] and row["arc_pixel_count"] == 804 and row["arc_flux_sigma"] == 3714.68
    # sqrt(6.04e-10 / pi) radian
    assert row["einstein_radius_arcsec"] == pytest.approx(2.860, abs=1e-3)
    lens_radii = truth.loc[truth["is_lens"], "einstein_radius_arcsec"]
    np.testing.assert_allclose(np.percentile(lens_radii, [50, 95]), [1.28, 5.31], atol=0.02)


def test_quotes_around_each_name(tmp_path):
    truth = read_truth(write(tmp_path, '"id","is_lens"\n"a","true"\n"b","False"\n'))
    assert truth["id"].tolist() == ["a", "b"] and truth["is_lens"].tolist() == [True, False]


def test_quotes_around_the_first_line(tmp_path):
    path = write(tmp_path, '"ID,is_lens,Einstein_area"\r\n0012,1,6.04E-10\r\n7,0,1e-10\r\n')
    truth = read_truth(path)
    assert truth["id"].tolist() == ["0012", "7"] and truth["is_lens"].tolist() == [True, False]


LOG = """# log of a test set
# more of it
ID,x_crit_area,n_source_im,no_source,mag_lens
200001,0.1,2,0,21.5
200002,0.3,0,1,20.5
# in between
200003,0.1,1,0,
"""


@pytest.mark.parametrize("text", [LOG, LOG.replace("\nID,", "\n# ID,"), LOG.replace(",\n", ", \n").replace(",", ", ")])
def test_log_of_a_test_set(tmp_path, text):
    truth = read_truth(write(tmp_path, text))
    assert truth["id"].tolist() == ["200001", "200002", "200003"]
    assert truth["is_lens"].tolist() == [True, False, True]


def test_columns_apart_by_blanks(tmp_path):
    truth = read_truth(write(tmp_path, "ID no_source\n5 0\n6 1\n", "log.txt"))
    assert truth["is_lens"].tolist() == [True, False]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_our_own_tables(tmp_path, suffix):
    table = pd.DataFrame({"id": ["a", "b"], "is_lens": [True, False], "kind": ["lens", "ring"], "arc_snr": [5.0, 0.0]})
    path = tmp_path / f"truth.{suffix}"
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    truth = read_truth(path)
    assert truth.columns.tolist() == ["id", "is_lens", "kind", "arc_snr"]
    assert truth["is_lens"].tolist() == [True, False] and truth["arc_snr"].tolist() == [5.0, 0.0]


def test_number_ids_of_parquet_are_text(tmp_path):
    pd.DataFrame({"ID": [7, 8], "is_lens": [0, 1]}).to_parquet(tmp_path / "truth.parquet")
    assert read_truth(tmp_path / "truth.parquet")["id"].tolist() == ["7", "8"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("galaxy,is_lens\na,1\n", "must have a column id, got galaxy, is_lens"),
        ("id,label\na,1\n", "must have a column is_lens or no_source, got id, label"),
        (
            "id,is_lens\na,2\nb,1\n",
            r"column is_lens must hold 0, 1, true or false, got '2' in line 2 of .* \(1 such rows\)",
        ),
        (
            "id,is_lens\na,\nb,1\n",
            r"column is_lens must .*, got nothing in line 2 of .* \(1 such rows\)",
        ),
        ("id,is_lens\na,1\na,0\n", r"must hold each id once, got 'a' twice \(1 such rows\)"),
        ("id,is_lens\na,1\n,0\n", "must have an id in each row, got 1 empty ones, the first in line 3"),
        ("id,is_lens,arc_snr\na,1,high\n", "column arc_snr must hold numbers, got 'high' in line 2"),
        ("# nothing\n", "truth.csv must be a table, got no rows"),
        ("id,is_lens\na,1\nb,1,2,3\n", "line 3 of .* must have 2 cells, as many as the header, got 4"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_truth(write(tmp_path, text))


def test_paths_that_cannot_be_used(tmp_path):
    with pytest.raises(InputError, match="gone.csv does not exist"):
        read_truth(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="is a folder without manifest.json: give the truth table itself"):
        read_truth(tmp_path)
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00id")
    with pytest.raises(InputError, match="bad.csv: cut short, damaged or not a table: UnicodeDecodeError: .*codec"):
        read_truth(tmp_path / "bad.csv")


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_an_empty_cell_shifts_no_column(tmp_path, separator):
    rows = [("id", "theta_e", "is_lens", "expert"), ("a", "", "0", "1"), ("b", "1.25", "1", "0"), ("c", "", "0", "1")]
    truth = read_truth(write(tmp_path, "".join(separator.join(row) + "\n" for row in rows)))
    assert truth["is_lens"].tolist() == [False, True, False]
    np.testing.assert_array_equal(truth["einstein_radius_arcsec"], [np.nan, 1.25, np.nan])


def test_no_row_vanishes_behind_a_hash(tmp_path):
    assert read_truth(write(tmp_path, 'id,is_lens\n"#12",1\nx#y,0\n# 7,1\n'))["id"].tolist() == ["#12", "x#y"]
    with pytest.raises(InputError, match=r"line 2 of .* must be a row or a comment, got '#12,1': put its"):
        read_truth(write(tmp_path, "id,is_lens\n#12,1\n13,0\n"))


def test_large_seeds_are_exact_and_empty_counts_told(tmp_path):
    seed = 2**62 + 1
    assert read_truth(write(tmp_path, f"id,is_lens,seed\na,1,{seed}\n"))["seed"].tolist() == [seed]
    with pytest.raises(InputError, match=r"column arc_pixel_count must hold whole numbers, got nothing in line 3"):
        read_truth(write(tmp_path, "id,is_lens,arc_pixel_count\na,1,4.0\nb,0,\n"))
