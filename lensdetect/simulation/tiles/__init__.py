"""Whole tiles of a survey: images, catalogue and truth of one sky, for a search to be tested on."""

from __future__ import annotations

from lensdetect.simulation.tiles.rates import NO_DEFECTS, TileRates
from lensdetect.simulation.tiles.run import MANIFEST_NAME, simulate_tiles

__all__ = ["MANIFEST_NAME", "NO_DEFECTS", "TileRates", "simulate_tiles"]
