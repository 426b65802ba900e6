"""Find strong gravitational lenses in multi-band survey images with self-attention.

Importing this package loads no TensorFlow; calling one of its functions does.
"""

from __future__ import annotations

from importlib.metadata import version

from lensdetect.lazy import lazy_names

__version__ = version("lensdetect")

#: Public name -> the module that holds it; imported on first use.
_HOMES = {
    "build_detector": "artifact",
    "load_detector": "artifact",
    "score": "scoring",
}

__all__ = ["__version__", *_HOMES]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, also=("__version__",))
