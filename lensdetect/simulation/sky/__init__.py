"""The real sky of any survey: deflectors and sources as they are counted, and everything that fools."""

from __future__ import annotations

from lensdetect.simulation.sky.foolers import FoolerRates
from lensdetect.simulation.sky.glitches import GlitchRates
from lensdetect.simulation.sky.observing import SkyObserving
from lensdetect.simulation.sky.parameters import (
    EarlyTypePopulation,
    HaloPopulation,
    LensEnvironment,
    QuasarPopulation,
    SkySourcePopulation,
)
from lensdetect.simulation.sky.population import SkyPopulation
from lensdetect.simulation.sky.training import training_sky
from lensdetect.simulation.sky.visibility import VisibilityCut

__all__ = [
    "EarlyTypePopulation",
    "FoolerRates",
    "GlitchRates",
    "HaloPopulation",
    "LensEnvironment",
    "QuasarPopulation",
    "SkyObserving",
    "SkyPopulation",
    "SkySourcePopulation",
    "VisibilityCut",
    "training_sky",
]
