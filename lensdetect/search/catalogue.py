"""The objects that are searched: a catalogue of any size, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.errors import InputError, unknown_name
from lensdetect.search.selection import Selection
from lensdetect.search.tables import column_names, read_pieces, table_files
from lensdetect.survey import Survey

#: Other names that catalogues give to id and position, tried in this order.
_USUAL = {
    "id": ("id", "object_id", "objid", "source_id", "name"),
    "ra_deg": ("ra_deg", "ra", "raj2000", "ra_icrs", "alpha_j2000"),
    "dec_deg": ("dec_deg", "dec", "decj2000", "dej2000", "de_icrs", "delta_j2000"),
}
#: How many rows are in memory at once.
_ROWS = 100_000


@dataclass(frozen=True)
class Piece:
    """Some rows of a catalogue.

    Parameters
    ----------
    objects : DataFrame
        The selected ones: ``row`` (number in the catalogue, from 0), ``id``
        (text), ``ra_deg``, ``dec_deg``.
    rows_read : int
        Rows that were looked at, selected or not.
    """

    objects: pd.DataFrame
    rows_read: int


class Catalogue:
    """A catalogue of objects in the sky, read piece by piece.

    Parameters
    ----------
    path : path
        FITS, Parquet, CSV, ECSV or VOTable; several of those, or a folder or glob
        of them, taken as one; or a HATS folder.
    survey : Survey
        Its own column names are tried first.
    select : str, optional
        An expression over the columns, or the name of a selection of the survey.
    columns : dict of str, optional
        Names of the columns for ``id``, ``ra_deg``, ``dec_deg``, where they are others.

    Attributes
    ----------
    files : list of Path
        In the order in which they are read.
    columns : dict of str
        Column of each role; ``id`` is empty where rows are numbered.
    selection : Selection or None

    Raises
    ------
    InputError
        If there is nothing to read, or a column is not there.
    """

    def __init__(
        self,
        path: Path | str | Sequence[Path | str],
        *,
        survey: Survey,
        select: str | None = None,
        columns: dict[str, str] | None = None,
    ):
        self.files = table_files(path)
        found = column_names(self.files[0])
        self.columns = _roles(found, survey, columns or {}, path=self.files[0])
        self.selection = None if select is None else Selection(named_selection(survey, select))
        if self.selection is not None:
            self.selection.check_columns(found)

    def pieces(self, rows: int = _ROWS) -> Iterator[Piece]:
        """Read the catalogue.

        Parameters
        ----------
        rows : int
            Rows in memory at once.

        Yields
        ------
        Piece
            In order.

        Raises
        ------
        InputError
            If a file cannot be read, or lacks a column that the first one has.
        """
        needed = [name for name in self.columns.values() if name]
        needed += [name for name in (self.selection.columns if self.selection else ()) if name not in needed]
        start = 0
        for file in self.files:
            for name in needed:
                if name not in (known := column_names(file)):
                    raise unknown_name(f"column of the catalogue {file}", name, known)
            for piece in read_pieces(file, needed, rows=rows):
                yield self._piece(piece, start)
                start += len(piece)

    def _piece(self, piece: pd.DataFrame, start: int) -> Piece:
        numbers = np.arange(start, start + len(piece), dtype=np.int64)
        ids = piece[self.columns["id"]].astype(str) if self.columns["id"] else pd.Series(numbers).astype(str)
        objects = pd.DataFrame(
            {
                "row": numbers,
                "id": ids.to_numpy(object),
                "ra_deg": _degrees(piece[self.columns["ra_deg"]], self.columns["ra_deg"]),
                "dec_deg": _degrees(piece[self.columns["dec_deg"]], self.columns["dec_deg"]),
            }
        )
        if self.selection is not None:
            objects = objects[self.selection(piece)].reset_index(drop=True)
        return Piece(objects, len(piece))


def _degrees(values: pd.Series, name: str) -> np.ndarray:
    try:
        return values.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError(
            f"column {name} must hold degrees as numbers, got such as {values.iloc[0]!r}: convert it"
        ) from None


def _roles(found: list[str], survey: Survey, given: dict[str, str], *, path: Path) -> dict[str, str]:
    """Column of each role: as given, else the survey's name, else a usual one."""
    for role, name in given.items():
        if role not in _USUAL:
            raise unknown_name("role of a column", role, _USUAL)
        if name not in found:
            raise unknown_name(f"column of {path}", name, found)
    by_lower = {name.lower(): name for name in reversed(found)}
    own = survey.catalogue
    roles = {}
    for role, usual in _USUAL.items():
        names = (given.get(role, ""), getattr(own, role) if own else "", *usual)
        roles[role] = next((by_lower[name.lower()] for name in names if name.lower() in by_lower), "")
        if role in given:
            roles[role] = given[role]
    for role in ("ra_deg", "dec_deg"):
        if not roles[role]:
            raise InputError(
                f"{path} must have a column for {role}, got {', '.join(found[:12])}: name it with --columns {role}=NAME"
            )
    return roles


def named_selection(survey: Survey, select: str) -> str:
    """Expression of a selection: the survey's own, where it has one of that name.

    Parameters
    ----------
    survey : Survey
    select : str
        A name, or an expression.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If it looks like a name and the survey has no selection of that name.
    """
    named = dict(survey.selections)
    if select in named:
        return named[select]
    if select.isidentifier():
        if not named:
            raise InputError(f"survey {survey.name} has no named selections, got {select!r}: give an expression")
        raise unknown_name(f"selection of survey {survey.name}", select, named)
    return select
