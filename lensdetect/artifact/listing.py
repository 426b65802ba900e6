"""The table of detectors that ``lensdetect models`` prints."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lensdetect import network
from lensdetect.artifact.card import load_card
from lensdetect.artifact.shipped import shipped_detectors


def list_detectors() -> pd.DataFrame:
    """Table of the detectors that can be loaded or trained.

    Returns
    -------
    DataFrame
        One row for each trained detector that comes with the package and for
        each named network without: ``name``, ``parameters``, ``trained``,
        ``survey``, ``bands``, the card's figures for all bands (not a number
        where there is none), ``licence`` and ``folder``.
    """
    rows = [_shipped_row(name, folder) for name, folder in shipped_detectors().items()]
    trained = {row.pop("network") for row in rows}
    for name, system in network.SYSTEMS.items():
        if name not in trained:
            rows.append({"name": name, "parameters": system.parameters, "trained": False})
    table = pd.DataFrame(rows).reindex(columns=_columns(rows))
    text = ["survey", "bands", "licence", "folder"]
    return table.assign(**{column: table[column].astype(object).fillna("") for column in text})


def _shipped_row(name: str, folder: Path) -> dict:
    card = load_card(folder)
    model = network.build_detector(network.spec_from_dict(card.spec), card.bands, size=card.size)
    return {
        "network": card.name,
        "name": f"{name}/{folder.name}",
        "parameters": model.count_params(),
        "trained": True,
        "survey": card.survey,
        "bands": ",".join(card.band_names),
        **next(iter(card.metrics.values()), {}),
        "licence": card.licence,
        "folder": str(folder),
    }


def _columns(rows: list[dict]) -> list[str]:
    first, last = ["name", "parameters", "trained", "survey", "bands"], ["licence", "folder"]
    figures = dict.fromkeys(column for row in rows for column in row if column not in (*first, *last))
    return [*first, *figures, *last]
