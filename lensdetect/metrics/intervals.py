"""Confidence intervals of what a finite sample of lenses and others says.

All are two-sided pairs ``(low, high)``; an undefined one is a pair of NaN.
Lenses and others are two samples of fixed size, as in a challenge.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import bdtrc, betaincinv, expit, logit, ndtri

from lensdetect.metrics.roc import Roc

Interval = tuple[float, float]
UNDEFINED: Interval = (math.nan, math.nan)

# Of the error that each end of the interval of TPR0 may make, the part left to
# the count of lenses; the others' part is far the larger in width.
_LENS_SHARE = 0.1


def wilson_interval(successes: int, trials: int, *, confidence: float) -> Interval:
    """Score interval of a fraction: Wilson 1927, JASA 22, 209.

    Parameters
    ----------
    successes, trials : int
        The fraction is ``successes / trials``.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of float
    """
    if trials == 0:
        return UNDEFINED
    z = float(ndtri(0.5 + confidence / 2))
    fraction, shrink = successes / trials, 1 + z * z / trials
    centre = (fraction + z * z / (2 * trials)) / shrink
    half = z / shrink * math.sqrt(fraction * (1 - fraction) / trials + z * z / (4 * trials * trials))
    # At the ends the formula is exact on paper and off by a rounding error here.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return low, high


def auroc_interval(roc: Roc, *, confidence: float) -> Interval:
    """Interval of the area under the ROC.

    The variance is that of DeLong+ 1988 (Biometrics 44, 837), and the
    interval symmetric in ``logit(AUROC)``, so it stays between 0 and 1. In a
    sample that is separated without an error the variance is 0 and says
    nothing. Then ``m = min(lenses, others)`` disjoint pairs are ``m``
    independent trials that succeed with the chance AUROC: none failed, so
    AUROC is at least ``alpha ** (1 / m)``, with alpha the error at that end.

    Parameters
    ----------
    roc : Roc
        From ``roc_curve``.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of float
    """
    area, num_pairs = roc.auroc, min(roc.num_lenses, roc.num_others)
    if math.isnan(area):
        return UNDEFINED
    tail = (1 - confidence) / 2
    bound = tail ** (1 / num_pairs)
    if area == 1:
        return bound, 1.0
    if area == 0:
        return 0.0, 1 - bound
    if num_pairs < 2:
        return 0.0, 1.0
    half = float(ndtri(1 - tail)) * math.sqrt(_delong_variance(roc)) / (area * (1 - area))
    return float(expit(logit(area) - half)), float(expit(logit(area) + half))


def _delong_variance(roc: Roc) -> float:
    """Variance of AUROC from the rank of each lens among the others, and the reverse."""
    lens_rank = (roc.fpr[1:] + roc.fpr[:-1]) / 2
    other_rank = (roc.tpr[1:] + roc.tpr[:-1]) / 2
    return _variance_of_mean(lens_rank, np.diff(roc.true_positives)) + _variance_of_mean(
        other_rank, np.diff(roc.false_positives)
    )


def _variance_of_mean(values: np.ndarray, counts: np.ndarray) -> float:
    """Variance of the mean of ``values``, each seen ``counts`` times."""
    total = counts.sum()
    mean = np.sum(values * counts) / total
    return float(np.sum(counts * (values - mean) ** 2) / (total - 1) / total)


def tpr_bootstrap_interval(roc: Roc, *, below: int, confidence: float, resamples: int, seed: int) -> Interval:
    """Percentile bootstrap of the highest TPR with fewer false positives than ``below``.

    Lenses and others are resampled apart. Nothing need be sorted again: of
    ``N`` others drawn from ``N``, the rank of the ``below``-th highest is
    ``ceil(N u)`` with ``u`` the ``below``-th smallest of ``N`` uniform
    numbers, which is Beta(``below``, ``N + 1 - below``); and the lenses above it
    are binomial.

    Parameters
    ----------
    roc : Roc
        From ``roc_curve``.
    below : int
        10 for TPR10. Too few false positives make a bootstrap fail: for TPR0
        use ``tpr0_interval``.
    confidence : float
        Between 0 and 1.
    resamples, seed : int
        How many bootstrap samples, and from which random numbers.

    Returns
    -------
    tuple of float
        Undefined where there are no lenses or fewer others than ``below``.
    """
    lenses, others = roc.num_lenses, roc.num_others
    if lenses == 0 or others < below:
        return UNDEFINED
    rng = np.random.default_rng(seed)
    rank = np.ceil(others * rng.beta(below, others + 1 - below, size=resamples)).astype(np.int64)
    fractions = rng.binomial(lenses, roc.tpr_below(rank)) / lenses
    low, high = np.quantile(fractions, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def tpr0_interval(roc: Roc, *, confidence: float) -> Interval:
    """Order-statistic interval of TPR0.

    TPR0 hangs on one stamp, the highest of ``N`` others, and a bootstrap
    cannot draw a higher one: it covers the truth half of the time. What is
    bounded here is the TPR0 that a test of this size typically has, its
    median: ``T(u0)``, the completeness at the false positive rate ``u0`` below
    which the highest other lies in half of all tests, ``(1 - u0)^N = 1/2``.
    Each end may err by ``(1 - confidence) / 2``, split between others and lenses.

    *High end.* At the threshold of rate ``u0``, the false positives are
    Binomial(N, u0). Let ``k`` be the smallest number that they reach with at
    most the allowed chance (4 at 95 %). The TPR with fewer than ``k`` false
    positives is then at least the TPR at that threshold, whose binomial
    upper limit (Clopper and Pearson) is the high end. Nothing is assumed.

    *Low end.* The true false positive rate beyond the highest other exceeds
    ``u1`` with the chance ``(1 - u1)^N`` at most. No sample says what lies
    between 0 and that rate, so without an assumption the low end is 0. The
    assumption made is a concave ROC (a higher score never means lower odds
    of a lens): then ``T(u0) >= T(u1) u0 / u1``, and the low end is
    ``u0 / u1`` times the binomial lower limit of TPR0. A population of others
    that outscores every lens, glitches say, breaks this.

    Parameters
    ----------
    roc : Roc
        From ``roc_curve``.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of float
        Undefined where there are no lenses or no others. Conservative: it covers at least
        as often as asked.
    """
    lenses, others = roc.num_lenses, roc.num_others
    if lenses == 0 or others == 0:
        return UNDEFINED
    tail = (1 - confidence) / 2
    lens_tail, other_tail = tail * _LENS_SHARE, tail * (1 - _LENS_SHARE)
    u0, u1 = -math.expm1(math.log(0.5) / others), -math.expm1(math.log(other_tail) / others)
    k = 1
    while k <= others and bdtrc(k - 1, others, u0) > other_tail:
        k += 1
    fewest, most = (int(roc.true_positives[roc.vertex_below(count)]) for count in (1, k))
    low = 0.0 if fewest == 0 else float(betaincinv(fewest, lenses - fewest + 1, lens_tail)) * u0 / u1
    high = 1.0 if most == lenses else float(betaincinv(most + 1, lenses - most, 1 - lens_tail))
    return low, high


def tpr_at_fpr_interval(roc: Roc, rate: float, *, confidence: float, resamples: int = 1000, seed: int = 0) -> Interval:
    """Interval of the highest TPR at a false positive rate.

    Parameters
    ----------
    roc : Roc
        From ``roc_curve``.
    rate : float
        From 0 to 1.
    confidence : float
        Between 0 and 1.
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    tuple of float
        That of TPR0 where the rate allows no false positive in this sample, else
        a bootstrap: at 95 % it covers 92 to 97 % of the time from two false
        positives on, and 88 % at the least where one is allowed.

    Raises
    ------
    InputError
        If the rate is not from 0 to 1.
    """
    allowed = int(roc.false_positives_at(rate))
    if allowed == 0:
        return tpr0_interval(roc, confidence=confidence)
    below = min(allowed + 1, roc.num_others)
    return tpr_bootstrap_interval(roc, below=below, confidence=confidence, resamples=resamples, seed=seed)
