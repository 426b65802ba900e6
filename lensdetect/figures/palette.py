"""Colours that mean the same in every figure."""

from __future__ import annotations

#: Lenses: vermilion of Okabe and Ito's set.
LENS_COLOUR = "#D55E00"
#: Stamps that are no lens: its blue.
OTHER_COLOUR = "#0072B2"
#: Guides and what has no class.
QUIET_COLOUR = "#666666"
