"""The challenge, reproduced: a population that has the statistics of its genuine tables and stamps."""

from __future__ import annotations

from lensdetect.simulation.bologna.parameters import (
    DeflectorPopulation,
    ObservingPopulation,
    SourcePopulation,
)
from lensdetect.simulation.bologna.population import BolognaPopulation

__all__ = ["BolognaPopulation", "DeflectorPopulation", "ObservingPopulation", "SourcePopulation"]
