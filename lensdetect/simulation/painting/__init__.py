"""Simulated arcs on the user's own real galaxies.

Measuring a background, which is also here, needs little of it, so each name is imported on its first use.
"""

from __future__ import annotations

from lensdetect.lazy import lazy_names

#: Public name -> the module of this package that holds it.
_HOMES = {"REFUSED_FILE": "run", "paint": "run"}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
