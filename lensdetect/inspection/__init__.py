"""People grade what a search found: store, server, page, and what their grades say together.

Grades are an append-only log. ``read_log`` gives it as a table; all else is made from that.
"""

from __future__ import annotations

from lensdetect.lazy import lazy_names

#: Public name -> the module of this package that holds it.
_HOMES = {
    "Agreement": "agreement",
    "Posterior": "posterior",
    "combine": "combining",
    "fit_posterior": "posterior",
    "measure_agreement": "agreement",
    "read_log": "log",
    "read_merged": "merging",
    "read_subjects": "subjects",
    "sort_out": "catalogues",
    "standing_grades": "standing",
    "with_product": "combining",
    "write_catalogues": "catalogues",
}

__all__ = sorted(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
