"""What all pages are made of: one environment of templates, one style, one viewer of cutouts.

``viewer.js`` draws a cutout on a canvas from its floats, which come packed by
``pack_cutout``; ``style.css`` is the look of the pages. A room keeps the
templates and scripts of its own page in a folder ``page`` of its own.
"""

from __future__ import annotations

from lensdetect.pages.packing import pack_cutout, unpack_cutout
from lensdetect.pages.templates import asset, environment

__all__ = ["asset", "environment", "pack_cutout", "unpack_cutout"]
