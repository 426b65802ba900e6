"""What became of a search, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lensdetect.images.index import TileIndex
from lensdetect.search.candidates import Ranked
from lensdetect.search.committee import Committee
from lensdetect.search.completeness import FOUND
from lensdetect.search.objects import Spread
from lensdetect.search.scores import read_note
from lensdetect.search.slices import score_path
from lensdetect.text import for_screen, storable

#: Reasons for which images were left aside that are named, at most.
_REASONS_SHOWN = 5
#: Near misses on the screen, at most.
_NEAR_SHOWN = 3
_NOT_USED = "not used"


@dataclass(frozen=True)
class Search:
    """What a search has left.

    Parameters
    ----------
    folder : Path
    candidates : DataFrame
        Best first, near misses at the end; see ``list_candidates``.
    tiles : DataFrame
        One row a tile, and one for each file that could not be placed: ``tile``,
        ``objects``, ``scored``, ``refused``, ``missing_bands``, ``problem``.
    known : DataFrame
        What became of the known lenses in the footprint.
    numbers : dict
        What is counted, in words, and how many.
    notes : list of str
        What went wrong beside tiles.
    ordinary : DataFrame
        Random objects that are not listed; see ``draw_ordinary``.
    """

    folder: Path
    candidates: pd.DataFrame
    tiles: pd.DataFrame
    known: pd.DataFrame
    numbers: dict[str, object]
    notes: list[str]
    ordinary: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def ok(self) -> bool:
        """Whether every tile and every object in one could be searched."""
        return not self.notes and not (self.tiles["problem"] != "").any() and not self.tiles["refused"].any()

    def text(self, rows: int = 10) -> str:
        """The best, the counts and what went wrong, for a screen."""
        lines = [
            f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}"
            for name, value in self.numbers.items()
        ]
        is_near = self.candidates["near_miss"].to_numpy(bool)
        lines += [_line(row) for row in self.candidates[~is_near].head(rows).itertuples()]
        lines += [f"{_line(row)}  {row.reason}" for row in self.candidates[is_near].head(_NEAR_SHOWN).itertuples()]
        bad = self.tiles[self.tiles["problem"] != ""]
        for row in bad.head(rows).itertuples():
            lines.append(f"{'file' if row.problem.startswith(_NOT_USED) else 'tile'} {row.tile}: {row.problem}")
        if len(bad) > rows:
            lines.append(f"and {len(bad) - rows:,} more, each with its reason in tiles.csv")
        return "\n".join(map(for_screen, [*lines, *self.notes]))


def _line(row) -> str:
    """A candidate on a screen."""
    known = f"  {row.known_lens} ({row.separation_arcsec:.1f} arcsec)" if row.known_lens else ""
    return f"{row.rank:>6}  {row.id}  {row.ra_deg:.5f} {row.dec_deg:+.5f}  logit {row.logit:.3f}{known}"


def tile_rows(
    index: TileIndex, spread: Spread, *, ranked: Ranked, folder: Path, unwritten: dict[str, str], committee: Committee
) -> pd.DataFrame:
    """What became of each tile.

    Parameters
    ----------
    index : TileIndex
    spread : Spread
    ranked : Ranked
        Of all scores.
    folder : Path
        Of the search.
    unwritten : dict of str
        Why there are no scores on disk, by tile.
    committee : Committee

    Returns
    -------
    DataFrame
        ``tile``, ``objects``, ``scored``, ``refused``, ``missing_bands``, ``problem``;
        at the end a row for each file that belongs to no tile and should.
    """
    lacking = {tile.name: {band for band in tile.missing_bands if band in committee.bands} for tile in index.tiles}
    # A band that no tile has is a choice; one that some tiles lack is a loss.
    expected = set.intersection(*lacking.values()) if lacking else set()
    rows = []
    for tile in index.tiles:
        objects, scored = spread.counts.get(tile.name, 0), ranked.scored_in.get(tile.name, 0)
        note = read_note(score_path(folder, tile.name)) if objects else None
        problem = unwritten.get(tile.name) or (note.problem if note else "") or tile.problem
        lost = [band for band in tile.missing_bands if band in lacking[tile.name] - expected]
        if lost and not problem:
            problem = f"it has no image in {', '.join(lost)}, which counts as masked"
        missing = ",".join(band for band in tile.missing_bands if band in committee.bands)
        rows.append((tile.name, objects, scored, objects - scored, missing, storable(problem)))
    rows += [(storable(path), 0, 0, 0, "", storable(f"{_NOT_USED}: {reason}")) for path, reason in index.unused]
    return pd.DataFrame(rows, columns=["tile", "objects", "scored", "refused", "missing_bands", "problem"])


def count_all(
    index: TileIndex,
    rows: pd.DataFrame,
    spread: Spread,
    ranked: Ranked,
    known: pd.DataFrame,
    *,
    columns: dict[str, str],
    scanned: int,
    seconds: float,
    committee: Committee,
    lists: str,
    ordinary: int,
) -> dict[str, object]:
    """Count what a search has done, in the words of its report.

    Parameters
    ----------
    index : TileIndex
    rows : DataFrame
        What became of the tiles.
    spread : Spread
    ranked : Ranked
    known : DataFrame
        What became of the known lenses.
    columns : dict of str
        Of the catalogue, by role.
    scanned : int
        Objects scored in this run.
    seconds : float
        Wall time of this run.
    committee : Committee
    lists : str
        Of known lenses, in words.
    ordinary : int
        Random objects that are not listed.

    Returns
    -------
    dict
        In order.
    """
    is_near = ranked.candidates["near_miss"].to_numpy(bool)
    candidates, near = ranked.candidates[~is_near], ranked.candidates[is_near]
    named = ", ".join(f"{role} from {name or 'the row number'}" for role, name in columns.items())
    return {
        "detectors": "; ".join(member.title for member in committee.members),
        "tiles": len(index.tiles),
        "tiles with a problem": int((rows["problem"] != "").sum()) - len(index.unused),
        **_files_left(index),
        "columns of the catalogue": named,
        "rows of the catalogue": spread.rows_read,
        "objects selected": spread.selected,
        "objects outside every tile": spread.outside,
        "objects without a position": spread.no_position,
        **({"objects without an id, called by their row": spread.without_id} if spread.without_id else {}),
        "objects scored": int(rows["scored"].sum()),
        "objects without a score": int(rows["refused"].sum()),
        "objects looked at for glitches": ranked.scored - ranked.flag_counts.get("unexamined", 0),
        "objects that could be candidates": ranked.eligible,
        "candidates": len(candidates),
        "scenes that they are in": int(candidates["scene"].nunique()),
        "near misses, which a flag cost their place": len(near),
        "candidates that are known lenses": int((candidates["known_lens"] != "").sum()),
        "near misses that are known lenses": int((near["known_lens"] != "").sum()),
        "lists of known lenses": lists,
        "known lenses in the footprint": len(known),
        "of these found": int((known["fate"] == FOUND).sum()) if len(known) else 0,
        "ordinary objects drawn, for grading to paint on": ordinary,
        "objects scored in this run": scanned,
        "time of this run": f"{seconds:.1f} s",
    }


def _files_left(index: TileIndex) -> dict[str, object]:
    """Files that belong to no tile, and those of no use in a search, where there are any."""
    reasons = Counter(reason for _, reason in index.aside)
    said = ", ".join(f"{reason} ({count:,})" for reason, count in reasons.most_common(_REASONS_SHOWN))
    absent = [band for band in index.survey.band_names if all(band in tile.missing_bands for tile in index.tiles)]
    left: dict[str, object] = {"bands that no tile has": ", ".join(absent)} if absent else {}
    left |= {"files that could not be used": len(index.unused)} if index.unused else {}
    if reasons:
        left["images left aside"] = f"{sum(reasons.values()):,}: {said}{', ...' * (len(reasons) > _REASONS_SHOWN)}"
    if index.unknown_masks:
        left["masks of unknown bits, not used"] = f"{len(index.unknown_masks):,}, such as {index.unknown_masks[0]}"
    return left
