"""Population -> scene -> stamp: simulated images of lenses and of galaxies that are none.

Others need a small part of it, so each name is imported on its first use.
"""

from __future__ import annotations

import importlib

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


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
