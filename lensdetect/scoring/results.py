"""What a ranking leaves: a table, pictures and a page of text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lensdetect.figures import mosaic, save_figure
from lensdetect.scoring.ranking import Ranking
from lensdetect.scoring.report import counts_lines, prior_words, probability_text, ranked_lines
from lensdetect.scoring.truth import compare, truth_of
from lensdetect.scoring.writing import write_table
from lensdetect.text import for_screen

#: Letters of an id above a picture.
_LABEL = 26


def write_results(
    ranking: Ranking,
    *,
    output: Path,
    figure: Path | None = None,
    truth: pd.DataFrame | None = None,
    truth_figure: Path | None = None,
) -> dict[str, Path]:
    """Write the table, and the pictures that are asked for and can be made.

    Parameters
    ----------
    ranking : Ranking
        With the best cutouts, if ``figure`` is given.
    output : Path
        Of the table, .csv or .parquet.
    figure : Path, optional
        Of the mosaic of the best.
    truth : DataFrame, optional
        ``id`` and ``is_lens``.
    truth_figure : Path, optional
        Of the comparison with the truth.

    Returns
    -------
    dict
        What was written: kind to path.

    Raises
    ------
    InputError
        If something cannot be written.
    """
    write_table(ranking.table, output)
    written = {"table": output}
    if figure is not None and len(ranking.best):
        save_figure(best_mosaic(ranking, truth=truth), figure)
        written["pictures of the best"] = figure
    comparison = None if truth is None else compare(ranking.table, truth)
    if truth_figure is not None and comparison is not None:
        save_figure(comparison.figure(), truth_figure)
        written["comparison with the truth"] = truth_figure
    return written


def best_mosaic(ranking: Ranking, *, truth: pd.DataFrame | None = None) -> Figure:
    """Colour pictures of the best, each with its id, logit and probability, cropped to what there is to see.

    Parameters
    ----------
    ranking : Ranking
        With at least one cutout kept.
    truth : DataFrame, optional
        ``id`` and ``is_lens``; frames the pictures if it knows them all.

    Returns
    -------
    Figure
    """
    shown = ranking.table.head(len(ranking.best))
    labels = [_label(row.id, row.logit, row.probability) for row in shown.itertuples()]
    is_lens = None if truth is None else truth_of(shown["id"], truth)
    card = ranking.card
    return mosaic(
        _cropped(ranking.best),
        labels,
        bands=card.band_names,
        is_lens=None if is_lens is None or is_lens.isna().any() else is_lens.tolist(),
        pixel_scale_arcsec=card.pixel_scale_arcsec,
        title=f"{ranking.detector}: the best {len(shown)} of {len(ranking.table):,}\n{prior_words(ranking.prior)}",
    )


def _label(name: str, logit: float, probability: float) -> str:
    name = for_screen(name)
    short = name if len(name) <= _LABEL else f"{name[: _LABEL // 2 - 2]}...{name[1 - _LABEL // 2 :]}"
    return f"{short}\nlogit {logit:.2f}   P {probability_text(probability)}"


def _cropped(cutouts: np.ndarray) -> np.ndarray:
    """The middle of cutouts ``(n, size, size, band)``, without an edge that is empty in all of them."""
    seen = np.isfinite(cutouts).any(axis=(0, 3))
    rows, columns = np.nonzero(seen)
    if not len(rows):
        return cutouts
    size = len(seen)
    margin = int(min(rows.min(), columns.min(), size - 1 - rows.max(), size - 1 - columns.max()))
    return cutouts[:, margin : size - margin, margin : size - margin]


def summary(ranking: Ranking, *, truth: pd.DataFrame | None = None, rows: int = 10) -> str:
    """The best, the counts and the figures of merit, for a screen.

    Parameters
    ----------
    ranking : Ranking
        Of the images.
    truth : DataFrame, optional
        ``id`` and ``is_lens``.
    rows : int
        How many of the best to list.

    Returns
    -------
    str
        Without a final newline.
    """
    table, extra = ranking.table, ()
    if truth is not None:
        words = {True: "lens", False: "other"}
        table, extra = table.assign(truth=[words.get(known, "") for known in truth_of(table["id"], truth)]), ("truth",)
    told = f"detector: {ranking.detector}\n{prior_words(ranking.prior)}\n{counts_lines(table)}"
    parts = [ranked_lines(table, rows=rows, extra=extra), told]
    if truth is not None:
        comparison = compare(ranking.table, truth)
        parts.append("no image has both a score and a truth" if comparison is None else comparison.report())
    return "\n\n".join(filter(None, parts))
