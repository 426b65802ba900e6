"""What of a cutout is so near to its middle that it can touch what is there."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=64)
def disc(
    size_pix: tuple[int, int], cells: tuple[int, int] | None = None, *, cell_pix: int = 1, reach_pix: float
) -> np.ndarray:
    """Which cells of an image have their middle so near to that of the image.

    Parameters
    ----------
    size_pix : tuple of int
        Height and width of the image.
    cells : tuple of int, optional
        Rows and columns of the cells, counted from its corner; its pixels if not given.
    cell_pix : int
        Side of a cell.
    reach_pix : float

    Returns
    -------
    ndarray
        bool, of the shape of the cells.
    """
    y, x = (
        cell_pix * (np.arange(count) + 0.5) - 0.5 - side // 2
        for side, count in zip(size_pix, cells or size_pix, strict=True)
    )
    return np.hypot(y[:, None], x) <= reach_pix
