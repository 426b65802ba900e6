"""Damaged tables: each ends in a reading or in one clear error, soon, and without much memory.

``LENSDETECT_FUZZ=10000`` reads so many of each form instead of the few of the suite.
"""

from __future__ import annotations

import io
import os
import random
import signal
import warnings

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from lensdetect.data import read_truth
from lensdetect.errors import InputError
from lensdetect.images.columns import find_columns
from lensdetect.images.positions import axis
from lensdetect.images.selection import Selection
from lensdetect.images.tables import Table as Reader

COUNT = int(os.environ.get("LENSDETECT_FUZZ", "60"))
#: Longest that one input may take.
LONGEST_S = 20

#: What damaged headers, and people who mean harm, write into numbers.
_NUMBERS = [
    b"0",
    b"-1",
    b"1",
    b"7",
    b"255",
    b"999",
    b"65536",
    b"2147483647",
    b"-2147483648",
    b"9223372036854775807",
    b"1E30",
]
_WORDS = [
    b"", b"nan", b"'", b'"', b"#", b"\x00", b"\xff\xfe", b"\n", b"\t", b"''", b"<", b"href", b"TNULL1  =", b"END", b"K",
    b"PJ(9)", b"10000000A", b"QE", b"TDIM1   = '(3,4)'", b"=1+1", b"\x1b[2J", b"&a;", b"gzip",
]  # fmt: skip


def rows(*, complete: bool) -> Table:
    rng = np.random.default_rng(3)
    never = (np.arange(30) % 7 == 3) & (not complete)
    return Table(
        {
            "id": MaskedColumn(3216988463521284001 + np.arange(30), mask=never),
            "ra": rng.uniform(0, 360, 30),
            "dec": rng.uniform(-90, 90, 30),
            "mag": MaskedColumn(rng.uniform(18, 24, 30).astype("f4"), mask=never),
            "flags": MaskedColumn(np.arange(30, dtype="i2"), mask=never),
            "class": ["GALAXY", "STAR"] * 15,
            "is_lens": np.arange(30, dtype="u1") % 2,
        }
    )


def written(form: str, *, complete: bool) -> bytes:
    """A sound table of the form, with every cell or with some that are missing."""
    table, file = rows(complete=complete or form == "binary"), io.BytesIO()
    if form == "parquet":
        frame = pd.DataFrame({name: table[name].tolist() for name in table.colnames})
        frame.astype({"id": "Int64", "flags": "Int16"}).to_parquet(file)
    elif form == "fits":
        table["id"].unit = "pix"
        fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(table)]).writeto(file)
    elif form in ("binary", "binary2"):
        table.write(file, format="votable", tabledata_format=form)
    elif form == "vot":
        table.write(file, format="votable")
    else:
        text = io.StringIO()
        table.write(text, format={"csv": "ascii.csv", "tsv": "ascii.tab", "ecsv": "ascii.ecsv"}[form])
        file.write(text.getvalue().encode())
    return file.getvalue()


def damaged(sound: bytes, rng: random.Random) -> bytes:
    """The same with one to four faults: bits, bytes, cuts, pieces twice, other numbers, other words."""
    data = bytearray(sound)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) + 1) if rng.random() < 0.5 else rng.randrange(min(len(data), 9000) + 1)
        kind = rng.randrange(7)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[place : place + rng.randrange(9)] = rng.randbytes(rng.randrange(9))
        elif kind == 2:
            del data[place:]
        elif kind == 3:
            end = place + rng.randrange(400)
            data[place:place] = data[place:end]
        elif kind == 4:
            number = _next_number(data, place)
            data[number[0] : number[1]] = rng.choice(_NUMBERS)
        elif kind == 5:
            word = rng.choice(_WORDS)
            data[place : place + len(word)] = word
        else:
            data[place:place] = rng.choice(_WORDS)
    return bytes(data)


def _next_number(data: bytearray, place: int) -> tuple[int, int]:
    start = next((at for at in range(place, min(place + 2000, len(data))) if chr(data[at]).isdigit()), place)
    end = start
    while end < len(data) and end < start + 20 and chr(data[end]).isdigit():
        end += 1
    return start, end


def use(path) -> None:
    """All that search, the list of known lenses and painting do with a table."""
    table = Reader(path)
    columns = find_columns(table.columns, ["id", "ra_deg", "dec_deg", "mag", "grade"])
    axes = [axis(table, role, columns[role]) for role in ("ra_deg", "dec_deg") if columns[role]]
    selection = Selection("flags & 4 == 0 and mag + flags < 30 and not (`class` == 'STAR')")
    wanted = [*filter(None, columns.values()), *(name for name in selection.columns if name in table.columns)]
    for piece in table.pieces(wanted, rows=11):
        for name in wanted:
            piece.texts(name)
        for one in axes:
            one.degrees(piece)
        if set(selection.columns) <= set(table.columns):
            selection(piece)


@pytest.fixture
def short_of_time():
    """Let an input that hangs fail instead."""

    def give_up(number, frame):
        raise TimeoutError(f"an input took more than {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, give_up)
    yield lambda: signal.alarm(LONGEST_S)
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("work", [use, read_truth], ids=["catalogue", "truth"])
@pytest.mark.parametrize("form", ["csv", "tsv", "ecsv", "vot", "binary", "binary2", "fits", "parquet"])
def test_a_damaged_table_is_read_or_refused_in_one_line(form, work, tmp_path, short_of_time):
    with warnings.catch_warnings():
        # of astropy's writer
        warnings.simplefilter("ignore")
        sound = written(form, complete=work is read_truth)
    path = tmp_path / f"table.{form}"
    path.write_bytes(sound)
    work(path)
    for seed in range(COUNT if work is use else COUNT // 4):
        data = damaged(sound, random.Random(f"{form} {seed}"))
        path.write_bytes(data)
        short_of_time()
        try:
            work(path)
        except InputError as error:
            assert "\n" not in str(error), f"seed {seed}: {error}"
        except Exception as error:
            raise AssertionError(f"{form}, seed {seed}: {error!r}") from error
