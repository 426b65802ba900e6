"""Tables from elsewhere: the same cells whatever the form, the size of the pieces and the way to say nothing."""

from __future__ import annotations

import gzip

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from lensdetect.errors import InputError
from lensdetect.images import votables
from lensdetect.images.rows import MISSING
from lensdetect.images.tables import Table as Reader

FORMS = ["csv", "csv.gz", "tsv", "ecsv", "vot", "fits", "parquet"]
LARGE = [3216988463521284001 + 2 * number for number in range(20)]

pytestmark = pytest.mark.filterwarnings("ignore::astropy.io.votable.exceptions.VOTableSpecWarning")


def save(table: Table, folder, form: str):
    """Write a table with masked cells in one of the forms."""
    path = folder / f"table.{form}"
    if form == "parquet":
        columns = {name: pa.array(table[name].tolist()) for name in table.colnames}
        pq.write_table(pa.table(columns), path)
    elif form in ("csv", "tsv"):
        table.write(path, format="ascii.csv" if form == "csv" else "ascii.tab", overwrite=True)
    elif form == "csv.gz":
        table.write(folder / "plain.csv", format="ascii.csv", overwrite=True)
        path.write_bytes(gzip.compress((folder / "plain.csv").read_bytes()))
    else:
        table.write(path, format={"ecsv": "ascii.ecsv", "vot": "votable", "fits": "fits"}[form], overwrite=True)
    return path


def read(path, name: str, *, rows: int = 7, kind: str = "texts") -> list:
    pieces = list(Reader(path).pieces([name], rows=rows))
    assert all(len(piece) <= rows for piece in pieces)
    return [one for piece in pieces for one in getattr(piece, kind)(name)]


@pytest.mark.parametrize("form", FORMS)
def test_large_ids_with_one_missing_keep_their_digits(tmp_path, form):
    is_missing = np.arange(20) == 7
    table = Table({"object_id": MaskedColumn(np.array(LARGE), mask=is_missing), "n": np.arange(20)})
    wanted = [None if missing else str(one) for one, missing in zip(LARGE, is_missing, strict=True)]
    assert read(save(table, tmp_path, form), "object_id") == wanted


@pytest.mark.parametrize("form", FORMS)
def test_text_stays_as_it_is_written(tmp_path, form):
    ids = ["000004", "1e5", "1.10", "1.1", "KiDS J12#3", "a b", "5", "+7"]
    assert read(save(Table({"id": ids, "n": np.arange(8)}), tmp_path, form), "id", rows=3) == ids


@pytest.mark.parametrize("form", FORMS)
def test_what_was_never_measured_is_missing(tmp_path, form):
    never = np.arange(20) >= 15
    table = Table(
        {
            "z": MaskedColumn(np.full(20, 0.3), mask=never),
            "flags": MaskedColumn(np.arange(20, dtype="i2"), mask=never),
            "name": MaskedColumn(["x"] * 20, mask=never),
        }
    )
    path = save(table, tmp_path, form)
    np.testing.assert_array_equal(read(path, "z", kind="numbers"), np.where(never, np.nan, 0.3))
    np.testing.assert_array_equal(read(path, "flags", kind="numbers"), np.where(never, np.nan, np.arange(20)))
    assert read(path, "name") == ["x"] * 15 + [None] * 5


@pytest.mark.parametrize("word", MISSING)
def test_every_word_for_nothing(tmp_path, word):
    (tmp_path / "t.csv").write_text(f"id,z\na,{word}\nb, {word} \n{word},1\n")
    assert np.isnan(read(tmp_path / "t.csv", "z", kind="numbers")[:2]).all()
    assert read(tmp_path / "t.csv", "id") == ["a", "b", None]


