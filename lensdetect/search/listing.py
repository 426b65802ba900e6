"""The list that a search ends in: candidates in scenes, and behind them near misses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lensdetect import flags as quality
from lensdetect.search.candidates import Cut, Ranked, merge_duplicates
from lensdetect.search.scenes import number_scenes, rows_of_scenes


def list_candidates(ranked: Ranked, cut: Cut) -> tuple[pd.DataFrame, bool]:
    """List the best scenes, and what would be among them but for a flag.

    A scene takes one of the places, and all of its members are listed that
    score higher than the first scene that has no place. A near miss has a
    rejected flag and scores as high as the last candidate; there are scenes of
    near misses up to the same number, beside those that lie in the scene of a
    candidate.

    Parameters
    ----------
    ranked : Ranked
        Of the best objects, more of them than there are places.
    cut : Cut

    Returns
    -------
    table : DataFrame
        Candidates by logit, then near misses by logit: ``rank`` from 1, the
        columns of the scores (``reason`` of near misses names the flags that
        cost them their place), ``merged``, ``near_miss`` and ``scene``.
    enough : bool
        Whether more objects than are in ``ranked`` would make no difference.
    """
    best = ranked.candidates
    kept = rows_of_scenes(number_scenes(best, within_arcsec=cut.scene_arcsec), cut.top)
    every = _has_all(best, ranked.eligible, cut)
    # where there is a place for everybody, so there would be for who has a flag
    least = best["logit"].iloc[kept - 1] if kept < len(best) or not every else -np.inf
    near = ranked.near_misses[(ranked.near_misses["logit"] >= least).to_numpy(bool)]
    table = _joined(best.head(kept), _with_reasons(near, cut))
    table = merge_duplicates(table, within_arcsec=cut.merge_arcsec)
    table["scene"] = number_scenes(table, within_arcsec=cut.scene_arcsec)
    scenes = int(table.loc[~table["near_miss"], "scene"].max()) if kept else 0
    rows = rows_of_scenes(table["scene"].to_numpy(), None if cut.top is None else scenes + cut.top)
    all_near = rows < len(table) or len(near) < len(ranked.near_misses) or _has_all(near, ranked.flagged, cut)
    table = table.head(rows).copy()
    table.insert(0, "rank", np.arange(1, rows + 1))
    return table, (kept < len(best) or every) and all_near


def _has_all(best: pd.DataFrame, count: int, cut: Cut) -> bool:
    """Whether all of so many objects are among the best, each once."""
    return cut.top is None or len(best) + int(best["merged"].sum()) == count


def _with_reasons(near: pd.DataFrame, cut: Cut) -> pd.DataFrame:
    rejected = quality.bits(*cut.rejected)
    why = ["near miss: " + ", ".join(quality.names(int(flags) & rejected)) for flags in near["flags"]]
    known = near["reason"].fillna("").astype(str)
    return near.assign(reason=[f"{one}; {two}" if two else one for one, two in zip(why, known, strict=True)])


def _joined(candidates: pd.DataFrame, near: pd.DataFrame) -> pd.DataFrame:
    """One table of both, in the types of the fuller one."""
    parts = [part for part in (candidates, near) if len(part)] or [candidates]
    is_near = np.repeat([False, True], [len(candidates), len(near)])
    return pd.concat(parts, ignore_index=True).assign(near_miss=is_near)
