"""The user's catalogue in any form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from lensdetect.errors import InputError
from lensdetect.simulation.painting.catalogue import read_catalogue

TABLE = {"ID": ["a", "b"], "RAJ2000": [1.5, 2.5], "DECJ2000": [-3.0, 4.0], "Z_B": [0.4, np.nan], "other": [1, 2]}


def test_every_form_is_read_alike(tmp_path):
    pd.DataFrame(TABLE).to_csv(tmp_path / "c.csv", index=False)
    pd.DataFrame(TABLE).to_parquet(tmp_path / "c.parquet")
    Table(TABLE).write(tmp_path / "c.fits")
    for name in ("c.csv", "c.parquet", "c.fits"):
        rows = read_catalogue(tmp_path / name)
        assert list(rows.columns) == ["id", "ra_deg", "dec_deg", "redshift"]
        assert list(rows["id"]) == ["a", "b"]
        np.testing.assert_array_equal(rows[["ra_deg", "dec_deg"]], [[1.5, -3.0], [2.5, 4.0]])
        assert rows["redshift"][0] == 0.4 and np.isnan(rows["redshift"][1])


def test_whole_numbers_stay_so_as_ids(tmp_path):
    Table({"COADD_OBJECT_ID": [1234567890123, 7], "RA": [1.0, 2.0], "DEC": [1.0, 2.0]}).write(tmp_path / "c.fits")
    assert list(read_catalogue(tmp_path / "c.fits")["id"]) == ["1234567890123", "7"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ra,dec\n1,2\n", r"must have a column id and a row for each galaxy, got rows of ra, dec"),
        ("id,ra,dec\n", r"must have a column id and a row for each galaxy, got no rows of id, ra, dec"),
        ("id,ra,dec\na,1,2\na,3,4\n", r"ids of catalogue .* must be different, got 'a' twice"),
        ("id,ra,dec\na,east,2\n", r"must be angles within the sky, got ra 'east' in line 2 of .*c.csv"),
        ("id,ra,dec,mag\na,1,2,3\nb,1,2,faint\n", r"column mag must hold numbers, got 'faint' in line 3 of"),
        ("id,ra,dec\na,1,2\n,3,4\n", r"must have an id, got none in line 3"),
        ("id,ra,dec\na,1,2\nb,3\n", r"line 3 of .*c.csv must have 3 cells, as many as the header, got 2"),
    ],
)
def test_bad_content_is_refused(tmp_path, content, message):
    (tmp_path / "c.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        read_catalogue(tmp_path / "c.csv")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("c.csv", r"c.csv: cannot be read: No such file"),
        ("c.xlsx", r"c.xlsx: .* not a table: UnicodeDecodeError"),
    ],
)
def test_no_catalogue_is_refused(tmp_path, name, message):
    (tmp_path / "c.xlsx").write_bytes(b"PK\x03\x04\xff")
    with pytest.raises(InputError, match=message):
        read_catalogue(tmp_path / name)
