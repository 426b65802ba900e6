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
from lensdetect.images.cutouts import OpenTile, open_tile
from lensdetect.images.index import TileIndex
from lensdetect.images.tiles import Tile
from lensdetect.search.candidates import Cut, Ranked, rank_scores
from lensdetect.search.listing import list_candidates
from lensdetect.search.quality import flag_quality
from lensdetect.search.scores import read_note, set_flags, with_flags
from lensdetect.search.slices import BATCH, Job, score_path

UNEXAMINED: int = FLAGS["unexamined"].value


def rank_examined(
    tables: Sequence[Path], cut: Cut, *, columns: Sequence[str], index: TileIndex, job: Job, show: bool = False
) -> tuple[Ranked, list[str]]:
    """Find the candidates among all scores, none of which has a glitch that can be seen, and the near misses.

    What would be a candidate is looked at, and what is found is written to its
    table of scores; others move up and are looked at in their turn. Near misses
    that had their flag before are looked at as well, so that all that they have
    is named. Who is looked at, and all flags in the end, follow from scores and
    cut alone, not from what an earlier run had looked at: that saves the work,
    no more.

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
        Its candidates as ``list_candidates`` gives them.
    problems : list of str
        Tiles whose candidates could not be looked at, with the reason.
    """
    problems: dict[str, str] = {}
    looks, wide = _Looks(job.folder, tables), cut
    while True:
        # Each pass over all scores of a survey takes long: twice as many as before are looked at in the next.
        wide = wide if cut.top is None else dataclasses.replace(cut, top=2 * wide.top)
        ranked = rank_scores(tables, wide, columns=columns, update=looks.update)
        listed, enough = list_candidates(ranked, cut)
        if enough and not _left(listed, problems).any():
            break
        others = ranked.candidates[_left(ranked.candidates, problems)]
        near = listed[listed["near_miss"] & _left(listed, problems)]
        some = pd.concat([part for part in (others, near) if len(part)] or [others])
        problems |= _examine(some, index, job, looks=looks, show=show)
    looks.save()
    ranked.candidates = listed
    return ranked, [f"candidates of tile {name} were not looked at for glitches: {problems[name]}" for name in problems]


def _left(table: pd.DataFrame, problems: dict[str, str]) -> pd.Series:
    """What has still to be looked at."""
    return (table["flags"].astype(np.int64) & UNEXAMINED != 0) & ~table["tile"].isin(list(problems))


def _examine(rows: pd.DataFrame, index: TileIndex, job: Job, *, looks: _Looks, show: bool) -> dict[str, str]:
    """Look at some objects, and keep what is found; why not, by tile."""
    problems = {}
    for name, some in tqdm(rows.groupby("tile"), unit="tile", desc="glitches", disable=not show):
        try:
            new = some[~some["row"].isin(list(looks.known(name)))]
            if len(new):
                looks.keep(name, new, _flags(index[name], new, job))
            looks.use(name, some)
        except Exception as error:  # a tile of which nobody has thought must not end what all others came to
            problems[name] = reason_of(error)
    return problems


class _Looks:
    """What was seen of objects that were looked at, now or in an earlier run; it is kept with their scores.

    Only what this run has come to look at counts in its flags.
    """

    def __init__(self, folder: Path, tables: Sequence[Path]):
        self._folder = folder
        notes = {path: read_note(path) for path in tables}
        self._known = {path: dict(note.looks) for path, note in notes.items() if note is not None and note.looks}
        self._used: dict[Path, set[int]] = {}

    def known(self, tile: str) -> dict[int, tuple[int, int]]:
        """Flags before and what was seen, by row."""
        return self._known.get(score_path(self._folder, tile), {})

    def keep(self, tile: str, rows: pd.DataFrame, seen: np.ndarray) -> None:
        """Take what was seen of some objects, and write it down."""
        path = score_path(self._folder, tile)
        found = zip(rows["row"], rows["flags"], seen, strict=True)
        looks = self.known(tile) | {int(row): (int(flags), int(glitches)) for row, flags, glitches in found}
        set_flags(path, self._flags(path), looks=looks)
        self._known[path] = looks

    def use(self, tile: str, rows: pd.DataFrame) -> None:
        """Let what was seen of some objects count."""
        self._used.setdefault(score_path(self._folder, tile), set()).update(map(int, rows["row"]))

    def _flags(self, path: Path) -> dict[int, int]:
        known, used = self._known.get(path, {}), self._used.get(path, set())
        return {row: (before & ~UNEXAMINED) | seen if row in used else before for row, (before, seen) in known.items()}

    def update(self, table: pd.DataFrame) -> pd.DataFrame:
        """A piece of the table of a tile with the flags that count."""
        flags = self._flags(score_path(self._folder, table["tile"].iloc[0])) if len(table) else {}
        return with_flags(table, flags) if flags else table

    def save(self) -> None:
        """Write the flags that count to all tables of scores."""
        for path, looks in self._known.items():
            set_flags(path, self._flags(path), looks=looks)


def _flags(tile: Tile, rows: pd.DataFrame, job: Job) -> np.ndarray:
    x_pix, y_pix = tile.pixels(rows["ra_deg"].to_numpy(), rows["dec_deg"].to_numpy())
    # from the bottom of the tile up: neighbours share rows of pixels on disk
    order, flags = np.argsort(y_pix, kind="stable"), np.zeros(len(rows), np.int64)
    with open_for(job, tile) as images:
        for start in range(0, len(rows), BATCH):
            some = order[start : start + BATCH]
            pixels = images.cut(x_pix[some], y_pix[some], size=job.committee.size).pixels
            flags[some] = find_glitches(job, images, pixels)
    return flags


def open_for(job: Job, tile: Tile) -> OpenTile:
    """Open a tile for the cutouts of a search."""
    scale, glitch = job.committee.pixel_scale_arcsec, job.glitch_arcsec
    return open_tile(tile, job.survey, scale_arcsec=scale, reach_arcsec=glitch)


def find_glitches(job: Job, tile: OpenTile, pixels: np.ndarray) -> np.ndarray:
    """Flags of the glitches that touch the objects in the middle of cutouts of a search."""
    return flag_quality(
        pixels,
        job.survey,
        noise_sigma=tile.noise_sigma,
        reach_arcsec=job.glitch_arcsec,
        pixel_scale_arcsec=job.committee.pixel_scale_arcsec,
    )
