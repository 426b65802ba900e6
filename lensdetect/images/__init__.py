"""Every survey's files as they come, opened in one way for search, scoring, simulation and training.

Readers of headers need little of it, so each name is imported on its first use.
"""

from __future__ import annotations

from lensdetect.lazy import lazy_names

#: Public name -> the module of this package that holds it.
_HOMES = {
    "ImageProperties": "properties",
    "Table": "tables",
    "Tile": "tiles",
    "TileIndex": "index",
    "assign": "assignment",
    "index_tiles": "index",
    "open_tile": "cutouts",
    "read_headers": "headers",
    "read_planes": "fits",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
