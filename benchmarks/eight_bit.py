"""What an 8-bit colour picture leaves of g, r, i pixels, once its stretch is undone.

The cutouts of ``cfhtls_graded`` and ``cfhtls_fields`` were recovered from such pictures. The stretch is that of Lupton+
2004 (PASP 116, 133) with ``Q = 1``: with ``I`` the weighted sum of the bands, a channel is
``weight x flux x asinh(0.1 I) / I``, in 255 levels. Weights and the 0.1 were found from the cutouts: the brightest
pixels that are not clipped have level 255 in all three bands, and recovered fluxes stand at the middle of a level.
"""

from __future__ import annotations

import numpy as np

from lensdetect.images.background import sky_sigma

#: For g, r, i of zero point 30.
WEIGHTS = np.array([1.7, 0.6, 0.4], np.float32)
SOFTENING = 0.1

#: A clipped band was refilled from the colour round it, and came out by 10 to 26 % too faint.
_REFILLED = 0.82


def as_picture(pixels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Pixels after a picture was made of them and undone.

    Parameters
    ----------
    pixels : ndarray
        ``(n, height, width, 3)`` in g, r, i, flux of zero point 30; NaN is no pixel.
    rng : Generator
        Of the half-normal noise that stands for negative sky.

    Returns
    -------
    ndarray
        float32 of the same shape; NaN where all three bands were clipped too.
    """
    positive = np.maximum(pixels, 0.0) * WEIGHTS
    total = positive.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        channel = np.where(total > 0.0, positive * np.arcsinh(SOFTENING * total) / total, positive)
    level = (np.floor(255.0 * np.minimum(channel, 1.0)) + 0.5) / 255.0
    level_sum = level.sum(axis=-1, keepdims=True)
    undone = level * np.sinh(level_sum) / (SOFTENING * level_sum) / WEIGHTS
    clipped = channel >= 1.0
    # Where a band is clipped the picture does not tell the sum: the other bands are near the truth, as measured.
    undone = np.where(clipped.any(axis=-1, keepdims=True), pixels, undone)
    undone = np.where(clipped, _REFILLED * pixels, undone)
    undone = np.where(pixels > 0.0, undone, _half_normal(pixels, rng))
    undone[clipped.all(axis=-1) | np.isnan(pixels).any(axis=-1)] = np.nan
    return undone.astype(np.float32)


def _half_normal(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Negative noise with the sigma of the sky of each stamp and band."""
    sigma = np.array([[sky_sigma(stamp[..., band]) for band in range(3)] for stamp in pixels])
    return -np.abs(rng.normal(size=pixels.shape)) * np.nan_to_num(sigma)[:, None, None, :]
