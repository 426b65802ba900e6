"""The report of a search: one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lensdetect import flags as quality
from lensdetect.errors import InputError
from lensdetect.figures.search import contact_sheet, score_histogram, sky_map
from lensdetect.images.index import TileIndex
from lensdetect.runs import write_whole
from lensdetect.search.candidates import HISTOGRAM_EDGES, Ranked
from lensdetect.search.completeness import FOUND
from lensdetect.search.slices import Job

_LISTED = 100
#: What stands in a column of numbers: with a sign, an exponent or a unit.
_NUMBER = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?( s)?")
_LONG = 40
_DPI = 90
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1200px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.6em } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #ccc }
table { border-collapse: collapse; font-size: 13px } .wide { overflow-x: auto }
th, td { padding: 2px 10px 2px 0; text-align: left; vertical-align: top; border-bottom: 1px solid #eee }
td { white-space: nowrap } td.text { white-space: normal; min-width: 20em }
td.number { text-align: right; font-variant-numeric: tabular-nums } img { max-width: 100% }
"""


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
    pictures : dict of ndarray
        Pixels of the best by rank.
    notes : list of str
        What else has to be known.
    """

    job: Job
    index: TileIndex
    tiles: pd.DataFrame
    ranked: Ranked
    known: pd.DataFrame
    numbers: dict[str, object]
    pictures: dict[int, np.ndarray]
    notes: list[str]


def write_report(findings: Findings, path: Path) -> None:
    """Write the report whole or not at all.

    Parameters
    ----------
    findings : Findings
    path : Path

    Raises
    ------
    InputError
        If it cannot be written.
    """
    page = report_html(findings)
    try:
        write_whole(path, lambda file: file.write(page.encode("utf-8", "backslashreplace")))
    except OSError as error:
        raise InputError(f"{path} must be writable, got {error.strerror or error}: make room and run again") from error


def report_html(findings: Findings) -> str:
    """The report as a page.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    str
        HTML with its pictures inside.
    """
    count = int((~findings.ranked.candidates["near_miss"]).sum())
    title = f"Lens search: {findings.job.survey.name}, {count:,} candidates"
    parts = [f"<h1>{html.escape(title)}</h1>", *_numbers(findings), *_problems(findings), *_known(findings)]
    parts += [*_scores(findings), *_sky(findings), *_best(findings)]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _numbers(findings: Findings) -> list[str]:
    rows = list(findings.numbers.items())
    flags = [
        (name, count, "yes" if quality.FLAGS[name].refused else "", quality.FLAGS[name].meaning)
        for name, count in findings.ranked.flag_counts.items()
    ]
    parts = ["<h2>Numbers</h2>", _table(("", ""), rows)]
    return [*parts, "<h2>Flags</h2>", _table(("flag", "objects", "no score", "meaning"), flags)] if flags else parts


def _problems(findings: Findings) -> list[str]:
    bad = findings.tiles[(findings.tiles["problem"] != "")]
    rows = [(row.tile, row.objects, row.problem) for row in bad.itertuples()]
    parts = ["<h2>What went wrong</h2>"] if rows or findings.notes else []
    parts += [f"<p>{html.escape(note)}</p>" for note in findings.notes]
    return [*parts, _table(("tile", "objects", "reason"), rows)] if rows else parts


def _known(findings: Findings) -> list[str]:
    known = findings.known
    if not len(known):
        return ["<h2>Known lenses</h2>", "<p>No known lens is in the footprint.</p>"]
    found = int((known["fate"] == FOUND).sum())
    missed = known[known["fate"] != FOUND]["fate"].value_counts()
    said = "".join(f", {count:,} missed for {name}" for name, count in missed.items())
    rows = [(row.name, row.grade, row.list, row.tile, row.id, row.why) for row in known.itertuples(index=False)]
    return [
        "<h2>Known lenses</h2>",
        f"<p>Of {len(known):,} known lenses in the footprint {found:,} are found "
        f"(completeness {found / len(known):.2f}){html.escape(said)}.</p>",
        _table(("lens", "grade", "list", "tile", "object", "what became of it"), rows),
    ]


def _scores(findings: Findings) -> list[str]:
    candidates, known = findings.ranked.candidates, findings.known
    candidates = candidates[~candidates["near_miss"]]
    figure = score_histogram(
        findings.ranked.histogram,
        HISTOGRAM_EDGES,
        lowest_candidate=float(candidates["logit"].min()) if len(candidates) else None,
        known_logits=known["logit"].tolist() if len(known) else (),
    )
    return ["<h2>Scores</h2>", _picture(figure, "how many objects have which logit")]


def _sky(findings: Findings) -> list[str]:
    placed = [tile for tile in findings.index.tiles if tile.corners_deg]
    bad = set(findings.tiles.loc[findings.tiles["problem"] != "", "tile"])
    known, candidates = findings.known, findings.ranked.candidates
    is_found = (known["fate"] == FOUND).to_numpy() if len(known) else np.zeros(0, bool)
    figure = sky_map(
        [tile.corners_deg for tile in placed],
        searched=[tile.name not in bad for tile in placed],
        candidates=_places(candidates),
        found=_places(known[is_found]) if len(known) else ((), ()),
        missed=_places(known[~is_found]) if len(known) else ((), ()),
    )
    return ["<h2>Sky</h2>", _picture(figure, "tiles, candidates and known lenses")]


def _places(table: pd.DataFrame) -> tuple:
    return (table["ra_deg"].to_numpy(), table["dec_deg"].to_numpy()) if len(table) else ((), ())


def _best(findings: Findings) -> list[str]:
    candidates = findings.ranked.candidates.head(_LISTED)
    parts = [f"<h2>The best {len(candidates):,}</h2>"]
    if findings.pictures:
        shown = candidates[candidates["rank"].isin(list(findings.pictures))]
        figure = contact_sheet(
            np.stack([findings.pictures[rank] for rank in shown["rank"]]),
            [_label(row) for row in shown.itertuples()],
            bands=findings.job.survey.band_names,
            pixel_scale_arcsec=findings.job.committee.pixel_scale_arcsec,
            columns=10 if len(shown) > 25 else 5,
        )
        parts.append(_picture(figure, "colour pictures of the best candidates"))
    rows = [
        (
            row.rank, row.id, f"{row.ra_deg:.5f}", f"{row.dec_deg:+.5f}", row.tile, f"{row.logit:.3f}",
            f"{row.probability:.3g}", ", ".join(quality.names(int(row.flags))), _match(row),
        )
        for row in candidates.itertuples()
    ]  # fmt: skip
    names = ("rank", "id", "ra (deg)", "dec (deg)", "tile", "logit", "probability", "flags", "known lens")
    return [*parts, _table(names, rows)]


def _label(row) -> str:
    return f"{row.rank}: {row.probability:.2g}" + (" known" if row.known_lens else "")


def _match(row) -> str:
    if not row.known_lens:
        return ""
    grade = f", {row.known_grade}" if row.known_grade else ""
    return f"{row.known_lens} ({row.separation_arcsec:.1f} arcsec{grade})"


def _table(names: Iterable[str], rows: Iterable[tuple]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "\n".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>\n{body}</table></div>'


def _cell(value) -> str:
    if isinstance(value, (int, np.integer)):
        return f'<td class="number">{value:,}</td>'
    text = html.escape(str(value))
    if _NUMBER.fullmatch(text):
        return f'<td class="number">{text}</td>'
    # names keep to one line; sentences do not
    return f'<td class="text">{text}</td>' if len(text) > _LONG else f"<td>{text}</td>"


def _picture(figure: Figure, words: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return (
        f'<img alt="{html.escape(words)}" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
    )
