"""Search a survey: tiles and a catalogue in, a ranked catalogue of candidates out.

Workers need a small part of it, so each name is imported on its first use.
"""

from __future__ import annotations

import importlib

#: Public name -> the module of this package that holds it.
_HOMES = {
    "Catalogue": "catalogue",
    "Committee": "committee",
    "Cut": "candidates",
    "Member": "committee",
    "Search": "summary",
    "committee_of": "committee",
    "index_tiles": "index",
    "known_lenses": "known",
    "search_survey": "run",
}

__all__ = [*_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
