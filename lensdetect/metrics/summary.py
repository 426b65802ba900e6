"""All figures of merit of one ranking, with intervals and sample sizes."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensdetect.errors import InputError
from lensdetect.metrics.intervals import (
    Interval,
    auroc_interval,
    tpr0_interval,
    tpr_bootstrap_interval,
    wilson_interval,
)
from lensdetect.metrics.roc import Roc, checked, roc_curve

_MEANINGS = {
    "auroc": "chance that a lens outranks an other",
    "tpr0": "completeness before the first false positive",
    "tpr10": "completeness with fewer than ten false positives",
    "accuracy": "right among all",
    "purity": "lenses among those called lens",
    "completeness": "called lens among the lenses",
}


@dataclass(frozen=True)
class LensMetrics:
    """What a ranking is worth; a figure that is not defined is NaN, and so is its interval.

    Parameters
    ----------
    num_lenses, num_others : int
        Sizes of the two samples.
    confidence : float
        Of all intervals, each a pair ``(low, high)``.
    auroc : float
        Area under the ROC; interval by DeLong's variance.
    tpr0 : float
        Highest TPR without a false positive; order-statistic interval.
    tpr10 : float
        Highest TPR with fewer than ten false positives; bootstrap interval.
    tied_lenses : int
        Lenses with the very score of the highest other: lost to TPR0 by the tie.
    threshold : float
        A score at or above it is called a lens.
    true_positives, false_positives, true_negatives, false_negatives : int
        Confusion at the threshold.
    accuracy, purity, completeness : float
        At the threshold; Wilson intervals.
    """

    num_lenses: int
    num_others: int
    confidence: float
    auroc: float
    auroc_interval: Interval
    tpr0: float
    tpr0_interval: Interval
    tpr10: float
    tpr10_interval: Interval
    tied_lenses: int
    threshold: float
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    accuracy: float
    accuracy_interval: Interval
    purity: float
    purity_interval: Interval
    completeness: float
    completeness_interval: Interval

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know beside the figures, in sentences; empty when all is well."""
        notes = []
        if self.num_lenses == 0:
            notes.append("no lens in the sample: AUROC, TPR0, TPR10 and completeness are not defined")
        if self.num_others == 0:
            notes.append("no non-lens in the sample: AUROC, TPR0 and TPR10 are not defined")
        if self.num_lenses and 0 < self.num_others < 10:
            notes.append(f"only {self.num_others} others: TPR10 is 1 whatever the scores")
        if self.tied_lenses:
            notes.append(f"{self.tied_lenses} lenses tie with the highest other: rank by logit, not by probability")
        if self.true_positives + self.false_positives == 0:
            notes.append("nothing reaches the threshold: purity is not defined")
        return tuple(notes)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON.

        Returns
        -------
        dict
            One entry a field; intervals are lists, and NaN is None.
        """
        return {
            name: [_json_number(end) for end in value] if isinstance(value, tuple) else _json_number(value)
            for name, value in dataclasses.asdict(self).items()
        }

    def report(self) -> str:
        """A few aligned lines for people.

        Returns
        -------
        str
            Without a final newline.
        """
        lines = [
            f"{_plural(self.num_lenses, 'lens', 'lenses')}, {_plural(self.num_others, 'other', 'others')}; "
            f"intervals at {100 * self.confidence:g} %",
            *(self._line(name) for name in ("auroc", "tpr0", "tpr10")),
            f"called a lens at a score of {self.threshold:g} or more:",
            *(self._line(name) for name in ("accuracy", "purity", "completeness")),
            f"  {'':<12}  {'called lens':>11}  {'called other':>12}",
            f"  {'true lens':<12}  {self.true_positives:>11,}  {self.false_negatives:>12,}",
            f"  {'true other':<12}  {self.false_positives:>11,}  {self.true_negatives:>12,}",
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def __str__(self) -> str:
        """The report."""
        return self.report()

    def _line(self, name: str) -> str:
        value, (low, high) = getattr(self, name), getattr(self, f"{name}_interval")
        title = name.upper() if name in {"auroc", "tpr0", "tpr10"} else name
        interval = "" if math.isnan(low) else f"[{low:.4f}, {high:.4f}]"
        shown = "not defined" if math.isnan(value) else f"{value:.4f}"
        return f"  {title:<12}  {shown:<11}  {interval:<18}  {_MEANINGS[name]}"


def lens_metrics(
    is_lens, score, *, threshold: float = 0.0, confidence: float = 0.95, resamples: int = 1000, seed: int = 0
) -> LensMetrics:
    """Figures of merit of a ranking against the truth.

    A sample with one class alone gives its confusion; what needs both classes
    is NaN, and ``notes`` says so.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth: booleans, or 0 and 1.
    score : array_like
        ``(n,)`` Higher means more likely a lens; logits (see ``roc_curve``).
    threshold : float
        A score at or above it is called a lens. The default, logit 0, is
        probability 0.5.
    confidence : float
        Of the intervals, between 0 and 1.
    resamples, seed : int
        Of the bootstrap that bounds TPR10.

    Returns
    -------
    LensMetrics

    Raises
    ------
    InputError
        If truth is not binary, a score is NaN, the threshold not finite,
        lengths differ, there is nothing, or confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence must be between 0 and 1, got {confidence}: 0.95 is usual")
    if not math.isfinite(threshold):
        raise InputError(f"threshold must be a finite number, got {threshold}: 0 is the logit of probability 0.5")
    is_lens, score = checked(is_lens, score)
    roc = roc_curve(is_lens, score)
    both = roc.num_lenses > 0 and roc.num_others > 0
    return LensMetrics(
        num_lenses=roc.num_lenses,
        num_others=roc.num_others,
        confidence=float(confidence),
        auroc=roc.auroc,
        auroc_interval=auroc_interval(roc, confidence=confidence),
        tpr0=float(roc.tpr_below(1)) if both else math.nan,
        tpr0_interval=tpr0_interval(roc, confidence=confidence),
        tpr10=float(roc.tpr_below(10)) if both else math.nan,
        tpr10_interval=tpr_bootstrap_interval(roc, below=10, confidence=confidence, resamples=resamples, seed=seed),
        tied_lenses=_tied_lenses(roc),
        threshold=float(threshold),
        **_confusion(is_lens, score >= threshold, confidence),
    )


def _confusion(is_lens: np.ndarray, called: np.ndarray, confidence: float) -> dict[str, Any]:
    """Counts of right and wrong calls, and the fractions made of them."""
    true_positives, false_positives = int(np.sum(called & is_lens)), int(np.sum(called & ~is_lens))
    true_negatives, false_negatives = int(np.sum(~called & ~is_lens)), int(np.sum(~called & is_lens))
    fractions = {
        "accuracy": (true_positives + true_negatives, len(is_lens)),
        "purity": (true_positives, true_positives + false_positives),
        "completeness": (true_positives, true_positives + false_negatives),
    }
    figures: dict[str, Any] = {}
    for name, (successes, trials) in fractions.items():
        figures[name] = successes / trials if trials else math.nan
        figures[f"{name}_interval"] = wilson_interval(successes, trials, confidence=confidence)
    return figures | {
        "true_positives": true_positives,
        "false_positives": false_positives,
        "true_negatives": true_negatives,
        "false_negatives": false_negatives,
    }


def _tied_lenses(roc: Roc) -> int:
    """Lenses in the tie that holds the first false positive."""
    if roc.num_others == 0:
        return 0
    vertex = roc.vertex_below(1)
    return int(roc.true_positives[vertex + 1] - roc.true_positives[vertex])


def _json_number(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def _plural(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
