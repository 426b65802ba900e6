"""What became of the lenses that are known: found, at which rank, or missed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect import flags as quality
from lensdetect.images.assignment import assign
from lensdetect.images.index import TileIndex
from lensdetect.images.matching import SkyTree
from lensdetect.search.candidates import Cut, Ranked
from lensdetect.search.known import MATCH_ARCSEC, merge_known
from lensdetect.search.scores import score_pieces

#: What a known lens can have become.
FOUND, BELOW, FLAGGED, NO_SCORE, NOT_SELECTED = "found", "score", "flag", "no score", "selection"
#: Columns of what became of them.
FATE_COLUMNS = ["name", "ra_deg", "dec_deg", "grade", "list", "tile", "fate", "rank", "logit", "flags", "id", "why"]


def fates(known: pd.DataFrame, index: TileIndex, *, paths: Sequence[Path], ranked: Ranked, cut: Cut) -> pd.DataFrame:
    """What became of the known lenses in the footprint.

    Parameters
    ----------
    known : DataFrame
        As ``known_lenses`` gives it.
    index : TileIndex
        Where tiles are.
    paths : sequence of Path
        Tables of all scores.
    ranked : Ranked
        Of the same.
    cut : Cut
        That made the candidates.

    Returns
    -------
    DataFrame
        One row a lens: ``name``, ``ra_deg``, ``dec_deg``, ``grade``, ``list``,
        ``tile``, ``fate`` (found, score, flag, no score, selection), ``rank``
        (of the list, as candidate or near miss; else among all objects that
        could be candidates; 0 without), ``logit``, ``flags`` and ``id`` of the
        object of the catalogue at its place, and ``why`` in words, which names
        the flags that cost it its place.
    """
    inside = in_footprint(known, index)
    rows = _objects_at(inside, paths)
    table = pd.DataFrame(
        [_fate(lens, rows.get(place), ranked, cut) for place, lens in inside.iterrows()], columns=FATE_COLUMNS
    )
    if not len(table):
        return table
    below = (table["fate"] == BELOW).to_numpy()
    table.loc[below, "rank"] = _ranks(table["logit"].to_numpy()[below], paths, cut)
    table.loc[below, "why"] = [
        f"missed for its score: rank {int(row.rank):,}, logit {row.logit:.2f}"
        + (f"; flagged {_bad(row.flags, cut)}" if _bad(row.flags, cut) else "")
        for row in table[below].itertuples()
    ]
    order = np.lexsort((table["rank"], table["fate"] != FOUND))
    return table.iloc[order].reset_index(drop=True)


def in_footprint(known: pd.DataFrame, index: TileIndex) -> pd.DataFrame:
    """Known lenses, each once, that lie in a tile; with the name of the ``tile``."""
    objects = known.assign(row=np.arange(len(known)), id=known["name"])
    placed = assign(objects, index)
    inside = known.assign(tile=placed["tile"].to_numpy())[(placed["tile"] != "").to_numpy()]
    return merge_known(inside)


def _objects_at(lenses: pd.DataFrame, paths: Sequence[Path]) -> dict[int, pd.Series]:
    """For each lens the object at its place: the nearest, or that with the highest score of several."""
    found: dict[int, pd.Series] = {}
    tree = SkyTree(lenses["ra_deg"], lenses["dec_deg"])
    if not len(lenses):
        return found
    for table in score_pieces(paths):
        numbers, _ = tree.nearest(table["ra_deg"], table["dec_deg"], within_arcsec=MATCH_ARCSEC)
        for row in np.flatnonzero(numbers >= 0):
            place, one = int(numbers[row]), table.iloc[row]
            if place not in found or _worth(one) > _worth(found[place]):
                found[place] = one
    return found


def _worth(row: pd.Series) -> float:
    return row["logit"] if np.isfinite(row["logit"]) else -np.inf


def _fate(lens: pd.Series, row: pd.Series | None, ranked: Ranked, cut: Cut) -> dict:
    result = lens.to_dict() | {"fate": NOT_SELECTED, "rank": 0, "logit": np.nan, "flags": 0, "id": ""}
    result["why"] = f"missed: no object within {MATCH_ARCSEC:g} arcsec is in the catalogue and selected"
    listed = _listed(lens, ranked.candidates)
    if listed is not None:
        return result | _place(listed)
    if row is None:
        return result
    result |= {"id": row["id"], "logit": float(row["logit"]), "flags": int(row["flags"])}
    if not np.isfinite(row["logit"]):
        return result | {"fate": NO_SCORE, "why": f"missed: no score, {row['reason']}"}
    lowest = ranked.candidates["logit"][~ranked.candidates["near_miss"].to_numpy(bool)].min()
    if _bad(row["flags"], cut) and not row["logit"] < lowest:
        # there are more of them than the list has places
        return result | {"fate": FLAGGED, "why": f"missed for its flags: {_bad(row['flags'], cut)}"}
    return result | {"fate": BELOW}


def _bad(flags: int, cut: Cut) -> str:
    """Names of the flags that cost a place."""
    return ", ".join(name for name in quality.names(int(flags)) if name in cut.rejected)


def _listed(lens: pd.Series, listed: pd.DataFrame) -> pd.Series | None:
    """The first of the list at the place of a lens: candidates come before near misses."""
    if not len(listed):
        return None
    tree = SkyTree([lens["ra_deg"]], [lens["dec_deg"]])
    numbers, _ = tree.nearest(listed["ra_deg"], listed["dec_deg"], within_arcsec=MATCH_ARCSEC)
    return listed.iloc[int(np.argmax(numbers >= 0))] if (numbers >= 0).any() else None


def _place(row: pd.Series) -> dict:
    """What became of a lens that is in the list."""
    where = {name: row[name] for name in ("rank", "logit", "flags", "id")}
    rank = f"rank {int(row['rank']):,}"
    if row["near_miss"]:
        return where | {"fate": FLAGGED, "why": f"{row['reason']} ({rank}, logit {row['logit']:.2f})"}
    return where | {"fate": FOUND, "why": f"found at {rank}"}


def _ranks(logits: np.ndarray, paths: Sequence[Path], cut: Cut) -> np.ndarray:
    """Ranks of some logits among all that could be candidates, from 1."""
    higher = np.zeros(len(logits), np.int64)
    if len(logits):
        for table in score_pieces(paths, ["logit", "flags"]):
            present = np.sort(table["logit"].to_numpy()[cut.eligible(table)])
            higher += len(present) - np.searchsorted(present, logits.astype(present.dtype), side="right")
    return higher + 1
