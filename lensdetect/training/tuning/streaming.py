"""Figures of a ranking as streaming Keras metrics.

Lenses and others are counted in bins of logit, batch by batch, so memory does
not grow with the number of stamps. Scores in one bin count as tied.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from lensdetect.errors import InputError

#: Logits up to about this size have fine bins; beyond it they widen.
_FINE_LOGIT = 8.0


class _BinnedRanking(keras.metrics.Metric):
    """Counts of lenses and others in bins of logit, from the highest to the lowest.

    Parameters
    ----------
    bins : int
        Their number. With 65536 a bin is 0.00025 wide at a logit of 0, 0.0012 at 10.
    name : str
        Of the metric.
    **kwargs
        Of ``keras.metrics.Metric``.
    """

    def __init__(self, *, bins: int, name: str, **kwargs):
        super().__init__(name=name, **kwargs)
        if bins < 2:
            raise InputError(f"a streaming metric needs at least two bins of logit, got {bins}")
        self.bins = bins
        self.lenses = self.add_weight(shape=(bins,), initializer="zeros", name="lenses")
        self.others = self.add_weight(shape=(bins,), initializer="zeros", name="others")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch.

        Parameters
        ----------
        y_true : tensor
            ``(n, 1)`` or ``(n,)`` 1 for a lens, 0 for an other.
        y_pred : tensor
            Logits of the same shape; higher means more likely a lens.
        sample_weight : tensor, optional
            How often a stamp counts; once by default.
        """
        is_lens = ops.cast(ops.reshape(y_true, (-1,)), self.dtype)
        logit = ops.cast(ops.reshape(y_pred, (-1,)), "float32")
        weight = ops.ones_like(is_lens)
        if sample_weight is not None:
            weight = ops.broadcast_to(ops.reshape(ops.cast(sample_weight, self.dtype), (-1,)), ops.shape(is_lens))
        # Monotonic from all numbers to 0..1: 0 for the highest logit.
        place = 0.5 - 0.5 * logit / (_FINE_LOGIT + ops.abs(logit))
        number = ops.clip(ops.cast(place * self.bins, "int32"), 0, self.bins - 1)
        self.lenses.assign_add(ops.segment_sum(weight * is_lens, number, num_segments=self.bins))
        self.others.assign_add(ops.segment_sum(weight * (1 - is_lens), number, num_segments=self.bins))

    def _rates(self):
        """TPR and FPR after each bin; 0 throughout without lenses, or without others."""
        lenses, others = ops.convert_to_tensor(self.lenses), ops.convert_to_tensor(self.others)
        tpr = ops.divide_no_nan(ops.cumsum(lenses), ops.sum(lenses))
        fpr = ops.divide_no_nan(ops.cumsum(others), ops.sum(others))
        return tpr, fpr

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same metric."""
        return super().get_config() | {"bins": self.bins}


class StreamingAuroc(_BinnedRanking):
    """Area under the ROC: the chance that a lens outranks an other, a tie counting half.

    ``metrics.roc_curve(...).auroc`` in bins; 0 while there are no lenses or no others.

    Parameters
    ----------
    bins : int
        Bins of logit.
    name : str
        Of the metric.
    **kwargs
        Of ``keras.metrics.Metric``.
    """

    def __init__(self, *, bins: int = 65536, name: str = "auroc", **kwargs):
        super().__init__(bins=bins, name=name, **kwargs)

    def result(self):
        """The area so far, a scalar."""
        tpr, fpr = self._rates()
        steps = ops.diff(ops.concatenate([ops.zeros((1,), fpr.dtype), fpr]))
        before = ops.concatenate([ops.zeros((1,), tpr.dtype), tpr[:-1]])
        return ops.sum(steps * (tpr + before)) / 2


class StreamingTpr(_BinnedRanking):
    """Highest TPR with an FPR of at most a value.

    The highest vertex of ``metrics.roc_curve`` whose ``fpr`` does not pass the
    value; a bin that would pass it is left out whole, lenses and others.

    Parameters
    ----------
    fpr : float
        Largest share of the others that may be taken, from 0 on and below 1.
    bins : int
        Bins of logit.
    name : str
        Of the metric.
    **kwargs
        Of ``keras.metrics.Metric``.
    """

    def __init__(self, *, fpr: float, bins: int = 65536, name: str = "tpr", **kwargs):
        super().__init__(bins=bins, name=name, **kwargs)
        if not 0 <= fpr < 1:
            raise InputError(f"the FPR of a StreamingTpr must be from 0 on and below 1, got {fpr}")
        self.fpr = fpr

    def result(self):
        """The TPR so far, a scalar."""
        tpr, fpr = self._rates()
        allowed = ops.convert_to_tensor(self.fpr, dtype=fpr.dtype)
        return ops.max(ops.where(fpr <= allowed, tpr, ops.zeros_like(tpr)))

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same metric."""
        return super().get_config() | {"fpr": self.fpr}
