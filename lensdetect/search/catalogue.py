"""The objects that are searched: a catalogue of any size, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.errors import InputError, unknown_name
from lensdetect.images.columns import columns_of, find_columns, need_positions
from lensdetect.images.positions import Axis, axis
from lensdetect.images.rows import Rows
from lensdetect.images.selection import Selection
from lensdetect.images.tables import ROWS, Table, table_files
from lensdetect.survey import Survey

_ROLES = ("id", "ra_deg", "dec_deg")


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


@dataclass
class Told:
    """What has to be known of a catalogue beside its objects.

    Parameters
    ----------
    without_id : int
        Selected objects without an id; they are called by their row.
    without_position : int
        Selected objects without a position that can be used.
    bad_position : str
        The first cell of a position that could not be used, with its place.
    lines_refused : int
        Lines that are no rows.
    reasons : list of str
        Of the first of these.
    ra_deg, dec_deg : tuple of float
        Smallest and largest coordinates of the selected objects.
    """

    without_id: int = 0
    without_position: int = 0
    bad_position: str = ""
    lines_refused: int = 0
    reasons: list[str] = field(default_factory=list)
    ra_deg: tuple[float, float] = (np.inf, -np.inf)
    dec_deg: tuple[float, float] = (np.inf, -np.inf)

    def add(self, objects: pd.DataFrame, problem: str, without_id: int) -> None:
        """Take in what a piece has."""
        ra, dec = objects["ra_deg"].to_numpy(), objects["dec_deg"].to_numpy()
        known = np.isfinite(ra) & np.isfinite(dec)
        self.without_id += without_id
        self.without_position += int(np.sum(~known))
        self.bad_position = self.bad_position or problem
        if known.any():
            self.ra_deg = (min(self.ra_deg[0], float(ra[known].min())), max(self.ra_deg[1], float(ra[known].max())))
            self.dec_deg = (
                min(self.dec_deg[0], float(dec[known].min())),
                max(self.dec_deg[1], float(dec[known].max())),
            )

    def notes(self) -> list[str]:
        """What went wrong, in words."""
        notes = []
        if self.lines_refused:
            more = (
                ""
                if self.lines_refused == len(self.reasons)
                else f", and {self.lines_refused - len(self.reasons):,} more"
            )
            notes.append(
                f"lines of the catalogue that are no rows: {self.lines_refused:,}: {'; '.join(self.reasons)}{more}"
            )
        if self.without_position:
            first = f"; the first that is not empty: {self.bad_position}" if self.bad_position else ""
            notes.append(
                f"objects without a position that can be used: {self.without_position:,}, listed in "
                f"objects/outside.parquet{first}"
            )
        return notes


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
        Names of the columns for ``id``, ``ra_deg``, ``dec_deg``, where they are
        others than ``images.columns.ROLES`` has. An id may be several columns
        with ``+`` between them.

    Attributes
    ----------
    files : list of Path
        In the order in which they are read.
    columns : dict of str
        Column of each role; ``id`` is empty where rows are numbered.
    selection : Selection or None
    told : Told
        Of the pieces that were read last.

    Raises
    ------
    InputError
        If there is nothing to read, a column is not there, or positions are in
        a unit that is none of angle.
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
        first = Table(self.files[0])
        own = {role: getattr(survey.catalogue, role) for role in _ROLES} if survey.catalogue else {}
        self.columns = find_columns(first.columns, _ROLES, given=columns, own=own, path=first.file)
        need_positions(self.columns, first.columns, first.file, option="--columns")
        self._ids = columns_of(self.columns["id"], first.columns)
        self._axes(first)
        self.selection = None if select is None else Selection(named_selection(survey, select))
        if self.selection is not None:
            self.selection.check_columns(first.columns)
        self.told = Told()
        # so that a VOTable, which is read whole, is not read again at once
        self._opened = {first.file: first}

    def pieces(self, rows: int = ROWS) -> Iterator[Piece]:
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
        needed = [*self._ids, self.columns["ra_deg"], self.columns["dec_deg"]]
        needed += self.selection.columns if self.selection else ()
        self.told, start = Told(), 0
        for file in self.files:
            table = self._opened.pop(file, None) or Table(file)
            axes = self._axes(table)
            for piece in table.pieces(needed, rows=rows):
                yield self._piece(piece, axes, start)
                start += len(piece)
            self.told.lines_refused += table.refused.count
            self.told.reasons = (self.told.reasons + table.refused.reasons)[:3]

    def _axes(self, table: Table) -> list[Axis]:
        for role in ("ra_deg", "dec_deg"):
            if self.columns[role] not in table.columns:
                raise unknown_name(f"column of {table.file}", self.columns[role], table.columns)
        return [axis(table, role, self.columns[role]) for role in ("ra_deg", "dec_deg")]

    def _piece(self, piece: Rows, axes: list[Axis], start: int) -> Piece:
        numbers = np.arange(start, start + len(piece), dtype=np.int64)
        ids, is_missing = self._names(piece, numbers)
        (ra_deg, ra_problem), (dec_deg, dec_problem) = (one.degrees(piece) for one in axes)
        objects = pd.DataFrame({"row": numbers, "id": ids, "ra_deg": ra_deg, "dec_deg": dec_deg})
        taken = np.ones(len(piece), bool) if self.selection is None else self.selection(piece)
        objects = objects[taken].reset_index(drop=True)
        self.told.add(objects, ra_problem or dec_problem, int(np.sum(is_missing & taken)))
        return Piece(objects, len(piece))

    def _names(self, piece: Rows, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ids as they stand in the file, several columns joined by ``_``; and where there is none."""
        if not self._ids:
            return numbers.astype(str).astype(object), np.zeros(len(piece), bool)
        parts = [piece.texts(name) for name in self._ids]
        is_missing = np.any([pd.isna(part) for part in parts], axis=0)
        joined = ["_".join(map(str, found)) for found in zip(*parts, strict=True)]
        names = np.array(joined if len(parts) > 1 else parts[0], object)
        names[is_missing] = [f"row {row}" for row in numbers[is_missing]]
        return names, is_missing


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
