"""Simulated arcs on the user's own real galaxies.

Measuring a background, which is also here, needs little of it, so each name is imported on its first use.
"""

from __future__ import annotations

import importlib

#: Public name -> the module of this package that holds it.
_HOMES = {"REFUSED_FILE": "run", "paint": "run"}

__all__ = [*_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
