"""What makes false positives: glitches, saturation, stars, and entries of a catalogue for one object."""

from __future__ import annotations

from lensdetect.search.quality.duplicates import flag_duplicates
from lensdetect.search.quality.looks import flag_quality

__all__ = ["flag_duplicates", "flag_quality"]
