"""The figures of a report, as pictures that stand in the page itself."""

from __future__ import annotations

import base64
import io

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lensdetect.figures.search import score_histogram, sky_map
from lensdetect.images.index import TileIndex
from lensdetect.search.candidates import HISTOGRAM_EDGES, Ranked
from lensdetect.search.completeness import FOUND

_DPI = 90


def draw_scores(ranked: Ranked, candidates: pd.DataFrame, known: pd.DataFrame) -> str:
    """How many objects have which logit.

    Parameters
    ----------
    ranked : Ranked
    candidates : DataFrame
        Without near misses.
    known : DataFrame
        What became of the known lenses.

    Returns
    -------
    str
        Address that holds the picture.
    """
    figure = score_histogram(
        ranked.histogram,
        HISTOGRAM_EDGES,
        lowest_candidate=float(candidates["logit"].min()) if len(candidates) else None,
        known_logits=known["logit"].tolist() if len(known) else (),
    )
    return _address(figure)


def draw_sky(index: TileIndex, tiles: pd.DataFrame, candidates: pd.DataFrame, known: pd.DataFrame) -> str:
    """Where tiles, candidates and known lenses are.

    Parameters
    ----------
    index : TileIndex
    tiles : DataFrame
        One row a tile: ``tile``, ``problem``.
    candidates, known : DataFrame
        As ``draw_scores`` takes them.

    Returns
    -------
    str
        Address that holds the picture.
    """
    placed = [tile for tile in index.tiles if tile.corners_deg]
    bad = set(tiles.loc[tiles["problem"] != "", "tile"])
    is_found = (known["fate"] == FOUND).to_numpy() if len(known) else np.zeros(0, bool)
    figure = sky_map(
        [tile.corners_deg for tile in placed],
        searched=[tile.name not in bad for tile in placed],
        candidates=_places(candidates),
        found=_places(known[is_found]) if len(known) else ((), ()),
        missed=_places(known[~is_found]) if len(known) else ((), ()),
    )
    return _address(figure)


def _places(table: pd.DataFrame) -> tuple:
    return (table["ra_deg"].to_numpy(), table["dec_deg"].to_numpy()) if len(table) else ((), ())


def _address(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
