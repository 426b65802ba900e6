"""Population -> scene -> stamp: simulated images of lenses and of galaxies that are none.

Others need a small part of it, so each name is imported on its first use.
"""

from __future__ import annotations

from lensdetect.lazy import lazy_names

#: Public name -> the module of this package that holds it.
_HOMES = {
    "BolognaPopulation": "bologna",
    "Population": "population",
    "Scene": "scene",
    "SkyPopulation": "sky",
    "default_population": "choice",
    "paint": "painting",
    "population_toml": "overrides",
    "read_population": "overrides",
    "render_stamp": "render",
    "simulate": "run",
    "simulate_tiles": "tiles",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
