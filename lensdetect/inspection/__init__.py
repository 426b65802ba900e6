"""People grade candidates, and what their grades say together; each name is imported on its first use."""

from __future__ import annotations

from lensdetect.lazy import lazy_names

#: Public name -> the module of this package that holds it.
_HOMES = {
    "Agreement": "agreement",
    "Posterior": "posterior",
    "combine": "combining",
    "fit_posterior": "posterior",
    "measure_agreement": "agreement",
    "read_merged": "merging",
    "sort_out": "catalogues",
    "standing_grades": "standing",
    "with_product": "combining",
    "write_catalogues": "catalogues",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
