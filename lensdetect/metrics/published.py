"""Figures of merit as others have computed them, for comparison with their tables alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from lensdetect.metrics.roc import roc_curve

#: Vertices after the first with a false positive.
_VERTICES_ON = 7


@dataclass(frozen=True)
class PublishedTpr10:
    """The TPR10 of Thuruthipilly+ 2022, and what it leaves unsaid.

    Parameters
    ----------
    tpr : float
        NaN where the curve has too few vertices.
    false_positives : int
        At that vertex; the challenge's TPR10 has nine or fewer.
    """

    tpr: float
    false_positives: int


def tpr10_as_published(is_lens, logit) -> PublishedTpr10:
    """TPR10 as the published notebook reads it off a ROC.

    Not the challenge's TPR10: the eighth vertex of the curve from the first with
    a false positive on, after vertices on a straight line are dropped (as
    scikit-learn's ``roc_curve`` does by default) and after the scores have become
    float32 probabilities, many of which are exactly 1. How many false positives
    that vertex has is left to chance. ``lens_metrics`` has the right one.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth: booleans, or 0 and 1.
    logit : array_like
        ``(n,)`` Scores before the sigmoid.

    Returns
    -------
    PublishedTpr10

    Raises
    ------
    InputError
        As ``roc_curve``.
    """
    probability = expit(np.asarray(logit, np.float32)).astype(np.float32)
    roc = roc_curve(is_lens, probability)
    kept = _bends(roc.false_positives[1:], roc.true_positives[1:])
    # The origin is put in front after the dropping.
    kept = np.concatenate([[0], 1 + np.flatnonzero(kept)])
    vertex = int(np.searchsorted(roc.false_positives[kept], 0, side="right")) + _VERTICES_ON
    if roc.num_lenses == 0 or roc.num_others == 0 or vertex >= len(kept):
        return PublishedTpr10(math.nan, 0)
    return PublishedTpr10(float(roc.tpr[kept[vertex]]), int(roc.false_positives[kept[vertex]]))


def _bends(false_positives: np.ndarray, true_positives: np.ndarray) -> np.ndarray:
    """Vertices at which the curve changes its step, and the two ends."""
    if len(false_positives) <= 2:
        return np.ones(len(false_positives), bool)
    bends = (np.diff(false_positives, 2) != 0) | (np.diff(true_positives, 2) != 0)
    return np.concatenate([[True], bends, [True]])
