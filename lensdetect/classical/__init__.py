"""The systems to beat that are no networks: hand-made features and a classifier of scikit-learn.

They need scikit-image, the extra ``classical``; importing this package does not.
"""

from __future__ import annotations

from lensdetect.classical.detector import ClassicalDetector, build_classical, load_classical
from lensdetect.classical.table import CLASSICAL, ClassicalSpec

__all__ = ["CLASSICAL", "ClassicalDetector", "ClassicalSpec", "build_classical", "load_classical"]
