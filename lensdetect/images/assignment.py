"""Which tile shows an object: the one in which it lies deepest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lensdetect.images.index import TileIndex
from lensdetect.images.matching import unit_vectors
from lensdetect.images.tiles import Tile

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
    sky = _Sky(objects["ra_deg"].to_numpy(float), objects["dec_deg"].to_numpy(float))
    best = _Best(len(objects))
    for tiles in (index.usable, [tile for tile in index.tiles if tile.problem and tile.corners_deg]):
        open_rows = best.number < 0
        for tile in tiles:
            rows = sky.near(tile)
            best.offer(tile, rows[open_rows[rows]], sky)
    result = objects.copy()
    result["tile"] = best.names()
    result["x_pix"], result["y_pix"], result["depth_pix"] = best.x, best.y, best.depth
    reason = np.where(best.number >= 0, "", np.where(sky.known, OUTSIDE, NO_POSITION))
    result["reason"] = reason.astype(object)
    return result


class _Sky:
    """Positions, sorted by declination so that those near a tile are found at once."""

    def __init__(self, ra_deg: np.ndarray, dec_deg: np.ndarray):
        self.ra_deg, self.dec_deg = ra_deg, dec_deg
        self.known = np.isfinite(ra_deg) & np.isfinite(dec_deg) & (np.abs(dec_deg) <= 90.0)
        rows = np.flatnonzero(self.known)
        self._rows = rows[np.argsort(dec_deg[rows], kind="stable")]
        self._dec = dec_deg[self._rows]
        self._vectors = unit_vectors(ra_deg[self._rows], self._dec)

    def near(self, tile: Tile) -> np.ndarray:
        """Rows within the circle around a tile's corners."""
        height, width = tile.shape
        middle_ra, middle_dec = tile.sky(0.5 * (width - 1), 0.5 * (height - 1))
        middle = unit_vectors(middle_ra, middle_dec)[0]
        cosine = float(np.min(unit_vectors(*np.transpose(tile.corners_deg)) @ middle)) - 1e-12
        radius = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
        low, high = np.searchsorted(self._dec, [middle_dec[0] - radius, middle_dec[0] + radius])
        return self._rows[low:high][self._vectors[low:high] @ middle >= cosine]


class _Best:
    """The deepest place found so far for each object."""

    def __init__(self, count: int):
        self.number = np.full(count, -1)
        self.x, self.y, self.depth = np.full((3, count), np.nan)
        self._names: list[str] = []

    def offer(self, tile: Tile, rows: np.ndarray, sky: _Sky) -> None:
        """Take a tile for those objects that lie deeper in it; of equal ones the first stays."""
        self._names.append(tile.name)
        height, width = tile.shape
        x, y = tile.pixels(sky.ra_deg[rows], sky.dec_deg[rows])
        depth = 0.5 + np.minimum(np.minimum(x, width - 1.0 - x), np.minimum(y, height - 1.0 - y))
        # NaN, where there was no tile or the projection has no place, is never larger
        deeper = (depth >= 0.0) & ~(depth <= self.depth[rows])
        rows = rows[deeper]
        self.number[rows] = len(self._names) - 1
        self.x[rows], self.y[rows], self.depth[rows] = x[deeper], y[deeper], depth[deeper]

    def names(self) -> np.ndarray:
        """Name of each object's tile."""
        return np.array([*self._names, ""], object)[self.number]
