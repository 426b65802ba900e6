"""The few objects of a large search that may be worth a look, found in one pass over its scores."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.rounds.held_out import HELD_OUT, LEARN, HeldOut
from lensdetect.rounds.searched import SearchedSky
from lensdetect.search.candidates import Cut

_RANDOM = "_random"


def shortlist(
    sky: SearchedSky,
    *,
    among: int,
    without: Collection[str],
    held_out: HeldOut,
    reach_arcsec: float,
    measure: bool = False,
    seed: int = 0,
) -> pd.DataFrame:
    """The best of each detector, the best of all together, and some at random.

    Left out are objects without a score or with a flag for which they are no
    candidates, those that are graded, and those on the other side of what is held out.

    Parameters
    ----------
    sky : SearchedSky
    among : int
        How many of each.
    without : collection of str
        Ids that are graded.
    held_out : HeldOut
    reach_arcsec : float
        Side of a cutout.
    measure : bool
        Whether to take what is held out, and nothing else, to be measured on.
    seed : int
        Of those at random.

    Returns
    -------
    DataFrame
        ``id``, ``ra_deg``, ``dec_deg``, ``tile``, ``logit``, ``probability``, ``logit_*`` and
        ``at_random``, whether it is one of those; highest logit first.

    Raises
    ------
    InputError
        If nothing is left.
    """
    rng, best = np.random.default_rng(seed), pd.DataFrame()
    side = HELD_OUT if measure else LEARN
    for piece in free_pieces(sky, without=without, held_out=held_out, reach_arcsec=reach_arcsec, side=side):
        table = piece.assign(**{_RANDOM: rng.random(len(piece))})
        best = _highest(pd.concat([best, table], ignore_index=True), among)
    if not len(best):
        where = "held out" if measure else "not held out"
        raise InputError(f"there must be objects left to grade, got none that is scored, not graded and {where}")
    random = best[_RANDOM] >= np.sort(best[_RANDOM])[-min(among, len(best))]
    names = ["id", "ra_deg", "dec_deg", "tile", "logit", "probability", *_members(best)]
    best = best[names].assign(at_random=random)
    best = best.sort_values("logit", ascending=False, kind="stable").drop_duplicates("id")
    return best.reset_index(drop=True)


def free_pieces(
    sky: SearchedSky, *, without: Collection[str], held_out: HeldOut, reach_arcsec: float, side: str = LEARN
) -> Iterator[pd.DataFrame]:
    """Objects on one side of what is held out that could be candidates, a piece of the scores at a time.

    Parameters
    ----------
    sky : SearchedSky
    without : collection of str
        Ids to be left out.
    held_out : HeldOut
    reach_arcsec : float
        Side of a cutout.
    side : str
        ``LEARN`` or ``HELD_OUT``.

    Yields
    ------
    DataFrame
        As ``SearchedSky.pieces``.
    """
    cut = Cut()
    for piece in sky.pieces():
        table = piece[cut.eligible(piece) & ~piece["id"].isin(without).to_numpy()]
        sides = held_out.sides(table["ra_deg"].to_numpy(), table["dec_deg"].to_numpy(), reach_arcsec=reach_arcsec)
        yield table[sides == side]


def _members(table: pd.DataFrame) -> list[str]:
    return [name for name in table if name.startswith("logit_")]


def _highest(table: pd.DataFrame, among: int) -> pd.DataFrame:
    """Rows that are among the highest in one column at least."""
    keep = np.zeros(len(table), bool)
    for name in ("logit", *_members(table), _RANDOM):
        keep[np.argsort(-table[name].to_numpy(), kind="stable")[:among]] = True
    return table[keep]
