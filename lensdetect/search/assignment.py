"""Which tile shows an object: the one in which it lies deepest."""

from __future__ import annotations

import pandas as pd

from lensdetect.search.index import TileIndex

#: Reasons of objects without a tile.
OUTSIDE, NO_POSITION = "outside every tile", "no position"


def assign(objects: pd.DataFrame, index: TileIndex) -> pd.DataFrame:
    """Find the tile of each object.

    Parameters
    ----------
    objects : DataFrame
        ``row``, ``id``, ``ra_deg``, ``dec_deg``.
    index : TileIndex
        Tiles with a problem are taken into account: an object that lies in
        such tiles alone gets one of them, and is reported with it.

    Returns
    -------
    DataFrame
        The same rows in the same order, with ``tile`` (name, or empty),
        ``x_pix``, ``y_pix`` (in the tile's frame, counted from 0; NaN without a
        tile), ``depth_pix`` (distance from the nearest edge) and ``reason``
        (empty with a tile; else ``outside every tile`` or ``no position``).
    """
    raise NotImplementedError
