"""Population -> scene -> stamp: simulated images of lenses and of galaxies that are none."""

from __future__ import annotations

from lensdetect.simulation.bologna import BolognaPopulation
from lensdetect.simulation.choice import default_population
from lensdetect.simulation.population import Population
from lensdetect.simulation.render import render_stamp
from lensdetect.simulation.run import simulate
from lensdetect.simulation.scene import Scene

__all__ = ["BolognaPopulation", "Population", "Scene", "default_population", "render_stamp", "simulate"]
