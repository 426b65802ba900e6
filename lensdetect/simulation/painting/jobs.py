"""What a process needs to make one painted or unpainted stamp."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lensdetect.simulation.painting.frames import Corner, Frame
from lensdetect.simulation.painting.images import PlaneAt
from lensdetect.simulation.population import Population
from lensdetect.survey import Survey


@dataclass(frozen=True)
class Job:
    """One galaxy of the catalogue.

    Parameters
    ----------
    id : str
        Its id; that and the seed are all that its generator depends on.
    planes : tuple of PlaneAt or None
        Its images in the order of the survey's bands.
    frame : Frame
        Size of the images.
    corner : Corner
        Where it is cut out.
    noise_sigma : tuple of float
        Sky sigma of each band, measured; that of the survey where a band is missing.
    psf : tuple of (float, float)
        Width in arcsec and Moffat index of the PSF in each band.
    mag, redshift, velocity_dispersion_km_s, einstein_radius_arcsec : float
        From the catalogue, NaN where it does not tell.
    """

    id: str
    planes: tuple[PlaneAt | None, ...]
    frame: Frame
    corner: Corner
    noise_sigma: tuple[float, ...]
    psf: tuple[tuple[float, float], ...]
    mag: float = math.nan
    redshift: float = math.nan
    velocity_dispersion_km_s: float = math.nan
    einstein_radius_arcsec: float = math.nan

    def rng(self, seed: int) -> np.random.Generator:
        """Generator of this galaxy: the same in any catalogue, on any number of processes."""
        return np.random.default_rng([seed, int.from_bytes(hashlib.sha256(self.id.encode()).digest()[:8], "little")])

    def position_arcsec(self, survey: Survey) -> tuple[float, float]:
        """Where the galaxy is from the middle of its cutout."""
        return self.corner.x_pix * survey.pixel_scale_arcsec, self.corner.y_pix * survey.pixel_scale_arcsec


@dataclass(frozen=True)
class PaintPlan:
    """What all stamps of a run have in common.

    Parameters
    ----------
    survey : Survey
    population : Population
        Its lens fraction is the share of galaxies that are painted.
    folder : Path
        Where the stamps go.
    seed : int
    size : int
        Side of a stamp in pixels.
    """

    survey: Survey
    population: Population
    folder: Path
    seed: int
    size: int
