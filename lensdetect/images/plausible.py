"""Pixels that no detector can have measured.

A flipped bit in the exponent of a float makes 1e38 of a pixel, and one such pixel
moves a score by several units. What is not finite is no data; neither is what lies
a million times the image's own noise away from its middle: a full well holds some
1e5 electrons, the sky's noise is a few of them, and a stack of hundreds of
exposures lowers that by a factor of 20 at most.
"""

from __future__ import annotations

import numpy as np

#: Times the noise of the image, from its median.
MOST_SIGMA = 1e6

#: Whatever the noise: sums of squares of more overflow in float32.
MOST_VALUE = 1e18

#: Of the median absolute deviation, to the standard deviation of a normal distribution.
_TO_SIGMA = 1.4826

#: Values that are looked at first.
_SOME = 101


def may_be_absurd(planes: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """Which planes need a second look, told from their greatest value and two of their rows.

    Parameters
    ----------
    planes : ndarray
        ``(..., height, width)``.
    peak : ndarray
        ``(...)``: no value of a plane is farther from zero, NaN left out.

    Returns
    -------
    ndarray
        bool ``(...)``; True where the peak is not finite, too.
    """
    edges = planes[..., :: max(planes.shape[-2] - 1, 1), :]
    with np.errstate(invalid="ignore", over="ignore"):
        # NaN count as no step; the quieter of the two, as what is absurd may lie in one of them
        scale = np.fmax(np.abs(edges - edges[..., :1]), 0.0).mean(axis=-1).min(axis=-1)
        return ~((peak <= 0.1 * MOST_SIGMA * scale) & (peak <= MOST_VALUE))


def absurd(image: np.ndarray) -> np.ndarray:
    """Pixels of one image that are finite and cannot be true.

    Parameters
    ----------
    image : ndarray
        Float ``(height, width)``.

    Returns
    -------
    ndarray
        bool ``(height, width)``.
    """
    known = np.isfinite(image)
    values = image[known]
    if not len(values):
        return np.zeros(image.shape, bool)
    # a hundred of them tell nearly always that no more need be looked at
    _, rough = _middle_and_sigma(values[:: max(len(values) // _SOME, 1)])
    if max(-values.min(), values.max()) <= min(0.1 * MOST_SIGMA * rough, MOST_VALUE):
        return np.zeros(image.shape, bool)
    middle, sigma = _middle_and_sigma(values)
    # half of the pixels of one value leave no noise to compare with
    most = MOST_SIGMA * sigma if sigma > 0.0 else np.inf
    with np.errstate(invalid="ignore", over="ignore"):
        return known & ((np.abs(image - middle) > most) | (np.abs(image) > MOST_VALUE))


def _middle_and_sigma(values: np.ndarray) -> tuple[float, float]:
    values = values.astype(np.float64)
    middle = np.median(values)
    return float(middle), _TO_SIGMA * float(np.median(np.abs(values - middle)))
