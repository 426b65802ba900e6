"""The best of all scores, found in one pass over what is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect import flags as quality
from lensdetect.errors import unknown_name
from lensdetect.images.matching import SkyTree
from lensdetect.search.scenes import check_radius
from lensdetect.search.scores import score_pieces

#: Flags with which an object is no candidate but a near miss: what causes the false
#: positives of real searches, and second entries of one object.
REJECTED = ("saturated", "trail", "bad_column", "bad_background", "cosmic_ray", "misaligned", "duplicate")
#: Entries of one object that overlapping tiles show lie nearer than this.
MERGE_ARCSEC = 1.0
#: Borders of the histogram of logits.
HISTOGRAM_EDGES = np.arange(-60.0, 60.5, 0.5)
_ROWS = 100_000


@dataclass(frozen=True)
class Cut:
    """Which objects become candidates.

    Parameters
    ----------
    top : int or None
        How many scenes, the highest logits first.
    threshold : float or None
        Least probability, instead of a number.
    rejected : tuple of str
        Names of flags with which an object is none, but a near miss.
    merge_arcsec : float
        Objects nearer than this are one.
    scene_arcsec : float
        Candidates nearer than this to a better one are of its scene.
    """

    top: int | None = 1000
    threshold: float | None = None
    rejected: tuple[str, ...] = REJECTED
    merge_arcsec: float = MERGE_ARCSEC
    scene_arcsec: float = quality.ARC_RADIUS_ARCSEC

    def __post_init__(self):
        """Refuse flags that do not exist, and radii that are none."""
        check_radius("scene_arcsec", self.scene_arcsec)
        check_radius("merge_arcsec", self.merge_arcsec)
        for name in self.rejected:
            if name not in quality.FLAGS:
                raise unknown_name("flag", name, quality.FLAGS)

    def eligible(self, table: pd.DataFrame) -> np.ndarray:
        """Which objects have a score and none of the rejected flags."""
        return table["logit"].notna().to_numpy() & ~self._rejects(table)

    def flagged(self, table: pd.DataFrame) -> np.ndarray:
        """Which objects have a score and some rejected flag."""
        return table["logit"].notna().to_numpy() & self._rejects(table)

    def _rejects(self, table: pd.DataFrame) -> np.ndarray:
        return (table["flags"].to_numpy(np.int64) & quality.bits(*self.rejected)) != 0


@dataclass
class Ranked:
    """What one pass over all scores gives.

    Parameters
    ----------
    candidates : DataFrame
        Best first: the columns of the scores, and ``merged``, how many other
        entries of the same object were taken into it. After ``list_candidates``
        with ``rank``, ``near_miss`` and ``scene``, near misses at the end.
    near_misses : DataFrame
        The same of those with a rejected flag.
    objects, scored, eligible, flagged : int
        All, those with a score, and those of them without and with a rejected flag.
    histogram : ndarray
        Of the logits of the eligible, in ``HISTOGRAM_EDGES``.
    flag_counts : dict of int
        Objects by name of flag.
    scored_in : dict of int
        Objects with a score by name of tile.
    """

    candidates: pd.DataFrame = field(default_factory=pd.DataFrame)
    near_misses: pd.DataFrame = field(default_factory=pd.DataFrame)
    objects: int = 0
    scored: int = 0
    eligible: int = 0
    flagged: int = 0
    histogram: np.ndarray = field(default_factory=lambda: np.zeros(len(HISTOGRAM_EDGES) - 1, np.int64))
    flag_counts: dict[str, int] = field(default_factory=dict)
    scored_in: dict[str, int] = field(default_factory=dict)

    def count(self, table: pd.DataFrame, eligible: np.ndarray, flagged: np.ndarray) -> None:
        """Take some more objects into the counts."""
        self.objects += len(table)
        for tile, count in table["logit"].notna().groupby(table["tile"]).sum().items():
            self.scored += int(count)
            self.scored_in[tile] = self.scored_in.get(tile, 0) + int(count)
        self.eligible += int(eligible.sum())
        self.flagged += int(flagged.sum())
        logit = np.clip(table["logit"].to_numpy()[eligible], HISTOGRAM_EDGES[0], HISTOGRAM_EDGES[-1])
        self.histogram += np.histogram(logit, HISTOGRAM_EDGES)[0]
        flags = table["flags"].to_numpy()
        for flag in quality.FLAGS.values():
            found = int(np.count_nonzero(flags & flag.value))
            if found:
                self.flag_counts[flag.name] = self.flag_counts.get(flag.name, 0) + found


def rank_scores(
    paths: Iterable[Path],
    cut: Cut,
    *,
    columns: Sequence[str],
    update: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table,
) -> Ranked:
    """Find the best of all scores, with and without a rejected flag.

    Parameters
    ----------
    paths : iterable of Path
        Tables of scores.
    cut : Cut
        Its ``top`` is here a number of objects.
    columns : sequence of str
        Of the scores.
    update : callable
        What is known of some objects since their table was written: takes and
        gives a piece of one.

    Returns
    -------
    Ranked
    """
    ranked, clean, flagged = Ranked(), _Best(cut, columns), _Best(cut, columns)
    for table in map(update, score_pieces(paths)):
        is_clean, is_flagged = cut.eligible(table), cut.flagged(table)
        ranked.count(table, is_clean, is_flagged)
        clean.add(table, is_clean)
        flagged.add(table, is_flagged)
    ranked.candidates, ranked.near_misses = clean.settled(), flagged.settled()
    return ranked


class _Best:
    """The best of all that comes, with no more of it in memory than has to be."""

    def __init__(self, cut: Cut, columns: Sequence[str]):
        self._cut, self._pending, self._waiting = cut, [], 0
        self._table = pd.DataFrame(columns=list(columns))

    def add(self, table: pd.DataFrame, wanted: np.ndarray) -> None:
        """Take some rows of a piece of a table."""
        entering = table[wanted & self._high_enough(table)]
        if len(entering):
            self._pending.append(entering)
            self._waiting += len(entering)
        if self._waiting >= _ROWS:
            self.settled()

    def settled(self) -> pd.DataFrame:
        """The best so far, in order, each object once."""
        self._table = _best_of([self._table, *self._pending], self._cut)
        self._pending, self._waiting = [], 0
        return self._table

    def _high_enough(self, table: pd.DataFrame) -> np.ndarray:
        cut, best = self._cut, self._table
        if cut.threshold is not None:
            return table["probability"].to_numpy() >= cut.threshold
        if cut.top is None or len(best) < cut.top:
            return np.ones(len(table), bool)
        return table["logit"].to_numpy() >= best["logit"].iloc[-1]


def _best_of(tables: list[pd.DataFrame], cut: Cut) -> pd.DataFrame:
    """The best of all tables, in order, each object once."""
    table = pd.concat([part for part in tables if len(part)] or tables, ignore_index=True)
    if not len(table):
        return table.assign(merged=pd.Series(dtype=np.int64))
    if "merged" not in table:
        table["merged"] = 0
    table["merged"] = table["merged"].fillna(0).astype(np.int64)
    table = table.sort_values(["logit", "row"], ascending=[False, True], kind="stable", ignore_index=True)
    table = merge_duplicates(table, within_arcsec=cut.merge_arcsec)
    return table if cut.threshold is not None or cut.top is None else table.head(cut.top)


def merge_duplicates(table: pd.DataFrame, *, within_arcsec: float) -> pd.DataFrame:
    """Keep the first of the entries that are one object.

    Parameters
    ----------
    table : DataFrame
        ``ra_deg``, ``dec_deg`` and ``merged``; best first.
    within_arcsec : float
        Farthest that two entries of one object lie apart.

    Returns
    -------
    DataFrame
        In the same order; ``merged`` of the kept has grown.
    """
    merged, taken = table["merged"].to_numpy().copy(), np.zeros(len(table), bool)
    for first, second in SkyTree(table["ra_deg"], table["dec_deg"]).pairs(within_arcsec):
        if not taken[first] and not taken[second]:
            taken[second] = True
            merged[first] += 1 + merged[second]
    return table.assign(merged=merged)[~taken].reset_index(drop=True)
