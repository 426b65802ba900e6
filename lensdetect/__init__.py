"""Find strong gravitational lenses in multi-band survey images with self-attention.

Importing this package loads no TensorFlow; calling one of its functions does.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version

__version__ = version("lensdetect")

#: Public name -> the module that holds it; imported on first use.
_HOMES = {
    "build_detector": "lensdetect.artifact",
    "load_detector": "lensdetect.artifact",
    "score": "lensdetect.scoring",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
