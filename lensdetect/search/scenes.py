"""Scenes: what lies so near together that it is one thing to look at, and takes one place of a list."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.flags import ARC_RADIUS_ARCSEC
from lensdetect.images.matching import SkyTree, unit_vectors


def check_radius(name: str, radius_arcsec: float) -> None:
    """Refuse what is no radius.

    Parameters
    ----------
    name : str
        Of the setting.
    radius_arcsec : float

    Raises
    ------
    InputError
        If it is negative or no number.
    """
    if not 0.0 <= radius_arcsec < np.inf:
        raise InputError(
            f"{name} must be a radius from 0 arcsec on, got {radius_arcsec}: {ARC_RADIUS_ARCSEC:g} is usual"
        )


def number_scenes(table: pd.DataFrame, *, within_arcsec: float) -> np.ndarray:
    """Number the scenes of a list, from 1 in the order of their best.

    Whoever has no better scene within reach begins one, and whoever has belongs
    to the nearest: so no chain of neighbours makes a scene wider than that, and
    the scenes of the first rows are the same whatever comes behind them.

    Parameters
    ----------
    table : DataFrame
        ``ra_deg`` and ``dec_deg``; best first.
    within_arcsec : float
        Farthest that something lies from the best of its scene.

    Returns
    -------
    ndarray
        int64 ``(rows,)``.
    """
    better: dict[int, list[int]] = {}
    for first, second in SkyTree(table["ra_deg"], table["dec_deg"]).pairs(within_arcsec):
        better.setdefault(second, []).append(first)
    places, head = unit_vectors(table["ra_deg"], table["dec_deg"]), np.arange(len(table))
    for row in sorted(better):
        heads = [one for one in better[row] if head[one] == one]
        if heads:
            away = np.linalg.norm(places[heads] - places[row], axis=1)
            head[row] = heads[int(np.argmin(away))]
    return np.cumsum(head == np.arange(len(table)), dtype=np.int64)[head]


def rows_of_scenes(scene: np.ndarray, top: int | None) -> int:
    """How many rows of a list hold its first scenes: up to where one more would begin.

    Parameters
    ----------
    scene : ndarray
        int64 ``(rows,)``, as ``number_scenes`` gives it.
    top : int or None
        Number of scenes; None for all.

    Returns
    -------
    int
    """
    beyond = np.flatnonzero(scene > top) if top is not None else []
    return int(beyond[0]) if len(beyond) else len(scene)
