"""What a process needs to make any tile of a simulated survey."""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lensdetect.errors import InputError
from lensdetect.simulation.neighbours import FieldPopulation
from lensdetect.simulation.plan import check_whole
from lensdetect.simulation.population import Population
from lensdetect.simulation.tiles.layout import Tile, name_finely, tile_centres, tile_name
from lensdetect.simulation.tiles.rates import TileRates
from lensdetect.survey import CatalogueColumns, Survey

#: Tiles smaller than this hold no cutout.
_SMALLEST_PIX = 101

#: Columns of the catalogue of a survey that states none.
_PLAIN_COLUMNS = CatalogueColumns(
    file_pattern="{ra:.1f}_{dec:.1f}_cat.fits",
    id="ID", tile="TILE", ra_deg="RA", dec_deg="DEC", mag="MAG_{band}", mag_error="MAGERR_{band}",
    mag_auto="MAG_AUTO", redshift="Z_PHOT", redshift_min="Z_PHOT_MIN", redshift_max="Z_PHOT_MAX",
    mask="MASK", flag="FLAG", is_star="IS_STAR",
)  # fmt: skip

#: Streams of random numbers; each generator's seed is of one length, since numpy takes trailing zeros for none.
STREAMS = {name: number for number, name in enumerate(
    ("positions", "scenes", "field", "bright_stars", "conditions", "defects", "photons", "sky", "catalogue", "glitches")
)}  # fmt: skip


@dataclass(frozen=True)
class TilePlan:
    """What a process needs to make any tile of a simulated survey.

    Parameters
    ----------
    survey : Survey
    population : Population
        What targets are drawn from; its own neighbours and glitches are taken out.
    folder : Path
    tiles : int
        How many.
    density : float
        Targets per square arcmin.
    seed : int
    shape_pix : tuple of int
        Height and width of a tile.
    centre_deg : tuple of float
        Middle of all tiles.
    field : FieldPopulation
        Galaxies and stars that are there by chance, in the catalogue too.
    rates : TileRates

    Raises
    ------
    InputError
        If a value is out of range.
    """

    survey: Survey
    population: Population
    folder: Path
    tiles: int
    density: float
    seed: int
    shape_pix: tuple[int, int]
    centre_deg: tuple[float, float]
    field: FieldPopulation
    rates: TileRates

    def __post_init__(self):
        """Refuse what no tiles can be made of."""
        check_whole("tiles", self.tiles, low=1)
        check_whole("seed", self.seed, low=0)
        for side in self.shape_pix:
            check_whole("tile_shape_pix", side, low=_SMALLEST_PIX)
        if not (math.isfinite(self.density) and self.density > 0.0):
            raise InputError(
                f"density must be above 0, got {self.density}: it is the number of targets per square arcmin"
            )
        fraction = self.population.lens_fraction
        if not 0.0 <= fraction <= 1.0:
            raise InputError(f"lens_fraction must be from 0 to 1, got {fraction}: it is a share of the targets")
        self.all_tiles  # noqa: B018 (refuse a layout or names that are impossible)

    @functools.cached_property
    def named_survey(self) -> Survey:
        """The survey, with names that tell these tiles apart and columns for the catalogue."""
        survey = self.survey
        if survey.catalogue is None:
            columns = dataclasses.replace(_PLAIN_COLUMNS, file_pattern=f"{survey.name}_{_PLAIN_COLUMNS.file_pattern}")
            survey = dataclasses.replace(survey, catalogue=columns)
        return name_finely(survey, self._centres)

    @functools.cached_property
    def _centres(self) -> list[tuple[float, float]]:
        return tile_centres(self.tiles, self.survey, shape_pix=self.shape_pix, centre_deg=self.centre_deg)

    @functools.cached_property
    def all_tiles(self) -> tuple[Tile, ...]:
        """Every tile."""
        return tuple(
            Tile(
                number, tile_name(self.named_survey, *centre), *centre, *self.shape_pix, self.survey.pixel_scale_arcsec
            )
            for number, centre in enumerate(self._centres)
        )

    def image_path(self, tile: Tile, band: str, *, kind: str) -> Path:
        """Image of one band of a tile; kind is sci, wei or msk."""
        return self.folder / self.named_survey.tile_file(tile.ra_deg, tile.dec_deg, band=band, kind=kind)

    def catalogue_path(self, tile: Tile) -> Path:
        """Photometric catalogue of a tile."""
        pattern = self.named_survey.catalogue.file_pattern
        return self.folder / pattern.format(survey=self.survey.name, ra=tile.ra_deg, dec=tile.dec_deg)

    def truth_path(self, tile: Tile) -> Path:
        """Truth of a tile; a tile without one does not exist."""
        return self.folder / "truth" / f"{tile.name}.parquet"

    def glitches_path(self, tile: Tile) -> Path:
        """What went wrong in a tile, one row each."""
        return self.folder / "glitches" / f"{tile.name}.parquet"

    def rng(self, stream: str, *keys: int) -> np.random.Generator:
        """Generator for one purpose and up to three whole numbers."""
        return np.random.default_rng([self.seed, STREAMS[stream], *keys, *(0 for _ in range(3 - len(keys)))])
