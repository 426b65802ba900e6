"""The ROC of a ranking, with ties kept together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError


@dataclass(frozen=True)
class Roc:
    """Vertices of a ROC: one for each distinct score, after the origin.

    Parameters
    ----------
    threshold : ndarray
        ``(v,)`` Descending scores; vertex ``j`` takes every score at or above
        ``threshold[j]``. The first is infinite and takes none.
    false_positives : ndarray of int
        ``(v,)`` Others taken, from 0 to all of them.
    true_positives : ndarray of int
        ``(v,)`` Lenses taken, from 0 to all of them.
    fpr : ndarray
        ``(v,)`` False positives as a fraction of the others; NaN without any.
    tpr : ndarray
        ``(v,)`` True positives as a fraction of the lenses; NaN without any.
    """

    threshold: np.ndarray
    false_positives: np.ndarray
    true_positives: np.ndarray
    fpr: np.ndarray
    tpr: np.ndarray

    @property
    def num_lenses(self) -> int:
        """Lenses in the sample."""
        return int(self.true_positives[-1])

    @property
    def num_others(self) -> int:
        """Stamps in the sample that are no lens."""
        return int(self.false_positives[-1])

    @property
    def auroc(self) -> float:
        """Area under the curve: the chance that a lens outranks an other, a tie counting half."""
        pairs = self.num_lenses * self.num_others
        if pairs == 0:
            return float("nan")
        heights = self.true_positives[1:] + self.true_positives[:-1]
        return float(np.sum(np.diff(self.false_positives) * heights) / (2 * pairs))

    def vertex_below(self, count):
        """Last vertex with fewer false positives than a count.

        Parameters
        ----------
        count : int or ndarray of int
            At least 1.

        Returns
        -------
        int or ndarray of int
            Index into the arrays of this curve. Others that share the score of
            the one that reaches the count are left out together, and lenses
            of that score with them.
        """
        return np.searchsorted(self.false_positives, count, side="left") - 1

    def tpr_below(self, count):
        """Highest TPR with fewer false positives than a count.

        ``tpr_below(1)`` is TPR0 and ``tpr_below(10)`` is TPR10 as Metcalf+
        2019 (A&A 625 A119, section 5.1) define them: before a single false
        positive, and with fewer than ten.

        Parameters
        ----------
        count : int or ndarray of int
            At least 1.

        Returns
        -------
        float or ndarray
            1 where the sample has fewer others than the count; NaN without lenses.
        """
        return self.tpr[self.vertex_below(count)]

    def tpr_at_fpr(self, rate):
        """Highest TPR at a false positive rate of at most ``rate``.

        Parameters
        ----------
        rate : float or ndarray
            From 0 to 1; 0 is TPR0, and so is every rate below one false
            positive among the others.

        Returns
        -------
        float or ndarray
            NaN without lenses or without others.

        Raises
        ------
        InputError
            If the rate is not from 0 to 1.
        """
        if self.num_others == 0:
            return np.full(np.shape(rate), np.nan)[()]
        return self.tpr_below(self.false_positives_at(rate) + 1)

    def false_positives_at(self, rate):
        """Most false positives that a rate allows in this sample.

        Parameters
        ----------
        rate : float or ndarray
            From 0 to 1.

        Returns
        -------
        int or ndarray of int

        Raises
        ------
        InputError
            If the rate is not from 0 to 1.
        """
        rate = np.asarray(rate, float)
        if not np.all((rate >= 0) & (rate <= 1)):
            raise InputError(
                f"a false positive rate must be from 0 to 1, got {rate.tolist()}: 0.01 is one in a hundred"
            )
        # 0.07 x 100 is a rounding error above 7, 0.29 x 100 one below 29
        return np.floor(rate * self.num_others + 1e-9).astype(np.int64)


def roc_curve(is_lens, score) -> Roc:
    """ROC of a ranking.

    Scores that are equal cannot be ordered, so a vertex stands only where the
    score changes; no vertex is dropped, so counts of false positives can be
    read off.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth: booleans, or 0 and 1.
    score : array_like
        ``(n,)`` Higher means more likely a lens. Logits, not probabilities: a
        float32 probability is exactly 1 from a logit of 16.75 on, and such
        ties cost TPR0.

    Returns
    -------
    Roc

    Raises
    ------
    InputError
        If truth is not binary, a score is NaN, lengths differ, or there is nothing.
    """
    is_lens, score = checked(is_lens, score)
    order = np.argsort(score)[::-1]
    score, is_lens = score[order], is_lens[order]
    last_of_tie = np.append(np.flatnonzero(score[1:] != score[:-1]), len(score) - 1)
    taken = np.concatenate([[0], last_of_tie + 1])
    true_positives = np.concatenate([[0], np.cumsum(is_lens)[last_of_tie]]).astype(np.int64)
    false_positives = taken - true_positives
    return Roc(
        threshold=np.concatenate([[np.inf], score[last_of_tie]]),
        false_positives=false_positives,
        true_positives=true_positives,
        fpr=_fraction(false_positives),
        tpr=_fraction(true_positives),
    )


def _fraction(counts: np.ndarray) -> np.ndarray:
    return counts / counts[-1] if counts[-1] else np.full(len(counts), np.nan)


def checked(is_lens, score) -> tuple[np.ndarray, np.ndarray]:
    """Truth and scores as arrays that can be trusted.

    Parameters
    ----------
    is_lens, score : array_like
        As in ``roc_curve``.

    Returns
    -------
    is_lens : ndarray of bool
    score : ndarray of float

    Raises
    ------
    InputError
        As in ``roc_curve``.
    """
    is_lens, score = np.asarray(is_lens), np.asarray(score)
    if is_lens.ndim != 1 or is_lens.shape != score.shape:
        raise InputError(
            f"is_lens and score must be one row each of the same length, got shapes {is_lens.shape} and "
            f"{score.shape}: give one score for each true label"
        )
    if len(is_lens) == 0:
        raise InputError("metrics need at least one scored stamp, got none: check that ids of truth and scores agree")
    if not np.issubdtype(score.dtype, np.floating):
        score = _as_float(score)
    num_nan = int(np.isnan(score).sum())
    if num_nan:
        raise InputError(
            f"scores must be numbers, got {num_nan} NaN among {len(score)}: leave out what could not be scored"
        )
    return _binary(is_lens), score


def _as_float(score: np.ndarray) -> np.ndarray:
    try:
        return score.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"scores must be numbers, got {score.dtype}: convert them first") from error


def _binary(is_lens: np.ndarray) -> np.ndarray:
    if is_lens.dtype == bool:
        return is_lens
    foreign = ~np.isin(is_lens, (0, 1))
    if foreign.any():
        raise InputError(
            f"is_lens must be True or False, or 1 or 0, got {is_lens[foreign][0]!r} and {foreign.sum() - 1} more such: "
            "leave out what has no truth"
        )
    return is_lens.astype(bool)
