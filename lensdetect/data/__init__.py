"""Images and truth from disk, and the pipeline that feeds them to training.

Names are imported on first use: reading needs no TensorFlow.
"""

from __future__ import annotations

import importlib

#: Public name -> the module that holds it.
_HOMES = {
    "CutoutBatch": "lensdetect.data.reading",
    "CutoutSource": "lensdetect.data.reading",
    "open_cutouts": "lensdetect.data.reading",
    "read_truth": "lensdetect.data.truth",
    "LabelledCutouts": "lensdetect.data.labelled",
    "with_truth": "lensdetect.data.labelled",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
