"""Lenses that are known already."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.search.sphere import SkyTree
from lensdetect.search.tables import column_names, read_pieces, table_files

#: Columns of a list of known lenses.
KNOWN_COLUMNS = ("name", "ra_deg", "dec_deg", "grade", "list")
#: How far a candidate may be from the position that a list gives of a lens: lists
#: give the deflector, the middle of the images or one of them.
MATCH_ARCSEC = 5.0
#: Names that lists give to their columns, in small letters.
_USUAL = {
    "name": ("name", "id", "object", "object_id", "system", "designation"),
    "ra_deg": ("ra_deg", "ra", "ra [deg]", "raj2000", "ra_icrs", "alpha_j2000"),
    "dec_deg": ("dec_deg", "dec", "dec [deg]", "decj2000", "dej2000", "de_icrs", "delta_j2000"),
    "grade": ("grade", "grading", "class", "quality"),
}
_ROWS = 100_000


def known_lenses(path: Path | str | None = None) -> pd.DataFrame:
    """All lenses that a search is compared with.

    Five lenses come with the package: those that the authors of the attention
    network (Thuruthipilly+ 2022, A&A 664, A4) showed of KiDS. Where the package
    lenscat (Vujeva+ 2024) is installed, which the extra ``known`` brings, its
    catalogue is read; not the package itself, which loads much else.

    Parameters
    ----------
    path : path, optional
        A list of your own: a table of any form that a catalogue may have, with
        columns for name, right ascension and declination in degrees, and grade
        if it has one. It comes first: of two entries of one lens its is named.

    Returns
    -------
    DataFrame
        In the columns ``KNOWN_COLUMNS``; ``list`` is where a row is from.

    Raises
    ------
    InputError
        If the list cannot be read or has no positions.
    """
    shipped = files("lensdetect.search") / "data" / "attention_lenses.csv"
    parts = [] if path is None else [_read(file, Path(file).name) for file in table_files(path)]
    parts.append(_read(Path(str(shipped)), "attention talk"))
    catalogue = lenscat_file()
    if catalogue is not None:
        parts.append(_read(catalogue, "lenscat"))
    return pd.concat(parts, ignore_index=True)


def lenscat_file() -> Path | None:
    """Catalogue file of the package lenscat, if that is installed."""
    try:
        found = distribution("lenscat")
    except PackageNotFoundError:
        return None
    path = Path(str(found.locate_file("lenscat/data/catalog.csv")))
    return path if path.is_file() else None


def _read(path: Path, source: str) -> pd.DataFrame:
    columns = column_names(path)
    names = {name.lower(): name for name in reversed(columns)}
    roles = {role: next((names[name] for name in usual if name in names), "") for role, usual in _USUAL.items()}
    missing = [role for role in ("ra_deg", "dec_deg") if not roles[role]]
    if missing:
        raise InputError(
            f"a list of known lenses must have columns ra_deg and dec_deg, got {', '.join(columns)} "
            f"in {path}: rename them"
        )
    used = list(dict.fromkeys(name for name in roles.values() if name))
    table = pd.concat(list(read_pieces(path, used, rows=_ROWS)) or [pd.DataFrame(columns=used)], ignore_index=True)
    found = pd.DataFrame(
        {
            role: pd.to_numeric(table[roles[role]], errors="coerce").astype(float)
            if role.endswith("_deg")
            else _text(table, roles[role])
            for role in KNOWN_COLUMNS[:4]
        }
    )
    found["list"] = source
    return found[np.isfinite(found["ra_deg"]) & (found["dec_deg"].abs() <= 90.0)].reset_index(drop=True)


def _text(table: pd.DataFrame, name: str) -> pd.Series:
    if not name:
        return pd.Series([""] * len(table), dtype=object)
    return table[name].fillna("").astype(str).astype(object)


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
