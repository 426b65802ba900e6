"""Figures of merit on the cards of detectors, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lensdetect.scoring.report import aligned

if TYPE_CHECKING:
    from lensdetect.artifact import Card


def figures_table(cards: Mapping[str, Card]) -> str:
    """One line for each set of bands of each detector.

    Parameters
    ----------
    cards : mapping of Card
        By the name to show.

    Returns
    -------
    str
        Without a final newline.
    """
    rows = [(name, bands, figures) for name, card in cards.items() for bands, figures in card.metrics.items()]
    columns = {"figures of": [name for name, _, _ in rows], "bands": [",".join(bands) for _, bands, _ in rows]}
    for key in ("auroc", "tpr0", "tpr10"):
        columns[key.upper()] = [_number(figures.get(key), ".4f") for _, _, figures in rows]
    for key in ("stamps", "lenses"):
        columns[key] = [_number(figures.get(key), ",.0f") for _, _, figures in rows]
    return aligned(columns, left=("figures of", "bands"))


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
