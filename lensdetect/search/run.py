"""A search from end to end: tiles and a catalogue in, candidates and a report out."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from lensdetect.flags import ARC_RADIUS_ARCSEC
from lensdetect.images.bounds import TILE_PIXELS
from lensdetect.images.index import TileIndex, index_tiles
from lensdetect.parallel import Died, run_tasks
from lensdetect.runs import writable, write_whole
from lensdetect.search.candidates import Cut
from lensdetect.search.catalogue import Catalogue
from lensdetect.search.committee import Committee
from lensdetect.search.completeness import fates
from lensdetect.search.examination import rank_examined
from lensdetect.search.folder import build_manifest, held_folder, join_slices, missing_slices
from lensdetect.search.known import cross_match, known_lenses, name_lists
from lensdetect.search.objects import Spread, spread_objects
from lensdetect.search.ordinary import NUM_ORDINARY, draw_ordinary
from lensdetect.search.outputs import write_objects
from lensdetect.search.pictures import cut_candidates, cut_ordinary
from lensdetect.search.report import Findings, write_report
from lensdetect.search.report_cards import shown_candidates
from lensdetect.search.report_pictures import Pictures
from lensdetect.search.scan import refuse_slice, scan_slice
from lensdetect.search.scores import score_columns
from lensdetect.search.slices import Job, Slice, score_path
from lensdetect.search.summary import Search, count_all, tile_rows
from lensdetect.survey import Survey
from lensdetect.text import write_csv

#: Files that the report names, at most.
_FILES_NAMED = 5


def search_survey(
    tiles: Path | str | Sequence[Path | str],
    catalogue: Path | str | Sequence[Path | str],
    output: Path | str,
    *,
    survey: Survey,
    committee: Committee,
    select: str | None = None,
    columns: dict[str, str] | None = None,
    prior: float | None = None,
    cut: Cut | None = None,
    examine_all: bool = False,
    glitch_arcsec: float = ARC_RADIUS_ARCSEC,
    ordinary: int = NUM_ORDINARY,
    known: Path | str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    max_pixels: int = TILE_PIXELS,
    progress: bool = True,
    command: str = "",
) -> Search:
    """Search tiles for lenses among the objects of a catalogue.

    The folder gets ``scores/<tile>.parquet`` (every object), ``objects/outside.parquet``
    (those in no tile), ``tiles.csv``, ``candidates.parquet``, ``.csv`` and
    ``.fits``, ``known.csv``, ``cutouts/``, a random sample of what is not listed
    in ``ordinary.parquet``, ``.csv``, ``.fits`` and ``ordinary/``, and ``report.html``
    with its pictures in ``report/``. A tile whose scores are there, and undamaged,
    is not scored again where all that they follow from is the same: what its
    files hold, its zero points, the objects, the detectors and the version of the
    code. So an interrupted search goes on, what failed is tried anew, and the end
    is that of an undisturbed one.

    Parameters
    ----------
    tiles, survey
        As ``index_tiles`` takes them.
    catalogue, select, columns
        As ``Catalogue`` takes them.
    output : path
        Folder to write; of this search, or new.
    committee : Committee
        Of detectors, as ``committee_of`` makes it.
    prior : float, optional
        Share of lenses among the objects, to which probabilities are corrected.
    cut : Cut, optional
        Which objects become candidates; the best 1000 if not given.
    examine_all : bool
        Whether all objects are looked at for glitches, and not only those that
        would become candidates; it takes about as long as to score them.
    glitch_arcsec : float
        How near to an object a glitch has to come to be held against it: as near
        as arcs can lie. Another value takes new scoring.
    ordinary : int
        How many random objects that are not listed get cutouts as well; grading
        paints lenses onto them and takes duds from them.
    known : path, optional
        List of known lenses of your own.
    workers : int, optional
        Processes, by default one a core; 1 is this process itself.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers are used instead; they must
        see the tiles and the output under the same names.
    max_pixels : int
        Pixels that an image of a tile may have; larger ones are problems.
    progress : bool
        Whether to show a progress bar where standard error is a terminal.
    command : str
        Command line that asked for the search, for the report.

    Returns
    -------
    Search

    Raises
    ------
    InputError
        If tiles, catalogue or list cannot be read, the folder cannot be written
        or is that of another search, another run is at work in it, or no
        scheduler answers; or a prior is given and a detector does not know that
        of its calibration.
    """
    began_s = time.monotonic()
    committee.check_prior(prior)
    cut, folder, left_out = cut or Cut(), Path(output).resolve(), []
    lenses = known_lenses(known, notes=left_out)
    objects = Catalogue(catalogue, survey=survey, select=select, columns=columns)
    bands = survey.with_bands(committee.bands)
    job = Job(bands, folder, committee, prior, examine_all=examine_all, glitch_arcsec=glitch_arcsec)
    show = progress and sys.stderr.isatty()
    manifest = build_manifest(survey, objects, committee, prior, tiles=_absolute(tiles))
    with held_folder(folder, manifest) as other_code:
        with writable(folder):
            index = index_tiles(_absolute(tiles), survey, cache=folder / "headers.json", max_pixels=max_pixels)
            spread = spread_objects(objects, index, folder / "objects")
            slices, ready = missing_slices(job, index, spread)
        unwritten = _scan(job, slices, ready, workers=workers, scheduler=scheduler, show=show)
        with writable(folder):
            sources = _sources(tiles, objects, command)
            ended = _Scanned(job, objects, index, spread, slices, unwritten, left_out, sources, other_code)
            return _finish(ended, cut=cut, lenses=lenses, ordinary=ordinary, began_s=began_s, show=show)


@dataclass(frozen=True)
class _Scanned:
    """A search of which all that could be scored has its scores."""

    job: Job
    objects: Catalogue
    index: TileIndex
    spread: Spread
    slices: list[Slice]
    unwritten: dict[str, str]
    left_out: list[str]
    sources: dict[str, str]
    other_code: bool


def _finish(ended: _Scanned, *, cut: Cut, lenses: pd.DataFrame, ordinary: int, began_s: float, show: bool) -> Search:
    """Find the candidates among all scores, and write all results."""
    job, index, spread = ended.job, ended.index, ended.spread
    folder, committee = job.folder, job.committee
    tables = [path for tile in sorted(spread.counts) if (path := score_path(folder, tile)).is_file()]
    columns = score_columns(committee)
    ranked, notes = rank_examined(tables, cut, columns=columns, index=index, job=job, show=show)
    ranked.candidates = cross_match(ranked.candidates, lenses)
    drawn = draw_ordinary(tables, ranked.candidates, lenses, cut=cut, count=ordinary, columns=columns)
    fate = fates(lenses, index, paths=tables, ranked=ranked, cut=cut)
    rows = tile_rows(index, spread, ranked=ranked, folder=folder, unwritten=ended.unwritten, committee=committee)
    scanned = sum(piece.objects for piece in ended.slices)
    seconds = time.monotonic() - began_s
    numbers = count_all(
        *(index, rows, spread, ranked, fate),
        columns=ended.objects.columns,
        scanned=scanned,
        seconds=seconds,
        committee=committee,
        lists=name_lists(lenses),
        ordinary=len(drawn),
    )
    if ended.other_code:
        numbers["scores and tables of another version of lensdetect"] = "made again"
    notes = [*spread.notes, *ended.left_out, *notes]
    return _write(Findings(job, index, rows, ranked, fate, numbers, notes, cut, ended.sources, drawn))


def _absolute(tiles) -> list[Path]:
    # Workers elsewhere may have another working folder.
    return [Path(path).absolute() for path in ([tiles] if isinstance(tiles, (str, Path)) else tiles)]


def _scan(
    job: Job, slices: list[Slice], ready: int, *, workers: int | None, scheduler: str | None, show: bool
) -> dict[str, str]:
    """Scan all slices; what could not even be written, by tile."""
    left = {}
    for piece in slices:
        left[piece.tile.name] = left.get(piece.tile.name, 0) + 1
    total, unwritten = ready + sum(piece.objects for piece in slices), {}
    with tqdm(total=total, initial=ready, unit="object", desc="search", disable=not show) as bar:
        for piece, result in run_tasks(partial(scan_slice, job), slices, workers=workers, scheduler=scheduler):
            outcome = refuse_slice(job, piece, result.reason) if isinstance(result, Died) else result
            bar.update(piece.objects)
            name = piece.tile.name
            left[name] -= 1
            if not outcome.written:
                unwritten[name] = outcome.problem
            if left[name] == 0 and piece.parts > 1 and name not in unwritten:
                problem = join_slices(job, piece)
                if problem:
                    unwritten[name] = problem
    return unwritten


def _write(findings: Findings) -> Search:
    folder, ranked = findings.job.folder, findings.ranked
    for name, table in (("tiles.csv", findings.tiles), ("known.csv", findings.known)):
        write_whole(folder / name, lambda file, t=table: write_csv(t, file))
    write_objects(ranked.candidates, folder, name="candidates")
    pictures = Pictures(folder, shown_candidates(ranked.candidates)["rank"])
    problems = cut_candidates(
        ranked.candidates, findings.index, findings.job, folder=folder / "cutouts", pictures=pictures
    )
    write_objects(findings.ordinary, folder, name="ordinary")
    problems += cut_ordinary(findings.ordinary, findings.index, findings.job, folder=folder / "ordinary")
    findings.notes.extend(problems)
    write_report(findings, pictures, folder / "report.html")
    return Search(
        folder, ranked.candidates, findings.tiles, findings.known, findings.numbers, findings.notes, findings.ordinary
    )


def _sources(tiles, objects: Catalogue, command: str) -> dict[str, str]:
    """What was searched, and with which command, for the report."""
    return {
        "command": command or "a call of lensdetect.search.search_survey",
        "tiles": _listed(map(str, [tiles] if isinstance(tiles, (str, Path)) else tiles)),
        "catalogue": _listed(map(str, objects.files)),
        "selection": objects.selection.expression if objects.selection is not None else "all objects",
    }


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _FILES_NAMED:,} more" if len(names) > _FILES_NAMED else ""
    return ", ".join(names[:_FILES_NAMED]) + more
