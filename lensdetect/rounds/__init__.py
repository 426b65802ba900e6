"""Rounds of grading and retraining: what people graded teaches the next detector, and says what to grade next.

Each name is imported on its first use: choosing what to grade next needs no training.
"""

from __future__ import annotations

from lensdetect.lazy import lazy_names

#: Public name -> the module of this package that holds it.
_HOMES = {
    "HeldOut": "held_out",
    "Mixture": "mixing",
    "Retrained": "retraining",
    "SearchedSky": "searched",
    "Wishes": "choosing",
    "choose": "choosing",
    "choose_next": "next_up",
    "compare": "measuring",
    "labels_of": "labels",
    "mix": "mixing",
    "read_grades": "labels",
    "retrain": "retraining",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
