"""Simulated arcs on the user's own real galaxies."""

from __future__ import annotations

from lensdetect.simulation.painting.run import REFUSED_FILE, paint

__all__ = ["REFUSED_FILE", "paint"]
