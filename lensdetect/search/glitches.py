"""The look for glitches: it costs as much as a score, so only what may become a candidate gets it."""

from __future__ import annotations

import numpy as np

from lensdetect.flags import FLAGS
from lensdetect.search.cutouts import OpenTile
from lensdetect.search.quality import flag_quality

#: At least so many objects at a time are looked at, which is all of a small search.
LEAST = 256
_BATCH = 128


def flag_best(
    tile: OpenTile, x_pix: np.ndarray, y_pix: np.ndarray, *, logit: np.ndarray, size: int, share: float
) -> np.ndarray:
    """Look for glitches in the cutouts with the highest scores, and flag the others as not looked at.

    Parameters
    ----------
    tile : OpenTile
    x_pix, y_pix : ndarray
        ``(n,)`` in the tile's frame.
    logit : ndarray
        ``(n,)``: score by which the best are told; NaN is none, and no flag.
    size : int
        Side of the cutouts in pixels.
    share : float
        Part of the objects that is looked at, 0 to 1; but at least ``LEAST`` of them.

    Returns
    -------
    ndarray
        int64 ``(n,)``: bits of ``flag_quality``, and ``unexamined``.
    """
    scored = np.flatnonzero(np.isfinite(logit))
    count = max(LEAST, int(np.ceil(share * len(logit))))
    order = scored[np.argsort(-logit[scored], kind="stable")]
    flags = np.zeros(len(logit), np.int64)
    flags[order[count:]] = FLAGS["unexamined"].value
    # as they come: cutouts that lie near each other are cut fastest
    best = np.sort(order[:count])
    for start in range(0, len(best), _BATCH):
        rows = best[start : start + _BATCH]
        pixels = tile.cut(x_pix[rows], y_pix[rows], size=size).pixels
        flags[rows] = flag_quality(pixels, tile.survey, noise_sigma=tile.noise_sigma)
    return flags
