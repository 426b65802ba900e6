"""The readers of tables that ``benchmarks/fuzz.py`` tries: catalogues and truth, in every form."""

from __future__ import annotations

import csv
import io
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from astropy import table as astropy_table
from astropy.io import fits
from fuzz_changes import mutate_rows
from fuzz_inputs import Reader

#: Name of a form -> ending of its files.
_FORMS = {
    **{name: name for name in ("csv", "tsv", "ecsv", "parquet", "fits")},
    **{"votable": "vot", "votable-binary": "vot", "votable-binary2": "vot"},
}
#: Numbers that are held against another reader's.
_NUMBERS = ("ra", "dec", "mag")


def _rows(*, complete: bool) -> astropy_table.Table:
    rng = np.random.default_rng(3)
    never = (np.arange(30) % 7 == 3) & (not complete)
    return astropy_table.Table(
        {
            "id": astropy_table.MaskedColumn(3216988463521284001 + np.arange(30), mask=never),
            "ra": rng.uniform(0, 360, 30),
            "dec": rng.uniform(-90, 90, 30),
            "mag": astropy_table.MaskedColumn(rng.uniform(18, 24, 30).astype("f4"), mask=never),
            "flags": astropy_table.MaskedColumn(np.arange(30, dtype="i2"), mask=never),
            "class": ["GALAXY", "STAR"] * 15,
            "is_lens": np.arange(30, dtype="u1") % 2,
        }
    )


def _written(form: str, *, complete: bool) -> bytes:
    """A sound table of a form, with every cell or with some that are missing."""
    table, file = _rows(complete=complete or form == "votable-binary"), io.BytesIO()
    if form == "parquet":
        frame = table.to_pandas()
        frame.astype({"id": "Int64", "flags": "Int16"}).to_parquet(file)
    elif form == "fits":
        table["id"].unit = "pix"
        fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(table)]).writeto(file)
    elif form.startswith("votable"):
        table.write(file, format="votable", tabledata_format=form.partition("-")[2] or "tabledata")
    else:
        text = io.StringIO()
        table.write(text, format={"csv": "ascii.csv", "tsv": "ascii.tab", "ecsv": "ascii.ecsv"}[form])
        file.write(text.getvalue().encode())
    return file.getvalue()


def _seeds(form: str, *, complete: bool) -> list[bytes]:
    with warnings.catch_warnings():
        # of astropy's writer
        warnings.simplefilter("ignore")
        return [_written(form, complete=True)] + ([] if complete else [_written(form, complete=False)])


def _read_catalogue(path: Path) -> list[np.ndarray]:
    """All that search, the list of known lenses and painting do with a table; gives its numbers."""
    from lensdetect.errors import InputError
    from lensdetect.images.columns import find_columns
    from lensdetect.images.positions import axis
    from lensdetect.images.selection import Selection
    from lensdetect.images.tables import Table

    table = Table(path)
    columns = find_columns(table.columns, ["id", "ra_deg", "dec_deg", "mag", "grade"])
    axes = [axis(table, role, columns[role]) for role in ("ra_deg", "dec_deg") if columns[role]]
    selection = Selection("flags & 4 == 0 and mag + flags < 30 and not (`class` == 'STAR')")
    wanted = [*filter(None, columns.values()), *(name for name in selection.columns if name in table.columns)]
    found: list[list[np.ndarray]] = []
    for piece in table.pieces(wanted, rows=11):
        for name in wanted:
            piece.texts(name)
        for one in axes:
            one.degrees(piece)
        if set(selection.columns) <= set(table.columns):
            selection(piece)
        if set(_NUMBERS) <= set(wanted):
            found.append([piece.numbers(name) for name in _NUMBERS])
    if table.refused.count or not found:
        raise InputError(f"{table.refused.count} lines were left out")
    return [_plain(np.concatenate(values)) for values in zip(*found, strict=True)]


def _plain(values) -> np.ndarray:
    # one NaN for all that is missing
    values = np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)
    return np.where(np.isnan(values), np.nan, values)


def _astropy_rows(path: Path, *, form: str) -> list[np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = astropy_table.Table.read(path, format=form)
    return [_plain(table[name]) for name in _NUMBERS]


def _csv_rows(path: Path, *, delimiter: str) -> list[np.ndarray]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        header, *rows = [row for row in csv.reader(file, delimiter=delimiter) if row and not row[0].startswith("#")]
    places = [header.index(name) for name in _NUMBERS]
    return [np.array([float(row[place].strip() or "nan") for row in rows]) for place in places]


def _read_truth(path: Path) -> object:
    from lensdetect.data import read_truth

    return read_truth(path)


_EXPECTED = {
    "csv": partial(_csv_rows, delimiter=","),
    "tsv": partial(_csv_rows, delimiter="\t"),
    "fits": partial(_astropy_rows, form="fits"),
    **{name: partial(_astropy_rows, form="votable") for name in _FORMS if name.startswith("votable")},
}

READERS: dict[str, Reader] = {
    f"{kind}-{form}": Reader(
        f"table.{ending}", partial(_seeds, form, complete=complete), read, _EXPECTED.get(form) if compared else None,
        mutate_rows,
    )
    for kind, read, complete, compared in (
        ("catalogue", _read_catalogue, False, True),
        ("truth", _read_truth, True, False),
    )
    for form, ending in _FORMS.items()
}  # fmt: skip
