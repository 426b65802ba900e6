"""What a process needs to make one painted or unpainted stamp."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lensdetect.images.cutouts import OpenTile, open_tile
from lensdetect.images.tiles import Tile
from lensdetect.simulation.population import Population
from lensdetect.survey import Survey


@dataclass(frozen=True)
class Job:
    """One galaxy of the catalogue.

    Parameters
    ----------
    id : str
        Its id; that and the seed are all that its generator depends on.
    tile : Tile
        Its images.
    x_pix, y_pix : float
        Where it is in them.
    offset_arcsec : tuple of float
        From the middle of its stamp, which has whole pixels.
    noise_sigma : tuple of float
        Sky sigma of each band in the pixels of the stamp, measured; that of the
        survey where a band is missing.
    psf : tuple of (float, float)
        Width in arcsec and Moffat index of the PSF in each band.
    mag, redshift, velocity_dispersion_km_s, einstein_radius_arcsec : float
        From the catalogue, NaN where it does not tell.
    """

    id: str
    tile: Tile
    x_pix: float
    y_pix: float
    offset_arcsec: tuple[float, float]
    noise_sigma: tuple[float, ...]
    psf: tuple[tuple[float, float], ...]
    mag: float = math.nan
    redshift: float = math.nan
    velocity_dispersion_km_s: float = math.nan
    einstein_radius_arcsec: float = math.nan

    def rng(self, seed: int) -> np.random.Generator:
        """Generator of this galaxy: the same in any catalogue, on any number of processes."""
        return np.random.default_rng([seed, int.from_bytes(hashlib.sha256(self.id.encode()).digest()[:8], "little")])


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


class LastTile:
    """The tile that was asked for last, kept open: galaxies that follow one another are most often of one.

    Parameters
    ----------
    survey : Survey
    """

    def __init__(self, survey: Survey):
        self._survey = survey
        self._opened: OpenTile | None = None

    def open(self, tile: Tile, *, noise_factor: float | None = None) -> OpenTile:
        """A tile, open until another one is asked for.

        Parameters
        ----------
        tile : Tile
        noise_factor : float, optional
            As ``open_tile`` takes it, where it is not open yet.

        Returns
        -------
        OpenTile

        Raises
        ------
        InputError
            As ``open_tile``.
        """
        if self._opened is None or self._opened.tile != tile:
            self.close()
            self._opened = open_tile(tile, self._survey, noise_factor=noise_factor)
        return self._opened

    def close(self) -> None:
        """Close it."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def __enter__(self) -> LastTile:
        """Itself."""
        return self

    def __exit__(self, *error) -> None:
        """Close it."""
        self.close()
