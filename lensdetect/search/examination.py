"""The look for glitches: it costs as much as a score, so only what would become a candidate gets it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from lensdetect.errors import reason_of
from lensdetect.flags import FLAGS
from lensdetect.search.candidates import Cut, Ranked, rank_scores
from lensdetect.search.cutouts import open_tile
from lensdetect.search.index import TileIndex
from lensdetect.search.quality import flag_quality
from lensdetect.search.scores import change_flags
from lensdetect.search.slices import BATCH, Job, score_path
from lensdetect.search.tiles import Tile

UNEXAMINED: int = FLAGS["unexamined"].value


def rank_examined(
    tables: Sequence[Path], cut: Cut, *, columns: Sequence[str], index: TileIndex, job: Job, show: bool = False
) -> tuple[Ranked, list[str]]:
    """Find the candidates among all scores, none of which has a glitch that can be seen.

    What would be a candidate is looked at, and what is found is written to its
    table of scores; others move up and are looked at in their turn.

    Parameters
    ----------
    tables : sequence of Path
        Of scores.
    cut : Cut
    columns : sequence of str
        Of the scores.
    index : TileIndex
    job : Job
    show : bool
        Whether to show a progress bar.

    Returns
    -------
    ranked : Ranked
    problems : list of str
        Tiles whose candidates could not be looked at, with the reason.
    """
    problems: dict[str, str] = {}
    wide = cut
    while True:
        # Each pass over all scores of a survey takes long: twice as many as before are looked at in the next.
        wide = wide if cut.top is None else dataclasses.replace(cut, top=2 * wide.top)
        ranked = rank_scores(tables, wide, columns=columns)
        left = _left(ranked, problems)
        if not left[slice(cut.top)].any():
            break
        problems |= _examine(ranked.candidates[left], index, job, show=show)
    ranked.candidates = ranked.candidates[slice(cut.top)]
    return ranked, [f"candidates of tile {name} were not looked at for glitches: {problems[name]}" for name in problems]


def _left(ranked: Ranked, problems: dict[str, str]) -> pd.Series:
    """Which candidates have still to be looked at."""
    best = ranked.candidates
    return (best["flags"].astype(np.int64) & UNEXAMINED != 0) & ~best["tile"].isin(list(problems))


def _examine(rows: pd.DataFrame, index: TileIndex, job: Job, *, show: bool) -> dict[str, str]:
    """Look at some objects, and change their flags on disk; why not, by tile."""
    problems = {}
    for name, some in tqdm(rows.groupby("tile"), unit="tile", desc="glitches", disable=not show):
        try:
            flags = _flags(index[name], some, job)
            change_flags(score_path(job.folder, name), some["row"].to_numpy(), add=flags, remove=UNEXAMINED)
        except Exception as error:  # a tile of which nobody has thought must not end what all others came to
            problems[name] = reason_of(error)
    return problems


def _flags(tile: Tile, rows: pd.DataFrame, job: Job) -> np.ndarray:
    x_pix, y_pix = tile.pixels(rows["ra_deg"].to_numpy(), rows["dec_deg"].to_numpy())
    # from the bottom of the tile up: neighbours share rows of pixels on disk
    order, flags = np.argsort(y_pix, kind="stable"), np.zeros(len(rows), np.int64)
    with open_tile(tile, job.survey, scale_arcsec=job.committee.pixel_scale_arcsec) as images:
        for start in range(0, len(rows), BATCH):
            some = order[start : start + BATCH]
            pixels = images.cut(x_pix[some], y_pix[some], size=job.committee.size).pixels
            flags[some] = flag_quality(pixels, job.survey, noise_sigma=images.noise_sigma)
    return flags