def test_ids_of_floats_are_whole_numbers_or_refused(tmp_path):
    pd.DataFrame({"id": [7.0, np.nan, 8.5]}).to_parquet(tmp_path / "t.parquet")
    assert read(tmp_path / "t.parquet", "id") == ["7", None, "8.5"]
    pd.DataFrame({"id": [3.2e18, 1.0]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="column id of .* numbers with a point, which cannot tell such as 3.2e.18"):
        read(tmp_path / "t.parquet", "id")


def test_whole_numbers_beyond_the_digits_of_a_float_are_rounded_where_floats_are_asked_for(tmp_path):
    pq.write_table(pa.table({"n": pa.array([2**62 + 1, None])}), tmp_path / "t.parquet")
    np.testing.assert_array_equal(read(tmp_path / "t.parquet", "n", kind="numbers"), [2.0**62, np.nan])


def test_odd_types_of_parquet(tmp_path):
    table = pa.table(
        {
            "dictionary": pa.array(["a", None, "b"]).dictionary_encode(),
            "bytes": pa.array([b"a  ", b"\xff", None]),
            "decimal": pa.array([1, None, 3], pa.int64()).cast(pa.decimal128(20, 0)),
            "half": pa.array(np.array([1, np.nan, 3], np.float16)),
            "unsigned": pa.array([2**64 - 1, None, 3], pa.uint64()),
            "list": pa.array([[1], [2], [3]]),
            "nothing": pa.nulls(3),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    assert "list" not in Reader(tmp_path / "t.parquet").columns
    found = {name: read(tmp_path / "t.parquet", name) for name in table.column_names if name != "list"}
    assert found["dictionary"] == ["a", None, "b"] and found["bytes"] == ["a", "\\xff", None]
    assert found["decimal"] == ["1", None, "3"] and found["half"] == ["1", None, "3"]
    assert found["unsigned"] == [str(2**64 - 1), None, "3"] and found["nothing"] == [None] * 3


def test_odd_types_of_fits(tmp_path):
    columns = [
        fits.Column("unsigned", "K", bzero=2**63, null=0, array=np.array([2**63 + 5, 2**63, 7], np.uint64)),
        fits.Column("scaled", "I", null=99, array=np.array([2, 4, 99], np.int16)),
        fits.Column("truth", "L", array=np.array([True, False, True])),
        fits.Column("padded", "8A", array=np.array(["a  ", "", " b"])),
        fits.Column("vector", "3E", array=np.zeros((3, 3))),
        fits.Column("list", "PJ()", array=np.array([[1], [2], [3]], object)),
    ]
    path = tmp_path / "t.fits"
    table = fits.BinTableHDU.from_columns(columns)
    table.header["TSCAL2"], table.header["TZERO2"] = 0.5, 10.0
    table.writeto(path)
    assert Reader(path).columns == ["unsigned", "scaled", "truth", "padded"]
    assert read(path, "unsigned") == [str(2**63 + 5), None, "7"]
    np.testing.assert_array_equal(read(path, "scaled", kind="numbers"), [11.0, 12.0, np.nan])
    assert read(path, "truth") == ["true", "false", "true"] and read(path, "padded") == ["a", None, "b"]


def test_numbers_in_an_ascii_table_of_fits(tmp_path):
    columns = [
        fits.Column("n", "I6", null="---", array=np.array([5, 6])),
        fits.Column("x", "F10.3", array=np.array([1.5, -2.25])),
        fits.Column("t", "A4", array=np.array(["ab", "c"])),
    ]
    fits.TableHDU.from_columns(columns).writeto(tmp_path / "t.fits")
    raw = (tmp_path / "t.fits").read_bytes()
    place = raw.rindex(b"     6")
    (tmp_path / "t.fits").write_bytes(raw[:place] + b"   ---" + raw[place + 6 :])
    assert read(tmp_path / "t.fits", "n") == ["5", None]
    assert read(tmp_path / "t.fits", "x", kind="numbers") == [1.5, -2.25] and read(tmp_path / "t.fits", "t") == [
        "ab",
        "c",
    ]


@pytest.mark.parametrize("form", ["fits", "vot", "ecsv", "parquet"])
def test_units_are_told(tmp_path, form):
    table = Table({"coord_ra": [1.0] * u.rad, "mag": [20.0]})
    path = tmp_path / f"t.{form}"
    table.write(path, format={"vot": "votable", "ecsv": "ascii.ecsv"}.get(form, form))
    assert Reader(path).units == {"coord_ra": "rad"}


@pytest.mark.parametrize(
    "text",
    [
        "id,ra,dec\na,1,2\nb,,4\n",
        "# a table\n# id,ra,dec\na,1,2\nb,,4\n",
        "#id,ra,dec\na,1,2\nb,,4\n",
        "id, ra , dec\r\na, 1, 2\r\n# in between, 7, 8\r\nb, , 4\r\n\r\n",
        "id;ra;dec\na;1;2\nb;;4\n",
        "id\tra\tdec\na\t1\t2\nb\t\t4\n",
        "\ufeffid,ra,dec\n\na,1,2\nb,--,4",
        'id ra dec\n  a   1  2\nb "" 4\n',
        '"id" "ra" "dec"\na 1 2\n"b" "" 4\n',
        '"id,ra,dec"\na,1,2\nb,,4\n',
        '"id","ra","dec"\n"a","1","2"\n"b","","4"\n',
    ],
)
def test_ways_to_write_a_table(tmp_path, text):
    (tmp_path / "t.txt").write_text(text, newline="")
    assert Reader(tmp_path / "t.txt").columns == ["id", "ra", "dec"]
    assert read(tmp_path / "t.txt", "id") == ["a", "b"]
    np.testing.assert_array_equal(read(tmp_path / "t.txt", "ra", kind="numbers"), [1.0, np.nan])
    assert read(tmp_path / "t.txt", "dec", kind="numbers") == [2.0, 4.0]


def test_a_cell_in_quotes_holds_anything(tmp_path):
    (tmp_path / "t.csv").write_text('id,n\n"a\n# b, ""c""",1\n"#12",2\nx#y,3\n')
    assert read(tmp_path / "t.csv", "id") == ['a\n# b, "c"', "#12", "x#y"]


def test_lines_that_are_no_rows(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,ra,dec\na,1,2\nb,1\n\nc,1,2,3\n#d,1,2\n# e,1,2\n#f\ng,5,6\n")
    table = Reader(path)
    assert [one for piece in table.pieces(["id"]) for one in piece.texts("id")] == ["a", "g"]
    assert table.refused.count == 3
    first, second, third = table.refused.reasons
    assert (
        first
        == f"line 3 of {path} must have 3 cells, as many as the header, got 2: correct it "
        + first.partition("correct it ")[2]
    )
    assert second.startswith(f"line 5 of {path} must have 3 cells, as many as the header, got 4")
    assert third.startswith(f"line 6 of {path} must be a row or a comment, got '#d,1,2': put its first cell in quotes")
    with pytest.raises(InputError, match="line 3 of .* must have 3 cells"):
        list(Reader(path, strict=True).pieces(["id"]))


def test_names_and_cells_with_line_breaks_are_told_in_one_line(tmp_path):
    (tmp_path / "t.csv").write_text('"a\tb",z\n1,"x\ny' + "z" * 90 + '"\n')
    assert read(tmp_path / "t.csv", "a\\tb") == ["1"]
    with pytest.raises(InputError, match=r"got 'x\\nyz{56}\.\.\.' in line 2"):
        read(tmp_path / "t.csv", "z", kind="numbers")


def test_a_bad_number_is_shown_with_its_line(tmp_path):
    (tmp_path / "t.csv").write_text("id,z\na,0.5\n# note\nb,0.5\nc,0:5\n")
    with pytest.raises(InputError, match=r"column z must hold numbers, got '0:5' in line 5 of .*t.csv"):
        read(tmp_path / "t.csv", "z", kind="numbers", rows=1)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "must be a table, got no rows"),
        ("t.csv", b"1,2,3\n4,5,6\n", r"the first line of .* must name the columns, got '1,2,3'"),
        ("t.csv", b"id,z\n\xff,1\n", "codec can't decode"),
        ("t.csv", b"id" + b"x" * 1_000_001, "a line of 1,000,000 letters or more"),
        ("t.csv", b"z,z\n1,2\n", "must have one column z, got 2"),
        ("t.csv", b"\x7fELF\x00,z\n", "got neither text nor a form that is known"),
        ("t.csv", b"id\n1\n", "unknown column of .*t.csv 'z': did you mean id"),
        ("t.vot", b'<VOTABLE><STREAM href="http://127.0.0.1:9/x"/></VOTABLE>', "got a STREAM with href 'http://127"),
        ("t.vot", b'<v:VOTABLE xmlns:v="x"><v:STREAM href="file:///etc/passwd"/></v:VOTABLE>', "which is not followed"),
        ("t.vot", b'<VOTABLE><STREAM encoding="gzip"/></VOTABLE>', "a STREAM of base64, got 'gzip'"),
        (
            "t.vot",
            b'<VOTABLE><TABLE nrows="9999999999"/></VOTABLE>',
            "claims '9999999999' rows, more than",
        ),
        ("t.vot", b'<VOTABLE><FIELD arraysize="99999x99*"/></VOTABLE>', "a cell may hold 10,000 letters"),
        ("t.vot", b"<VOTABLE>", "t.vot: cut short, damaged or not a table: ExpatError: no element"),
        ("t.parquet", b"PAR1 and no more", "t.parquet: cut short, damaged or not a table: ArrowInvalid: Parquet"),
        ("t.fits", b"SIMPLE  =", "t.fits: cut short, damaged or not a table"),
    ],
)
def test_what_is_no_table(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path / name, "z")
    assert "\n" not in str(caught.value)


def test_a_large_votable_is_refused_with_the_way_out(tmp_path, monkeypatch):
    path = save(Table({"id": [1]}), tmp_path, "vot")
    monkeypatch.setattr(votables, "LARGEST_VOTABLE", 100)
    with pytest.raises(InputError, match="convert it to Parquet, which is read in pieces"):
        Reader(path)


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("TFIELDS = 2147483647", "claims 2 axes and 2,147,483,647 columns, of which 999 may be"),
        ("NAXIS   = 2147483647", "claims 2,147,483,647 axes"),
        ("NAXIS2  = 2147483647", "claims .* bytes of data behind byte .* and ends before"),
        ("PCOUNT  = 2147483647", "claims .* bytes of data"),
        ("NAXIS1  =          8", "got 8 bytes by NAXIS1 and 16 by the columns"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_fits_tables_that_claim_too_much(tmp_path, card, message, packed):
    path = save(Table({"id": np.arange(20), "ra": np.zeros(20)}), tmp_path, "fits")
    raw = path.read_bytes()
    place = raw.index(card[:8].encode(), 2880)
    raw = raw[:place] + card.ljust(80).encode() + raw[place + 80 :]
    path.write_bytes(gzip.compress(raw) if packed else raw)
    with pytest.raises(InputError, match=message):
        read(path, "id")
