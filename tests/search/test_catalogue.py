"""Catalogues of every form, streamed: the same objects whatever the form and the size of the pieces."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from lensdetect.errors import InputError
from lensdetect.search.catalogue import Catalogue
from lensdetect.survey import SURVEYS

KIDS = dataclasses.replace(SURVEYS["kids"], selections=(("bright", "MAG_AUTO < 21"),))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "ID": [f"KiDSDR4 J{number:04d}" for number in range(250)],
            "RAJ2000": rng.uniform(180, 181, 250),
            "DECJ2000": rng.uniform(-1, 0, 250),
            "MAG_AUTO": rng.uniform(18, 24, 250).astype(np.float32),
            "Z_B": rng.uniform(0, 1, 250),
        }
    )


def write(rows: pd.DataFrame, folder, name: str):
    path = folder / name
    if name.endswith(".parquet"):
        rows.to_parquet(path)
    elif name.endswith(".csv"):
        rows.to_csv(path, index=False)
    elif name.endswith(".vot"):
        Table.from_pandas(rows).write(path, format="votable")
    else:
        Table.from_pandas(rows).write(path, format="ascii.ecsv" if name.endswith(".ecsv") else "fits")
    return path


def objects(catalogue: Catalogue, size: int = 100) -> pd.DataFrame:
    return pd.concat([piece.objects for piece in catalogue.pieces(size)], ignore_index=True)


@pytest.mark.filterwarnings("ignore::astropy.io.votable.exceptions.VOTableSpecWarning")
@pytest.mark.parametrize("name", ["cat.fits", "cat.parquet", "cat.csv", "cat.ecsv", "cat.vot"])
@pytest.mark.parametrize("size", [7, 1000])
def test_the_same_objects_from_every_form(rows, tmp_path, name, size):
    found = objects(Catalogue(write(rows, tmp_path, name), survey=KIDS, select="MAG_AUTO < 20"), size)
    wanted = rows[rows["MAG_AUTO"] < 20]
    assert found["id"].tolist() == wanted["ID"].tolist()
    assert found["row"].tolist() == wanted.index.tolist()
    assert found["ra_deg"].to_numpy() == pytest.approx(wanted["RAJ2000"].to_numpy(), abs=1e-10)


def test_pieces_count_what_was_read(rows, tmp_path):
    pieces = list(Catalogue(write(rows, tmp_path, "cat.parquet"), survey=KIDS, select="bright").pieces(100))
    assert sum(piece.rows_read for piece in pieces) == 250
    assert max(piece.rows_read for piece in pieces) == 100
    assert sum(len(piece.objects) for piece in pieces) == (rows["MAG_AUTO"] < 21).sum()


def test_several_tables_are_one_catalogue(rows, tmp_path):
    write(rows[:100], tmp_path, "a_cat.fits")
    write(rows[100:], tmp_path, "b_cat.fits")
    for path in (tmp_path, tmp_path / "*_cat.fits", sorted(tmp_path.iterdir())):
        found = objects(Catalogue(path, survey=KIDS))
        assert found["id"].tolist() == rows["ID"].tolist() and found["row"].tolist() == list(range(250))


def test_a_hats_folder(rows, tmp_path):
    for number, part in enumerate((rows[:90], rows[90:])):
        folder = tmp_path / "dataset" / "Norder=1" / "Dir=0"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pandas(part), folder / f"Npix={number}.parquet")
    (tmp_path / "hats.properties").write_text("obs_collection=test\n")
    assert len(objects(Catalogue(tmp_path, survey=KIDS))) == 250


def test_names_of_other_catalogues(tmp_path):
    table = pd.DataFrame({"RA": [1.0, 2.0], "Dec": [3.0, np.nan]})
    found = objects(Catalogue(write(table, tmp_path, "c.csv"), survey=SURVEYS["cfhtls"]))
    assert found["id"].tolist() == ["0", "1"]
    assert np.isnan(found["dec_deg"][1])  # a row without a position is no reason to lose it
    table.columns = ["x", "y"]
    given = Catalogue(write(table, tmp_path, "d.csv"), survey=KIDS, columns={"ra_deg": "x", "dec_deg": "y"})
    assert objects(given)["ra_deg"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"select": "Z_BB < 1"}, r"unknown column of the catalogue 'Z_BB': did you mean Z_B"),
        ({"select": "brigt"}, r"unknown selection of survey kids 'brigt': did you mean bright"),
        ({"columns": {"ra_deg": "RA2000"}}, r"'RA2000': did you mean RAJ2000"),
        ({"columns": {"right": "RAJ2000"}}, r"unknown role of a column 'right'"),
    ],
)
def test_names_that_are_not_there(rows, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        Catalogue(write(rows, tmp_path, "cat.parquet"), survey=KIDS, **changes)


def test_what_is_no_catalogue(rows, tmp_path):
    with pytest.raises(InputError, match="there must be a table.*got nothing at .*: check the path"):
        Catalogue(tmp_path / "none.fits", survey=KIDS)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="broken.parquet: cut short, damaged or not a table: ArrowInvalid: Parquet"):
        Catalogue(tmp_path / "broken.parquet", survey=KIDS)
    (tmp_path / "picture.png").write_bytes(b"")
    with pytest.raises(InputError, match="must be one of .* got .*picture.png"):
        Catalogue(tmp_path / "picture.png", survey=KIDS)
    write(rows.drop(columns="DECJ2000"), tmp_path, "half.csv")
    with pytest.raises(InputError, match="must have a column for dec_deg, got ID, RAJ2000"):
        Catalogue(tmp_path / "half.csv", survey=KIDS)


def test_a_truncated_fits_table_is_told(rows, tmp_path):
    path = write(rows, tmp_path, "cat.fits")
    path.write_bytes(path.read_bytes()[: 2880 * 3])
    with pytest.raises(InputError, match="cat.fits is cut short or damaged: it claims .* bytes .* and ends before"):
        objects(Catalogue(path, survey=KIDS))


def test_objects_without_an_id_are_called_by_their_row_and_counted(rows, tmp_path):
    catalogue = Catalogue(write(rows.assign(ID=["", *rows["ID"][1:]]), tmp_path, "c.csv"), survey=KIDS)
    found = objects(catalogue, 100)
    assert found["id"].tolist() == ["row 0", *rows["ID"][1:]] and catalogue.told.without_id == 1


def test_ids_of_several_columns(tmp_path):
    table = pd.DataFrame(
        {"release": [9010] * 2, "brickid": [7, 8], "objid": [1, 1], "ra": [1.0, 2.0], "dec": [3.0, 4.0]}
    )
    catalogue = Catalogue(write(table, tmp_path, "tractor.fits"), survey=SURVEYS["legacy"])
    assert objects(catalogue)["id"].tolist() == ["9010_7_1", "9010_8_1"]
    given = Catalogue(tmp_path / "tractor.fits", survey=SURVEYS["legacy"], columns={"id": "brickid+objid"})
    assert objects(given)["id"].tolist() == ["7_1", "8_1"]


def test_what_could_not_be_used_is_told(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("id,ra,dec\na,180.0,0.0\nb,,\nc,east,0\nd,1\n#e,1,2\nf,12:00:00,95\n")
    catalogue = Catalogue(path, survey=KIDS)
    assert objects(catalogue)["id"].tolist() == ["a", "b", "c", "f"]
    lines, positions = catalogue.told.notes()
    assert lines.startswith("lines of the catalogue that are no rows: 2: line 5 of") and "line 6 of" in lines
    assert positions.startswith("objects without a position that can be used: 3, listed in objects/outside.parquet")
    assert positions.endswith(f"the first that is not empty: ra 'east' in line 4 of {path}")
    assert catalogue.told.ra_deg == (180.0, 180.0) and catalogue.told.dec_deg == (0.0, 0.0)


def test_units_are_those_of_each_file(rows, tmp_path):
    for name, unit in (("a.fits", "deg"), ("b.fits", "rad")):
        table = Table.from_pandas(rows[["ID", "RAJ2000", "DECJ2000"]])
        for column in ("RAJ2000", "DECJ2000"):
            table[column].unit = "deg"
            table[column] = table[column].to(unit)
        table.write(tmp_path / name)
    found = objects(Catalogue(tmp_path, survey=KIDS))
    assert found["ra_deg"].to_numpy() == pytest.approx(np.tile(rows["RAJ2000"], 2), abs=1e-9)
    table["RAJ2000"].unit = "pix"
    table.write(tmp_path / "b.fits", overwrite=True)
    with pytest.raises(InputError, match="column RAJ2000 of .*b.fits must be in degrees .* got the unit 'pix'"):
        objects(Catalogue(tmp_path, survey=KIDS))
