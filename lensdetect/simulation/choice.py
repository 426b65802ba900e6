"""Which population a survey's stamps are drawn from, unless another is asked for."""

from __future__ import annotations

from lensdetect.simulation.bologna import BolognaPopulation
from lensdetect.simulation.population import Population
from lensdetect.simulation.sky.population import SkyPopulation
from lensdetect.simulation.sky.training import training_sky
from lensdetect.survey import Survey


def default_population(survey: Survey) -> Population:
    """The challenge's look-alike for the challenge, a sky to learn from for ``ground``, the real sky of any other.

    Parameters
    ----------
    survey : Survey

    Returns
    -------
    Population
    """
    special = {"bologna": BolognaPopulation, "ground": training_sky}
    return special.get(survey.name, SkyPopulation)()
