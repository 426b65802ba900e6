"""Ordinary objects of a search: a small random sample of what is not listed, for grading to paint on and to mix in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.images.matching import SkyTree
from lensdetect.search.candidates import Cut
from lensdetect.search.known import MATCH_ARCSEC
from lensdetect.search.scenes import number_scenes
from lensdetect.search.scores import score_pieces

#: How many are kept: enough for the lenses and duds among a thousand candidates.
NUM_ORDINARY = 200
#: Of the draw: the same search draws the same objects.
_SEED = 2026
#: Objects in hand for each that is kept, as some lie near another of them.
_SPARE = 2
#: Columns that a draw looks at: text would take most of the time.
_LOOKED_AT = ["row", "ra_deg", "dec_deg", "logit", "flags"]


def draw_ordinary(
    tables: Sequence[Path],
    listed: pd.DataFrame,
    lenses: pd.DataFrame,
    *,
    cut: Cut,
    count: int,
    columns: Sequence[str],
) -> pd.DataFrame:
    """Draw some of all objects that could have been candidates and are not listed.

    Each object has a random number that follows from its row in the catalogue
    alone, and those with the lowest are drawn: so the draw is the same in
    whatever order tiles are searched, and a larger one begins with a smaller one.

    Parameters
    ----------
    tables : sequence of Path
        Of scores.
    listed : DataFrame
        Candidates and near misses: neither these nor what lies in their scenes is drawn.
    lenses : DataFrame
        Known ones; what may be one of them is not drawn either.
    cut : Cut
        That made the candidates.
    count : int
        How many, where there are so many.
    columns : sequence of str
        Of the scores.

    Returns
    -------
    DataFrame
        ``draw`` from 1, and the columns of the scores, in the order of the draw;
        one object of each scene.
    """
    within_arcsec = max(cut.scene_arcsec, cut.merge_arcsec, MATCH_ARCSEC)
    places = [table[["ra_deg", "dec_deg"]].astype(float) for table in (listed, lenses) if len(table)]
    near = pd.concat(places or [pd.DataFrame(columns=["ra_deg", "dec_deg"], dtype=float)])
    taken = SkyTree(near["ra_deg"].to_numpy(), near["dec_deg"].to_numpy())
    drawn = _Draw(_SPARE * count)
    for number, path in enumerate(tables):
        for piece in score_pieces([path], _LOOKED_AT):
            some = piece[cut.eligible(piece) & drawn.wants(piece)]
            beside = taken.nearest(some["ra_deg"], some["dec_deg"], within_arcsec=within_arcsec)[0] >= 0
            drawn.add(some[~beside].assign(table=number))
    found = drawn.lowest
    scenes = pd.Series(number_scenes(found, within_arcsec=within_arcsec), index=found.index)
    found = _whole(found[~scenes.duplicated()].head(count), tables, columns)
    found.insert(0, "draw", np.arange(1, len(found) + 1))
    return found


class _Draw:
    """The lowest random numbers of all that comes, with no more of it in memory than has to be."""

    def __init__(self, count: int):
        self._count, self._highest = count, None
        #: What was drawn, the lowest first.
        self.lowest = pd.DataFrame(columns=[*_LOOKED_AT, "table"])

    def wants(self, table: pd.DataFrame) -> np.ndarray:
        """Which rows are low enough to be drawn, as far as is known."""
        if self._highest is None:
            return np.full(len(table), self._count > 0)
        return row_noise(table["row"].to_numpy(), seed=_SEED) < self._highest

    def add(self, table: pd.DataFrame) -> None:
        """Take some rows of a piece of a table."""
        if not len(table):
            return
        both = pd.concat([self.lowest, table], ignore_index=True) if len(self.lowest) else table
        noise = row_noise(both["row"].to_numpy(), seed=_SEED)
        order = np.argsort(noise, kind="stable")[: self._count]
        self.lowest = both.iloc[order].reset_index(drop=True)
        if len(order) == self._count:
            self._highest = noise[order[-1]]


def _whole(drawn: pd.DataFrame, tables: Sequence[Path], columns: Sequence[str]) -> pd.DataFrame:
    """All columns of what was drawn, in the same order."""
    wanted = [tables[number] for number in sorted(set(drawn["table"]))] or list(tables[:1])
    parts = [piece[piece["row"].isin(drawn["row"])] for piece in score_pieces(wanted)]
    if not parts:
        return pd.DataFrame(columns=list(columns))
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return found.set_index("row").loc[drawn["row"].astype(np.int64)].reset_index()[list(columns)]


def row_noise(row: np.ndarray, *, seed: int) -> np.ndarray:
    """A random number of each row of a catalogue, another one for each.

    The generator SplitMix64 (Steele, Lea & Flood 2014, OOPSLA '14, figures 16 and
    17), of which each number can be had without those before.

    Parameters
    ----------
    row : ndarray
        Whole numbers ``(n,)``.
    seed : int

    Returns
    -------
    ndarray
        uint64 ``(n,)``.
    """
    state = (np.asarray(row).astype(np.uint64) + np.uint64(seed << 40)) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
