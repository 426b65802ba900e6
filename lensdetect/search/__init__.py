"""Search a survey: tiles and a catalogue in, a ranked catalogue of candidates out.

Workers need a small part of it, so each name is imported on its first use.
"""

from __future__ import annotations

from lensdetect.lazy import lazy_names

#: Public name -> the module of this package that holds it.
_HOMES = {
    "Catalogue": "catalogue",
    "Committee": "committee",
    "Cut": "candidates",
    "Member": "committee",
    "Search": "summary",
    "committee_of": "committee",
    "known_lenses": "known",
    "search_survey": "run",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
