"""What a population of stamps has to be able to do."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.scene import Scene
from lensdetect.survey import Survey


@dataclass(frozen=True)
class Visibility:
    """How much of the arcs can be seen.

    Parameters
    ----------
    einstein_radius_over_seeing : float
        Einstein radius over the PSF's full width at half maximum in the reference band.
    arc_pixel_count : int
        Pixels of the source-only image in the reference band above one sigma of the sky.
    arc_flux_sigma : float
        Flux in these pixels, in sigma.
    arc_snr : float
        ``sqrt(sum (flux / sigma)**2)`` over all pixels and bands that are not masked.
    arc_snr_over_light : float
        The same where the light that the arcs lie on counts as noise too, added
        to sigma in squares: only what outshines it counts in full. NaN if it was
        not measured.
    """

    einstein_radius_over_seeing: float
    arc_pixel_count: int
    arc_flux_sigma: float
    arc_snr: float
    arc_snr_over_light: float = math.nan


@dataclass(frozen=True)
class Population(ABC):
    """Everything stamps are drawn from; subclasses are frozen dataclasses of parameters.

    Parameters
    ----------
    lens_fraction : float
        Share of stamps with a source.
    """

    lens_fraction: float = 0.401

    @abstractmethod
    def draw_scene(self, survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> Scene:
        """Draw what is on the sky of one stamp.

        Parameters
        ----------
        survey : Survey
        side_arcsec : float
            Side of the stamp.
        rng : numpy.random.Generator
            The same state gives the same scene.

        Returns
        -------
        Scene
        """

    @abstractmethod
    def draw_conditions(
        self, scene: Scene, survey: Survey, *, size: int | None, rng: np.random.Generator
    ) -> Conditions:
        """Draw seeing, noise and masks of one stamp.

        Parameters
        ----------
        scene : Scene
        survey : Survey
        size : int or None
            Side of the stamp in pixels; None draws no mask.
        rng : numpy.random.Generator

        Returns
        -------
        Conditions
        """

    @abstractmethod
    def is_lens(self, scene: Scene, visibility: Visibility) -> bool:
        """Whether a stamp counts as a lens."""
