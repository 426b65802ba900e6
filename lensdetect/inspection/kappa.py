"""Agreement of graders beyond chance: weighted kappa of two, Krippendorff's alpha of any number."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.metrics.intervals import UNDEFINED, Interval

_RESAMPLES = 2000
#: Of the bootstrap: the same table gives the same interval.
_SEED = 0


def weighted_kappa(counts: np.ndarray) -> float:
    """Weighted kappa of two graders: Cohen 1968, Psychological Bulletin 70, 213.

    One minus the disagreement found over that expected if the two graded
    independently, with the squared number of levels apart as the weight.

    Parameters
    ----------
    counts : ndarray
        ``(level, level)`` objects by the grades of the one and of the other.

    Returns
    -------
    float
        1 if they always agree, 0 if as often as by chance; NaN if both gave one and
        the same grade throughout, or nothing.
    """
    return float(_kappas(np.asarray(counts)[None])[0])


def _kappas(counts: np.ndarray) -> np.ndarray:
    """Kappa of each of several tables ``(n, level, level)``."""
    places = np.arange(counts.shape[-1])
    weight = np.square(places[:, None] - places[None, :]).astype(np.float64)
    total = counts.sum(axis=(1, 2))
    expected = np.einsum("ni,nl,il->n", counts.sum(axis=2), counts.sum(axis=1), weight)
    found = np.einsum("nij,ij->n", counts, weight) * total
    ratio = np.divide(found, expected, out=np.full(len(counts), np.nan), where=expected > 0)
    return 1.0 - ratio


def kappa_interval(counts: np.ndarray, *, confidence: float) -> Interval:
    """Percentile bootstrap of weighted kappa over the objects.

    Parameters
    ----------
    counts : ndarray
        ``(level, level)`` as ``weighted_kappa`` takes it.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of float
        Undefined where kappa is. Samples in which it is not defined are left out, and
        below some 20 objects it is too narrow.
    """
    counts = np.asarray(counts)
    total = int(counts.sum())
    if math.isnan(weighted_kappa(counts)):
        return UNDEFINED
    rng = np.random.default_rng(_SEED)
    drawn = rng.multinomial(total, counts.ravel() / total, size=_RESAMPLES).reshape(-1, *counts.shape)
    kappas = _kappas(drawn)
    low, high = np.nanquantile(kappas, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def krippendorff_alpha(levels: np.ndarray, *, num_levels: int) -> float:
    """Krippendorff's alpha with ordinal distances, for any number of graders and gaps between them.

    Krippendorff 2018, Content Analysis, 4th ed., chapter 12: one minus the disagreement
    within objects over that among all grades. The distance of two levels is the
    square of the number of grades that lie between them, half of either level counted.

    Parameters
    ----------
    levels : ndarray
        ``(object, grader)`` place of the grade in the scale, from 0; NaN where there is none.
    num_levels : int
        Of the scale.

    Returns
    -------
    float
        NaN where fewer than two grades can be compared, or all are the same.
    """
    counts = np.stack([(levels == place).sum(axis=1) for place in range(num_levels)], axis=1).astype(np.float64)
    counts = counts[counts.sum(axis=1) > 1]
    pairs = counts.sum(axis=1) - 1.0
    within = np.einsum("ni,nj,n->ij", counts, counts, 1.0 / pairs) - np.diag((counts / pairs[:, None]).sum(axis=0))
    marginal = within.sum(axis=0)
    distance = _ordinal_distance(marginal)
    expected = np.sum(np.outer(marginal, marginal) * distance)
    if expected == 0:
        return math.nan
    return float(1.0 - (marginal.sum() - 1.0) * np.sum(within * distance) / expected)


def _ordinal_distance(marginal: np.ndarray) -> np.ndarray:
    upto = np.cumsum(marginal)
    middle = upto - marginal / 2.0
    return np.square(middle[:, None] - middle[None, :])
