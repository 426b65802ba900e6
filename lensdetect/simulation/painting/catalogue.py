"""The user's catalogue: which galaxies, and what is known of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.images.columns import columns_of, find_columns
from lensdetect.images.positions import axis
from lensdetect.images.rows import Rows
from lensdetect.images.tables import Table
from lensdetect.text import shown

#: Columns that are used, by role: ``images.columns.ROLES`` has the names that they may have.
ROLES = (
    "id", "file", "index", "ra_deg", "dec_deg", "mag", "redshift", "velocity_dispersion_km_s", "einstein_radius_arcsec",
)  # fmt: skip


def read_catalogue(path: Path | str) -> pd.DataFrame:
    """Read a catalogue of galaxies.

    Parameters
    ----------
    path : path
        A table of any form that ``images.tables`` reads. Column names are those
        of ``images.columns.ROLES`` in any case; other columns are left out.

    Returns
    -------
    DataFrame
        The columns of ``ROLES`` that are there: ``id`` and ``file`` as text, as it
        stands in the table, the others as float, NaN where unknown; positions in
        degrees.

    Raises
    ------
    InputError
        If it cannot be read, a line is no row, it is empty, has no ids or the
        same id twice, or a value is not a number, or a position is none.
    """
    table = Table(path, strict=True)
    columns = {role: name for role, name in find_columns(table.columns, ROLES, path=path).items() if name}
    parts = [] if "id" not in columns else [
        pd.DataFrame({role: _values(table, piece, role, name) for role, name in columns.items()})
        for piece in table.pieces([part for name in columns.values() for part in columns_of(name, table.columns)])
    ]  # fmt: skip
    if not parts:
        raise InputError(
            f"catalogue {path} must have a column id and a row for each galaxy, got "
            f"{'no rows' if 'id' in columns else 'rows'} of {', '.join(table.columns[:12])}"
        )
    rows = pd.concat(parts, ignore_index=True)
    double = rows["id"][rows["id"].duplicated()]
    if len(double):
        raise InputError(
            f"ids of catalogue {path} must be different, got {shown(double.iloc[0])} twice: number the rows anew"
        )
    return rows


def _values(table: Table, piece: Rows, role: str, name: str) -> np.ndarray:
    if role == "id":
        return _ids(piece, columns_of(name, table.columns))
    if role == "file":
        return np.array([text or "" for text in piece.texts(name)], object)
    if role in ("ra_deg", "dec_deg"):
        degrees, problem = axis(table, role, name).degrees(piece)
        if problem:
            raise InputError(f"positions must be angles within the sky, got {problem}: correct it or leave it empty")
        return degrees
    return piece.numbers(name)


def _ids(piece: Rows, names: list[str]) -> np.ndarray:
    parts = [piece.texts(name) for name in names]
    for row, found in enumerate(zip(*parts, strict=True)):
        if None in found:
            raise InputError(f"each galaxy must have an id, got none in {piece.where(row)}: give it one")
    return np.array(["_".join(found) for found in zip(*parts, strict=True)], object)
