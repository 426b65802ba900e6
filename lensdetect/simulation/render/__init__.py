"""Scene -> pixels: rays, light, seeing, sky."""

from __future__ import annotations

from lensdetect.simulation.conditions import Conditions, typical_conditions
from lensdetect.simulation.render.stamp import Exposure, expose, measure_arcs, observe, render_stamp

__all__ = ["Conditions", "Exposure", "expose", "measure_arcs", "observe", "render_stamp", "typical_conditions"]
