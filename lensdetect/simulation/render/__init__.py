"""Scene -> pixels: rays, light, seeing, sky."""

from __future__ import annotations

from lensdetect.simulation.conditions import Conditions, typical_conditions
from lensdetect.simulation.render.exposure import Exposure, expose
from lensdetect.simulation.render.fluxes import band_fluxes
from lensdetect.simulation.render.stamp import observe, render_stamp
from lensdetect.simulation.render.visibility import measure_arcs

__all__ = [
    "Conditions",
    "Exposure",
    "band_fluxes",
    "expose",
    "measure_arcs",
    "observe",
    "render_stamp",
    "typical_conditions",
]
