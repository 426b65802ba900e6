"""How good a ranking of lenses is: plain arrays in, numbers out."""

from __future__ import annotations

from lensdetect.metrics.calibration import Reliability, fit_calibration, prior_corrected, reliability
from lensdetect.metrics.roc import Roc, roc_curve
from lensdetect.metrics.summary import LensMetrics, lens_metrics

__all__ = [
    "LensMetrics",
    "Reliability",
    "Roc",
    "fit_calibration",
    "lens_metrics",
    "prior_corrected",
    "reliability",
    "roc_curve",
]
