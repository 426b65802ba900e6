"""Which population a survey's stamps are drawn from, unless another is asked for."""

from __future__ import annotations

from lensdetect.simulation.bologna import BolognaPopulation
from lensdetect.simulation.population import Population
from lensdetect.simulation.sky.population import SkyPopulation
from lensdetect.survey import Survey


def default_population(survey: Survey) -> Population:
    """The challenge's look-alike for the challenge, the real sky for every other survey.

    Parameters
    ----------
    survey : Survey

    Returns
    -------
    Population
    """
    return BolognaPopulation() if survey.name == "bologna" else SkyPopulation()
