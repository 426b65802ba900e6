"""Images and truth from disk, and the pipeline that feeds them to training.

Names are imported on first use: reading needs no TensorFlow.
"""

from __future__ import annotations

from lensdetect.lazy import lazy_names

#: Public name -> the module of this package that holds it.
_HOMES = {
    "CutoutBatch": "reading",
    "CutoutSource": "reading",
    "open_cutouts": "reading",
    "read_truth": "truth",
    "LabelledCutouts": "labelled",
    "with_truth": "labelled",
}

__all__ = sorted(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
