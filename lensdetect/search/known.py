"""Lenses that are known already."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.images.columns import find_columns, need_positions
from lensdetect.images.matching import SkyTree
from lensdetect.images.positions import axis
from lensdetect.images.rows import Rows
from lensdetect.images.tables import Table, table_files

#: Columns of a list of known lenses.
KNOWN_COLUMNS = ("name", "ra_deg", "dec_deg", "grade", "list")
#: How far a candidate may be from the position that a list gives of a lens: lists
#: give the deflector, the middle of the images or one of them.
MATCH_ARCSEC = 5.0
_ROLES = ("name", "ra_deg", "dec_deg", "grade")


def known_lenses(path: Path | str | None = None, *, notes: list[str] | None = None) -> pd.DataFrame:
    """All lenses that a search is compared with.

    Five lenses come with the package: those that the authors of the attention
    network (Thuruthipilly+ 2022, A&A 664, A4) showed of KiDS. Where the package
    lenscat (Vujeva+ 2024) is installed, which the extra ``known`` brings, its
    catalogue is read; not the package itself, which loads much else.

    Parameters
    ----------
    path : path, optional
        A list of your own: a table of any form that a catalogue may have, with
        columns for name, right ascension and declination (in any unit of angle,
        or as 12:00:09.5), and grade if it has one. It comes first: of two entries
        of one lens its is named.
    notes : list of str, optional
        Gets what was left out, in words.

    Returns
    -------
    DataFrame
        In the columns ``KNOWN_COLUMNS``; ``list`` is where a row is from.

    Raises
    ------
    InputError
        If the list cannot be read, has no columns of positions, or these are in a
        unit that is none of angle.
    """
    notes = [] if notes is None else notes
    shipped = files("lensdetect.search") / "data" / "attention_lenses.csv"
    parts = [] if path is None else [_read(file, Path(file).name, notes) for file in table_files(path)]
    parts.append(_read(Path(str(shipped)), "attention talk", notes))
    catalogue = lenscat_file()
    if catalogue is not None:
        parts.append(_read(catalogue, "lenscat", notes))
    return pd.concat(parts, ignore_index=True)


def name_lists(known: pd.DataFrame) -> str:
    """The lists that a search is compared with, in words, and how to get the largest.

    Parameters
    ----------
    known : DataFrame
        As ``known_lenses`` gives it.

    Returns
    -------
    str
    """
    said = ", ".join(f"{name} ({count:,})" for name, count in known["list"].value_counts(sort=False).items())
    return said if lenscat_file() else f"{said}; lenscat is not installed: pip install --no-deps lenscat"


def lenscat_file() -> Path | None:
    """Catalogue file of the package lenscat, if that is installed."""
    try:
        found = distribution("lenscat")
    except PackageNotFoundError:
        return None
    path = Path(str(found.locate_file("lenscat/data/catalog.csv")))
    return path if path.is_file() else None


def _read(path: Path, source: str, notes: list[str]) -> pd.DataFrame:
    table = Table(path)
    columns = find_columns(table.columns, _ROLES, path=path)
    need_positions(columns, table.columns, f"the list of known lenses {path}")
    axes = [axis(table, role, columns[role]) for role in ("ra_deg", "dec_deg")]
    parts, problems = [], []
    for piece in table.pieces([name for name in columns.values() if name]):
        (ra_deg, ra_problem), (dec_deg, dec_problem) = (one.degrees(piece) for one in axes)
        problems += filter(None, (ra_problem, dec_problem))
        values = (_text(piece, columns["name"]), ra_deg, dec_deg, _text(piece, columns["grade"]))
        parts.append(pd.DataFrame(dict(zip(_ROLES, values, strict=True))))
    found = pd.concat(parts or [pd.DataFrame(columns=list(_ROLES))], ignore_index=True).assign(list=source)
    placed = found[["ra_deg", "dec_deg"]].notna().all(axis=1)
    if not placed.all():
        first = f"; the first that is not empty: {problems[0]}" if problems else ""
        notes.append(f"known lenses of {source} without a position that can be used: {int((~placed).sum()):,}{first}")
    if table.refused.count:
        notes.append(
            f"lines of {source} that are no rows: {table.refused.count:,}, the first: {table.refused.reasons[0]}"
        )
    return found[placed].reset_index(drop=True)


def _text(piece: Rows, name: str) -> np.ndarray:
    if not name:
        return np.full(len(piece), "", object)
    return np.array(["" if text is None else text for text in piece.texts(name)], object)


def cross_match(candidates: pd.DataFrame, known: pd.DataFrame, *, within_arcsec: float = MATCH_ARCSEC) -> pd.DataFrame:
    """Name the nearest known lens of each candidate.

    Parameters
    ----------
    candidates : DataFrame
        ``ra_deg``, ``dec_deg``.
    known : DataFrame
        As ``known_lenses`` gives it.
    within_arcsec : float
        Farthest that they may lie apart.

    Returns
    -------
    DataFrame
        The candidates with ``known_lens`` (name, or empty), ``separation_arcsec``
        (NaN), ``known_grade`` and ``known_list``.
    """
    # of two entries of one lens the first list's is named, also where another's is nearer
    known = merge_known(known)
    tree = SkyTree(known["ra_deg"], known["dec_deg"])
    numbers, separation = tree.nearest(candidates["ra_deg"], candidates["dec_deg"], within_arcsec=within_arcsec)
    result = candidates.copy()
    for column, source in (("known_lens", "name"), ("known_grade", "grade"), ("known_list", "list")):
        texts = np.append(known[source].to_numpy(object), "")
        result[column] = texts[numbers]
    result.insert(result.columns.get_loc("known_grade"), "separation_arcsec", separation)
    return result


def merge_known(known: pd.DataFrame, *, within_arcsec: float = 2.0) -> pd.DataFrame:
    """One row a lens, where lists have several.

    Parameters
    ----------
    known : DataFrame
        As ``known_lenses`` gives it.
    within_arcsec : float
        Entries nearer than this are of one lens; the first is kept.

    Returns
    -------
    DataFrame
    """
    known = known.reset_index(drop=True)
    dropped: set[int] = set()
    for first, second in SkyTree(known["ra_deg"], known["dec_deg"]).pairs(within_arcsec):
        if first not in dropped:
            dropped.add(second)
    return known.drop(index=list(dropped)).reset_index(drop=True)
