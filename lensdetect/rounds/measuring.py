"""Two detectors on the same held-out objects: what a round has brought."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.metrics import lens_metrics, roc_curve, tpr_at_fpr_interval

COMPLETENESS = (0.5, 0.7, 0.9)
#: Lenses, and others, without which nothing can be said.
LEAST = 5
_FPR, _CONFIDENCE, _RESAMPLES = 0.1, 0.95, 1000
#: Stands for none, as in metrics.purity_curve: a finite sample cannot show that there are none.
_NONE = 0.5


def compare(
    is_lens: np.ndarray,
    logits: Mapping[str, np.ndarray],
    *,
    completeness: Sequence[float] = COMPLETENESS,
    prior: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Figures of two detectors, and by what factor the second has fewer false positives.

    Intervals of 95 %: of AUROC by DeLong's variance, of all others by the
    bootstrap of lenses and of others apart, the same draws for both detectors,
    so that a ratio knows that they were measured on the same objects.

    Parameters
    ----------
    is_lens : ndarray of bool
        ``(n,)``.
    logits : mapping
        Name -> logits ``(n,)`` of the detector: the one before, and the one after.
    completeness : sequence of float
        Shares of the lenses at which false positives are counted.
    prior : float, optional
        Share of lenses in the sky that shall be told of; by default all counts are of the sample as it is.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        ``detector``, ``figure``, ``value``, ``low``, ``high``.

    Raises
    ------
    InputError
        If there are too few of one class, or the logits are not of two detectors.
    """
    is_lens = np.asarray(is_lens, bool)
    check_enough(is_lens)
    if len(logits) != 2:
        raise InputError(f"two detectors are compared, got {len(logits)}: {', '.join(logits)}")
    rows, draws = [], _draws(is_lens, seed)
    for name, logit in logits.items():
        rows += [(name, *row) for row in _of_one(is_lens, np.asarray(logit, float))]
    for wanted in completeness:
        found = {
            name: _false_per_lens(is_lens, np.asarray(logit, float), wanted, draws, prior)
            for name, logit in logits.items()
        }
        before, after = found.values()
        for name, values in found.items():
            rows.append((name, f"false positives for each lens at {wanted:.0%} completeness", *_interval(values)))
            rows.append((name, f"purity at {wanted:.0%} completeness", *_interval(1.0 / (1.0 + values))))
        rows.append(("ratio", f"fewer false positives at {wanted:.0%} completeness, times", *_interval(before / after)))
    return pd.DataFrame(rows, columns=["detector", "figure", "value", "low", "high"])


def check_enough(is_lens: np.ndarray) -> None:
    """Check that something can be said of a sample.

    Parameters
    ----------
    is_lens : ndarray of bool

    Raises
    ------
    InputError
        If it holds fewer than ``LEAST`` lenses or others.
    """
    lenses = int(np.sum(is_lens))
    if min(lenses, len(is_lens) - lenses) < LEAST:
        raise InputError(
            f"what is held out must hold {LEAST} graded lenses and {LEAST} others to measure on, got {lenses} and "
            f"{len(is_lens) - lenses}: grade more of that part of the sky (lensdetect next --held-out), "
            "or go on unmeasured (--unmeasured)"
        )


def _of_one(is_lens: np.ndarray, logit: np.ndarray) -> list[tuple]:
    metrics, roc = lens_metrics(is_lens, logit), roc_curve(is_lens, logit)
    found = [("AUROC", metrics.auroc, *metrics.auroc_interval)]
    interval = tpr_at_fpr_interval(roc, _FPR, confidence=_CONFIDENCE)
    return [*found, (f"lenses found at a false positive rate of {_FPR:.0%}", float(roc.tpr_at_fpr(_FPR)), *interval)]


def _draws(is_lens: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of lenses and of others: the sample as it is, then resampled."""
    rng = np.random.default_rng(seed)
    lenses, others = np.flatnonzero(is_lens), np.flatnonzero(~is_lens)
    drawn = [(rng.choice(lenses, len(lenses)), rng.choice(others, len(others))) for _ in range(_RESAMPLES)]
    return [(lenses, others), *drawn]


def _false_per_lens(is_lens, logit, completeness: float, draws, prior: float | None) -> np.ndarray:
    """False positives for each lens found, of the sample and of all resamples ``(1 + resamples,)``."""
    found = np.empty(len(draws))
    for place, (lenses, others) in enumerate(draws):
        ranked = np.sort(logit[lenses])[::-1]
        threshold = ranked[math.ceil(completeness * len(ranked) - 1e-9) - 1]
        taken, wrong = np.sum(ranked >= threshold), max(np.sum(logit[others] >= threshold), _NONE)
        rate, kept = wrong / len(others), taken / len(ranked)
        found[place] = wrong / taken if prior is None else rate * (1.0 - prior) / (kept * prior)
    return found


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    low, high = np.quantile(values[1:], [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return float(values[0]), float(low), float(high)
