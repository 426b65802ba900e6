"""The candidates of a report: what stands on a card, and where else to look."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import pandas as pd

from lensdetect import flags as quality
from lensdetect.search.report_pictures import Picture, Pictures
from lensdetect.text import for_screen, write_csv

#: Candidates, and near misses, that get a card; all are in the tables beside.
MOST_CARDS, MOST_NEAR = 2000, 500
#: Columns that a card tells in its own way; what else there is stands in the large view.
_TOLD = {
    "rank", "id", "ra_deg", "dec_deg", "tile", "logit", "probability", "flags", "reason", "known_lens",
    "separation_arcsec", "known_grade", "known_list", "near_miss", "scene",
}  # fmt: skip
#: Where the sky is looked at and what is known of it is looked up, by position in degrees.
_PLACES = {
    "Legacy Surveys": "https://www.legacysurvey.org/viewer?ra={ra}&dec={dec}&layer=ls-dr10&zoom=16&mark={ra},{dec}",
    "Aladin": "https://aladin.cds.unistra.fr/AladinLite/?target={ra}%20{dec}&fov=0.02",
    "SIMBAD": (
        "https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={ra}%20{dec}&CooFrame=ICRS&Radius=10&Radius.unit=arcsec"
    ),
    "NED": (
        "https://ned.ipac.caltech.edu/conesearch?search_type=Near%20Position%20Search&in_csys=Equatorial"
        "&in_equinox=J2000&coordinates={ra}d%20{dec}d&radius=0.17"
    ),
}


def shown_candidates(candidates: pd.DataFrame) -> pd.DataFrame:
    """The candidates and near misses that a report has cards for.

    Parameters
    ----------
    candidates : DataFrame
        Best first, near misses at the end.

    Returns
    -------
    DataFrame
        The first of both.
    """
    is_near = near_misses(candidates)
    return pd.concat([candidates[~is_near].head(MOST_CARDS), candidates[is_near].head(MOST_NEAR)])


def near_misses(candidates: pd.DataFrame) -> np.ndarray:
    """Which rows are near misses, bool ``(n,)``."""
    return candidates["near_miss"].to_numpy(bool)


def sky_links(ra_deg: float, dec_deg: float, *, viewer: str = "", survey: str = "") -> list[tuple[str, str]]:
    """Pages that show a place of the sky.

    Parameters
    ----------
    ra_deg, dec_deg : float
    viewer : str
        Address of the survey's own viewer with ``{ra}`` and ``{dec}``; empty if it has none.
    survey : str
        What that link is called.

    Returns
    -------
    list of (str, str)
        Name and address.
    """
    places = _PLACES | ({f"{survey} viewer": viewer} if viewer else {})
    values = {"ra": f"{ra_deg:.6f}", "dec": quote(f"{dec_deg:+.6f}")}
    return [(name, address.format(**values)) for name, address in places.items()]


def cards_of(candidates: pd.DataFrame, pictures: Pictures, *, viewer: str, survey: str) -> Iterator[dict]:
    """What stands on the card of each candidate.

    Parameters
    ----------
    candidates : DataFrame
        Those that are shown.
    pictures : Pictures
        Made of them.
    viewer, survey : str
        As ``sky_links`` takes them.

    Yields
    ------
    dict
        Plain values for the template; all text is fit for a screen.
    """
    scenes = candidates["scene"].value_counts()
    for row in candidates.itertuples(index=False):
        names = quality.names(int(row.flags))
        yield {
            "rank": int(row.rank),
            "id": for_screen(row.id),
            "logit": f"{row.logit:.3f}",
            "probability": f"{row.probability:.3g}",
            "position": f"{row.ra_deg:.6f} {row.dec_deg:+.6f}",
            "tile": for_screen(row.tile),
            "flags": [(name, quality.FLAGS[name].meaning) for name in names],
            "reason": for_screen(row.reason),
            "known": _known(row),
            "near_miss": bool(row.near_miss),
            "scene": int(row.scene),
            "mates": int(scenes[row.scene]) - 1,
            "links": sky_links(row.ra_deg, row.dec_deg, viewer=viewer, survey=survey),
            "lost": _lost(row, pictures),
        }


def _known(row) -> str:
    if not row.known_lens:
        return ""
    more = f"{row.separation_arcsec:.1f}\u2033" + (f", {row.known_grade}" if row.known_grade else "")
    return for_screen(f"{row.known_lens} ({more}; {row.known_list})")


def _lost(row, pictures: Pictures) -> str:
    """Why there is no picture of a candidate; empty if there is one."""
    if row.rank in pictures.made:
        return ""
    return for_screen(pictures.lost.get(row.tile, "it could not be cut out again"))


def data_of(candidates: pd.DataFrame, pictures: Pictures) -> dict:
    """What the script of the page knows of the candidates.

    Parameters
    ----------
    candidates, pictures
        As ``cards_of`` takes them.

    Returns
    -------
    dict
        ``columns`` and, for each row, ``cells`` of the table as CSV has them, safe
        for spreadsheets; and what is sorted and filtered by. For JSON.
    """
    columns, cells = csv_cells(candidates)
    rows = [
        {
            "rank": int(row.rank),
            "logit": _number(row.logit),
            "probability": _number(row.probability),
            "ra": _number(row.ra_deg),
            "dec": _number(row.dec_deg),
            "tile": for_screen(row.tile),
            "flags": list(quality.names(int(row.flags))),
            "known": bool(row.known_lens),
            "nearMiss": bool(row.near_miss),
            "scene": int(row.scene),
            "text": " ".join(map(for_screen, (row.id, row.tile, row.known_lens, row.reason))).lower(),
            "cells": texts,
            **_picture(pictures.made.get(row.rank)),
        }
        for row, texts in zip(candidates.itertuples(index=False), cells, strict=True)
    ]
    more = [[place, name] for place, name in enumerate(columns) if name not in _TOLD]
    return {"columns": columns, "more": more, "rows": rows}


def _picture(picture: Picture | None) -> dict:
    return {"key": picture.key, "axes": list(picture.axes)} if picture else {"key": "", "axes": []}


def _number(value) -> float | None:
    """A number as JSON has it."""
    return float(value) if np.isfinite(value) else None


def csv_cells(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """A table as the texts that stand in its CSV file.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    columns : list of str
    cells : list of list of str
        A list a row.
    """
    buffer = io.BytesIO()
    write_csv(table, buffer)
    text = buffer.getvalue().decode()
    # an id may be of any length
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    columns, *cells = csv.reader(io.StringIO(text, newline=""))
    return columns, cells
