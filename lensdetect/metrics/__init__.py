"""How good a ranking of lenses is: plain arrays in, numbers out."""

from __future__ import annotations

from lensdetect.metrics.calibration import Reliability, fit_calibration, prior_corrected, reliability
from lensdetect.metrics.intervals import tpr_at_fpr_interval
from lensdetect.metrics.rarity import KindRate, false_positives_by_kind, purity_at, purity_curve, threshold_at
from lensdetect.metrics.roc import Roc, roc_curve
from lensdetect.metrics.summary import LensMetrics, lens_metrics

__all__ = [
    "KindRate",
    "LensMetrics",
    "Reliability",
    "Roc",
    "false_positives_by_kind",
    "fit_calibration",
    "lens_metrics",
    "prior_corrected",
    "purity_at",
    "purity_curve",
    "reliability",
    "roc_curve",
    "threshold_at",
    "tpr_at_fpr_interval",
]
