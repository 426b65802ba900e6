"""Population -> scene -> stamp: simulated images of lenses and of galaxies that are none."""

from __future__ import annotations

from lensdetect.simulation.draw import draw_scene
from lensdetect.simulation.population import Population
from lensdetect.simulation.run import simulate
from lensdetect.simulation.scene import Scene
from lensdetect.simulation.stamp import render_stamp

__all__ = ["Population", "Scene", "draw_scene", "render_stamp", "simulate"]
