"""How often things go wrong in survey tiles."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from lensdetect.errors import InputError


@dataclass(frozen=True)
class TileRates:
    """Mean numbers of what is in tiles and not on the sky; all are Poisson unless a probability.

    They are a stated mixture to test a search on, denser than in a survey's
    own tiles.

    Parameters
    ----------
    satellite_trails, aeroplane_trails : float
        Per tile, each in one band.
    bad_columns : float
        Per tile: columns or rows too bright, too dark or dead, in one band.
    shallow_strips : float
        Per tile: strips of fewer exposures, hence more noise and less weight.
    dead_strips : float
        Per tile: gaps between detectors that no exposure covers; weight 0.
    blank_strip : float
        Probability that one band of a tile has a strip of exact zeros although its weight is not 0.
    dead_border_pix : int
        Most pixels along the edges that one band does not cover; weight 0.
    known_share : float
        Share of the bad columns that weight and mask tell about.
    cosmic_rays_per_arcmin2, ghosts_per_arcmin2, sky_holes_per_arcmin2 : float
        Per square arcmin of each tile.
    bright_stars_per_arcmin2 : float
        Stars of r magnitude ``bright_star_mag``, with halo, spikes and
        saturation, on the sky: tiles that overlap share them.
    bright_star_mag : tuple of float
        Brightest and faintest.

    Raises
    ------
    InputError
        If one is negative or not finite, or no probability where it has to be one.
    """

    satellite_trails: float = 2.0
    aeroplane_trails: float = 0.3
    bad_columns: float = 4.0
    shallow_strips: float = 2.0
    dead_strips: float = 1.0
    blank_strip: float = 0.25
    dead_border_pix: int = 30
    known_share: float = 0.5
    cosmic_rays_per_arcmin2: float = 0.05
    ghosts_per_arcmin2: float = 0.003
    sky_holes_per_arcmin2: float = 0.005
    bright_stars_per_arcmin2: float = 0.05
    bright_star_mag: tuple[float, float] = (11.0, 17.5)

    def __post_init__(self):
        """Refuse what is no rate."""
        for field in dataclasses.fields(self)[:-1]:
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value >= 0.0):
                raise InputError(f"the rate {field.name} must be 0 or more, got {value}: choose another")
        for name in ("blank_strip", "known_share"):
            if getattr(self, name) > 1.0:
                raise InputError(f"the rate {name} is a probability, at most 1, got {getattr(self, name):g}")


#: Tiles in which nothing goes wrong.
NO_DEFECTS = TileRates(
    satellite_trails=0.0, aeroplane_trails=0.0, bad_columns=0.0, shallow_strips=0.0, dead_strips=0.0, blank_strip=0.0,
    dead_border_pix=0, cosmic_rays_per_arcmin2=0.0, ghosts_per_arcmin2=0.0, sky_holes_per_arcmin2=0.0,
    bright_stars_per_arcmin2=0.0,
)  # fmt: skip
