"""The report of a search: a page to work in, candidates first.

``report.html`` has its style, its scripts and its figures in itself; the
cutouts of the candidates lie beside it in ``report/`` and are loaded when they
are seen. Nothing is asked of a network. What the page shows of other people's
files is text: it is escaped by the template, and a content security policy lets
no script run but the page's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect import __version__
from lensdetect import flags as quality
from lensdetect.errors import InputError
from lensdetect.images.index import TileIndex
from lensdetect.pages import environment
from lensdetect.runs import sync_all, write_whole
from lensdetect.search.candidates import Cut, Ranked
from lensdetect.search.completeness import FOUND
from lensdetect.search.report_cards import cards_of, data_of, near_misses, shown_candidates
from lensdetect.search.report_figures import draw_scores, draw_sky
from lensdetect.search.report_pictures import Pictures
from lensdetect.search.slices import Job
from lensdetect.text import for_screen

#: What stands in a column of numbers: with a sign, an exponent or a unit.
_NUMBER = re.compile(r"[+-]?[\d.,]+(e[+-]?\d+)?( s)?")
_LONG = 40


@dataclass(frozen=True)
class Findings:
    """All that a report tells.

    Parameters
    ----------
    job : Job
    index : TileIndex
    tiles : DataFrame
        One row a tile: ``tile``, ``objects``, ``scored``, ``refused``, ``missing_bands``, ``problem``.
    ranked : Ranked
        With the candidates cross-matched.
    known : DataFrame
        What became of the known lenses in the footprint.
    numbers : dict
        What is counted, in words, and how many; in order.
    notes : list of str
        What else has to be known.
    cut : Cut
        That made the candidates.
    sources : dict of str
        What was searched and with which command, in words.
    ordinary : DataFrame
        Random objects that are not listed.
    """

    job: Job
    index: TileIndex
    tiles: pd.DataFrame
    ranked: Ranked
    known: pd.DataFrame
    numbers: dict[str, object]
    notes: list[str]
    cut: Cut = Cut()
    sources: dict[str, str] = field(default_factory=dict)
    ordinary: pd.DataFrame = field(default_factory=pd.DataFrame)


def write_report(findings: Findings, pictures: Pictures, path: Path) -> None:
    """Write the report whole or not at all.

    Parameters
    ----------
    findings : Findings
    pictures : Pictures
        Of the candidates, made already; those of an older report go when this one is there.
    path : Path

    Raises
    ------
    InputError
        If it cannot be written.
    """
    page = report_html(findings, pictures)
    try:
        # the page counts as soon as it is there, so its pictures are on the disk before it
        sync_all()
        write_whole(path, lambda file: file.write(page.encode("utf-8", "backslashreplace")))
        pictures.remove_others()
    except OSError as error:
        raise InputError(f"{path} must be writable, got {error.strerror or error}: make room and run again") from error


def report_html(findings: Findings, pictures: Pictures) -> str:
    """The report as a page.

    Parameters
    ----------
    findings : Findings
    pictures : Pictures

    Returns
    -------
    str
        HTML.
    """
    table, survey = findings.ranked.candidates, findings.job.survey
    is_near, shown = near_misses(table), shown_candidates(table)
    candidates = table[~is_near]
    data = data_of(shown, pictures) | {
        "bands": survey.band_names,
        "zeroPoints": [band.zero_point_mag for band in survey.bands],
        "pixelScale": findings.job.committee.pixel_scale_arcsec,
    }
    return environment("lensdetect.search").get_template("report.html").render(
        survey=for_screen(survey.name),
        candidates=len(candidates),
        near=int(is_near.sum()),
        left_out=len(table) - len(shown),
        cards=cards_of(shown, pictures, viewer=survey.viewer, survey=survey.name),
        data=data,
        tiles=list(dict.fromkeys(map(for_screen, shown["tile"]))),
        flags=_flags_of(shown),
        scenes=bool(shown["scene"].duplicated().any()),
        prior=prior_in_words(findings.job),
        short_prior=_short_prior(findings.job),
        empty=_why_empty(findings) if not len(table) else "",
        numbers=_cells(findings.numbers.items()),
        flag_counts=_cells(_flag_rows(findings.ranked)),
        notes=list(map(for_screen, findings.notes)),
        problems=_cells(_problem_rows(findings.tiles)),
        known=_cells(_known_rows(findings.known)),
        fates=_fates(findings.known),
        scores=draw_scores(findings.ranked, candidates, findings.known),
        sky=draw_sky(findings.index, findings.tiles, candidates, findings.known),
        made=_cells(_made(findings).items()),
    )  # fmt: skip


def prior_in_words(job: Job) -> str:
    """For which share of lenses the probabilities of a search hold.

    Parameters
    ----------
    job : Job

    Returns
    -------
    str
    """
    if job.prior is not None:
        return f"at a share of lenses of {job.prior:g}, the prior given"
    share = job.committee.members[0].calibration.lens_fraction
    if share is None:
        return "of unknown calibration: the detector does not say for which share of lenses"
    return (
        f"at a share of lenses of {share:.3g}, that of the stamps of the calibration; in the sky lenses are rarer: "
        "give --prior"
    )


def _short_prior(job: Job) -> str:
    share = job.committee.members[0].calibration.lens_fraction if job.prior is None else job.prior
    return "of unknown prior" if share is None else f"at prior {share:.3g}"


def _flags_of(shown: pd.DataFrame) -> list[str]:
    found = int(np.bitwise_or.reduce(shown["flags"].to_numpy(np.int64), initial=0))
    return list(quality.names(found))


def _why_empty(findings: Findings) -> str:
    ranked, cut = findings.ranked, findings.cut
    if not ranked.objects:
        return "No object of the catalogue lies in a tile that could be searched."
    if not ranked.scored:
        return f"None of {ranked.objects:,} objects has a score; what went wrong is told below."
    if not ranked.eligible:
        return f"All {ranked.scored:,} objects with a score have a flag with which an object is no candidate."
    least = "" if cut.threshold is None else f" of at least {cut.threshold:g}"
    return f"None of {ranked.eligible:,} objects that could be candidates has a probability{least}."


def _flag_rows(ranked: Ranked) -> Iterable[tuple]:
    for name, count in ranked.flag_counts.items():
        yield name, count, "yes" if quality.FLAGS[name].refused else "", quality.FLAGS[name].meaning


def _problem_rows(tiles: pd.DataFrame) -> Iterable[tuple]:
    for row in tiles[tiles["problem"] != ""].itertuples():
        yield row.tile, row.objects, row.problem


def _known_rows(known: pd.DataFrame) -> Iterable[tuple]:
    for row in known.itertuples(index=False):
        yield row.name, row.grade, row.list, row.tile, row.id, row.why


def _fates(known: pd.DataFrame) -> str:
    """How many known lenses were found, in one sentence."""
    if not len(known):
        return "No known lens is in the footprint."
    found = int((known["fate"] == FOUND).sum())
    missed = known[known["fate"] != FOUND]["fate"].value_counts()
    said = "".join(f", {count:,} missed for {name}" for name, count in missed.items())
    return (
        f"Of {len(known):,} known lenses in the footprint {found:,} are found "
        f"(completeness {found / len(known):.2f}){said}."
    )


def _made(findings: Findings) -> dict[str, str]:
    """How the report came to be."""
    job, cut = findings.job, findings.cut
    committee = job.committee
    chosen = f"the best {cut.top:,} scenes" if cut.threshold is None else f"probability of at least {cut.threshold:g}"
    return {
        **findings.sources,
        "version": f"lensdetect {__version__}",
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "survey": job.survey.name,
        "bands": ", ".join(job.survey.band_names),
        "detectors": ", ".join(f"{one.name} {one.digest[:12]}".strip() for one in committee.members),
        "cutouts": f"{committee.size} pixels of {committee.pixel_scale_arcsec:g} arcsec a side",
        "probabilities": prior_in_words(job),
        "candidates": "all" if cut.threshold is None and cut.top is None else chosen,
        "flags with which an object is none": ", ".join(cut.rejected) or "none",
        "glitches count within": f"{job.glitch_arcsec:g} arcsec",
        "a scene is": f"{cut.scene_arcsec:g} arcsec around its best candidate",
    }


def _cells(rows: Iterable[tuple]) -> list[list[tuple[str, str]]]:
    """Rows of cells, each its class and its text."""
    return [[_cell(value) for value in row] for row in rows]


def _cell(value: object) -> tuple[str, str]:
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return "number", f"{value:,}"
    text = for_screen(value)
    if _NUMBER.fullmatch(text):
        return "number", text
    # sentences need room, names do not
    return ("text" if len(text) > _LONG else "name"), text
