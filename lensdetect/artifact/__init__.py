"""Trained detectors on disk: save, check, find, restore, score.

Looking at cards and finding folders needs no TensorFlow, so each name is
imported on its first use.
"""

from __future__ import annotations

from lensdetect.lazy import lazy_names

#: Public name -> the module of this package that holds it.
_HOMES = {
    "Card": "card",
    "CARD_FILE": "card",
    "load_card": "card",
    "verify": "integrity",
    "Calibration": "calibration",
    "check_program": "program",
    "save_detector": "saving",
    "build_detector": "restoring",
    "restore": "restoring",
    "detector_for": "shipped",
    "find_detector": "shipped",
    "title_of": "shipped",
    "shipped_detectors": "shipped",
    "list_detectors": "listing",
    "Scorer": "scorer",
    "Scores": "scorer",
    "load_detector": "scorer",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
