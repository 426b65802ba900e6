"""Population -> scene -> stamp: simulated images of lenses and of galaxies that are none."""

from __future__ import annotations

from lensdetect.simulation.bologna import BolognaPopulation
from lensdetect.simulation.choice import default_population
from lensdetect.simulation.overrides import population_toml, read_population
from lensdetect.simulation.painting import paint
from lensdetect.simulation.population import Population
from lensdetect.simulation.render import render_stamp
from lensdetect.simulation.run import simulate
from lensdetect.simulation.scene import Scene
from lensdetect.simulation.sky import SkyPopulation
from lensdetect.simulation.tiles import simulate_tiles

__all__ = [
    "BolognaPopulation",
    "Population",
    "Scene",
    "SkyPopulation",
    "default_population",
    "paint",
    "population_toml",
    "read_population",
    "render_stamp",
    "simulate",
    "simulate_tiles",
]
