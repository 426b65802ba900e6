"""What a ranking is worth where lenses are rare: purity, and which kinds of others fool it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.metrics.intervals import Interval, wilson_interval
from lensdetect.metrics.roc import Roc, checked, roc_curve


@dataclass(frozen=True)
class KindRate:
    """How often one kind of others is taken for a lens.

    Parameters
    ----------
    kind : str
        Name of the kind.
    count : int
        Others of the kind in the sample.
    false_positives : int
        Those among them at or above the threshold.
    rate : float
        Their fraction.
    rate_interval : tuple of float
        Wilson interval of the fraction.
    share : float
        Fraction of all false positives that is of this kind; NaN without any.
    """

    kind: str
    count: int
    false_positives: int
    rate: float
    rate_interval: Interval
    share: float


def purity_at(completeness, false_positive_rate, *, prior: float):
    """Fraction of lenses among what is taken, on a sky with another share of lenses than the sample.

    By Bayes' rule: ``c p / (c p + f (1 - p))`` with completeness c, false
    positive rate f and prior p.

    Parameters
    ----------
    completeness, false_positive_rate : float or array_like
        Of the sample, at one threshold.
    prior : float
        Share of lenses on that sky, between 0 and 1.

    Returns
    -------
    float or ndarray
        NaN where nothing is taken.

    Raises
    ------
    InputError
        If the prior is not between 0 and 1.
    """
    if not 0 < prior < 1:
        raise InputError(f"prior must be a fraction between 0 and 1, got {prior}: lenses are about 1e-4 of galaxies")
    lenses = np.asarray(completeness, float) * prior
    taken = lenses + np.asarray(false_positive_rate, float) * (1.0 - prior)
    with np.errstate(invalid="ignore"):
        return lenses / taken


def threshold_at(roc: Roc, completeness: float) -> float:
    """Highest threshold with which at least some fraction of the lenses is taken.

    Parameters
    ----------
    roc : Roc
        Of a sample with lenses.
    completeness : float
        Above 0, up to 1.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If the completeness is out of range, or the sample has no lens.
    """
    if not 0 < completeness <= 1:
        raise InputError(f"completeness must be above 0 and at most 1, got {completeness}: it is a share of the lenses")
    if roc.num_lenses == 0:
        raise InputError("completeness needs lenses in the sample, got none: give a sample with both classes")
    wanted = math.ceil(completeness * roc.num_lenses - 1e-9)
    return float(roc.threshold[np.searchsorted(roc.true_positives, wanted)])


def false_positives_by_kind(is_lens, score, *, kind, threshold: float, confidence: float = 0.95) -> list[KindRate]:
    """Which kinds of others are taken for lenses, the most frequent false positives first.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth: booleans, or 0 and 1.
    score : array_like
        ``(n,)`` Higher means more likely a lens.
    kind : array_like of str
        ``(n,)`` What each stamp shows.
    threshold : float
        A score at or above it is taken for a lens.
    confidence : float
        Of the intervals.

    Returns
    -------
    list of KindRate
        One for each kind that occurs among the others.

    Raises
    ------
    InputError
        If truth is not binary, a score is NaN, or lengths differ.
    """
    is_lens, score = checked(is_lens, score)
    kind = np.asarray(kind, dtype=object)
    if len(kind) != len(score):
        raise InputError(f"each score must have a kind, got {len(score)} scores and {len(kind)} kinds")
    taken = (score >= threshold) & ~is_lens
    total = int(taken.sum())
    rows = []
    for name in sorted(set(kind[~is_lens])):
        here = (kind == name) & ~is_lens
        count, wrong = int(here.sum()), int((taken & here).sum())
        interval = wilson_interval(wrong, count, confidence=confidence)
        rows.append(KindRate(str(name), count, wrong, wrong / count, interval, wrong / total if total else math.nan))
    return sorted(rows, key=lambda row: (-row.rate, row.kind))


def purity_curve(is_lens, score, *, prior: float) -> tuple[np.ndarray, np.ndarray]:
    """Purity against completeness on a sky with some share of lenses.

    Parameters
    ----------
    is_lens, score : array_like
        As ``roc_curve``.
    prior : float
        Share of lenses on that sky.

    Returns
    -------
    completeness, purity : ndarray
        At each threshold that takes some lens. Where no other is taken, half of
        one stands for the false positives: a finite sample cannot show a purity of 1.
    """
    roc = roc_curve(is_lens, score)
    some = roc.true_positives > 0
    false_positive_rate = np.maximum(roc.false_positives[some], 0.5) / max(roc.num_others, 1)
    return roc.tpr[some], purity_at(roc.tpr[some], false_positive_rate, prior=prior)
