"""Objects that nobody graded, as what nearly all of them are where lenses are rare: no lenses."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.rounds.held_out import HeldOut
from lensdetect.rounds.labels import labels_of
from lensdetect.rounds.searched import SearchedSky
from lensdetect.rounds.shortlist import free_pieces

#: What such an object is called among the kinds of those that are graded.
UNGRADED = "ungraded"
#: Share of lenses up to which an object that nobody looked at may stand for none.
RARE = 0.01


def check_rare(sky: SearchedSky) -> None:
    """Refuse to take objects that nobody looked at for no lenses where lenses are not rare.

    Parameters
    ----------
    sky : SearchedSky

    Raises
    ------
    InputError
        If the search was told of a greater share than ``RARE``, or of none.
    """
    if sky.prior is None or sky.prior > RARE:
        told = "nothing" if sky.prior is None else f"{sky.prior:g}"
        raise InputError(
            f"ungraded objects stand for no lenses where a search was told that at most {RARE:g} of all are lenses "
            f"(lensdetect search --prior), this one was told {told}: leave --ungraded out"
        )


def ungraded_labels(
    sky: SearchedSky, count: int, *, without: Collection[str], held_out: HeldOut, reach_arcsec: float, seed: int
) -> pd.DataFrame:
    """Labels of some objects at random that nobody graded, of those that may be learned from.

    Their posterior is the share of lenses that the search was told, so that one in
    as many is labelled wrongly: learning from positive and unlabelled examples where the
    positive are rare (Elkan & Noto 2008, KDD). Known lenses among the candidates are left out.

    Parameters
    ----------
    sky : SearchedSky
    count : int
        How many; all, if there are fewer.
    without : collection of str
        Ids that are graded.
    held_out : HeldOut
    reach_arcsec : float
        Side of a cutout.
    seed : int
        Of the choice.

    Returns
    -------
    DataFrame
        As ``labels_of`` gives it, of kind ``UNGRADED``.
    """
    rng, kept = np.random.default_rng(seed), pd.DataFrame({"id": [], "draw": []})
    left_out = {*without, *_known_lenses(sky)}
    for piece in free_pieces(sky, without=left_out, held_out=held_out, reach_arcsec=reach_arcsec):
        drawn = pd.DataFrame({"id": piece["id"].to_numpy(), "draw": rng.random(len(piece))})
        kept = pd.concat([kept, drawn]).drop_duplicates("id").nsmallest(count, "draw")
    if not len(kept):
        return pd.DataFrame(columns=["id", "is_lens", "weight", "kind", "posterior"])
    return labels_of(pd.DataFrame({"id": kept["id"], "posterior": sky.prior, "kind": UNGRADED}))


def _known_lenses(sky: SearchedSky) -> list[str]:
    candidates = sky.candidates
    if "known_lens" not in candidates:
        return []
    return candidates.loc[candidates["known_lens"].fillna("") != "", "id"].tolist()
