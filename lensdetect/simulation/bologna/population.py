"""The look-alike of the ground-based Bologna Lens Challenge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.bologna.draw import draw_scene
from lensdetect.simulation.bologna.observing import draw_conditions
from lensdetect.simulation.bologna.parameters import (
    DeflectorPopulation,
    ObservingPopulation,
    SourcePopulation,
)
from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.neighbours import FieldPopulation
from lensdetect.simulation.population import Population, Visibility
from lensdetect.simulation.scene import Scene
from lensdetect.survey import Survey


@dataclass(frozen=True)
class BolognaPopulation(Population):
    """Stamps as in the challenge: a lens is what has a source, however faint (Metcalf+ 2019).

    Parameters
    ----------
    lens_fraction : float
        Share of stamps with a source (0.401 in the genuine training set).
    deflector : DeflectorPopulation
    source : SourcePopulation
    neighbours : FieldPopulation
    observing : ObservingPopulation
    """

    lens_fraction: float = 0.401
    deflector: DeflectorPopulation = DeflectorPopulation()
    source: SourcePopulation = SourcePopulation()
    neighbours: FieldPopulation = FieldPopulation()
    observing: ObservingPopulation = ObservingPopulation()

    def draw_scene(self, survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> Scene:
        """Draw deflector, neighbours and, in some scenes, a source; see ``Population``."""
        return draw_scene(
            self.deflector, self.source, neighbours=self.neighbours, lens_fraction=self.lens_fraction,
            real_fraction=self.observing.real_fraction, side_arcsec=side_arcsec, rng=rng,
        )  # fmt: skip

    def draw_conditions(
        self, scene: Scene, survey: Survey, *, size: int | None, rng: np.random.Generator
    ) -> Conditions:
        """Draw seeing, noise and masks; see ``Population``."""
        return draw_conditions(self.observing, survey, real_like=scene.real_like, size=size, rng=rng)

    def is_lens(self, scene: Scene, visibility: Visibility) -> bool:
        """Whether there is a source."""
        return scene.has_source
