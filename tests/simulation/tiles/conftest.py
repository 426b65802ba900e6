"""Small simulated surveys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from lensdetect.simulation import Population
from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.neighbours import FieldPopulation
from lensdetect.simulation.scene import Scene, SersicLight
from lensdetect.simulation.sky import SkyPopulation
from lensdetect.simulation.tiles import NO_DEFECTS, TileRates, simulate_tiles
from lensdetect.survey import SURVEYS

KIDS = SURVEYS["kids"]

#: Two tiles with a bit of everything.
CROWDED = {
    "tiles": 2, "density": 12.0, "seed": 4, "tile_shape_pix": (600, 700), "lens_fraction": 0.3,
    "population": SkyPopulation(), "progress": False,
    "rates": TileRates(
        blank_strip=1.0, shallow_strips=2.0, dead_strips=2.0, bad_columns=6.0, known_share=1.0,
        cosmic_rays_per_arcmin2=1.0, bright_stars_per_arcmin2=0.5, bright_star_mag=(12.0, 15.0),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class LoneGalaxies(Population):
    """The same galaxy again and again, with nothing beside it, under the same conditions."""

    neighbours: FieldPopulation = FieldPopulation(galaxies_per_arcmin2=0.0, stars_per_arcmin2=0.0)
    mags: tuple[float, ...] = (19.5, 19.0, 18.5, 18.0, 18.0, 18.0)
    gain: tuple[float, ...] = (1.05, 0.9, 1.1, 1.0)

    def draw_scene(self, survey, *, side_arcsec, rng):
        galaxy = SersicLight(0.0, 0.0, 0.5, 1.0, 0.8, rng.uniform(0.0, np.pi), self.mags)
        return Scene("elliptical", np.nan, masses=(), shear=(0.0, 0.0), light=(galaxy,))

    def draw_conditions(self, scene, survey, *, size, rng):
        return Conditions(
            psf_fwhm_arcsec=tuple(band.psf_fwhm_arcsec for band in survey.bands),
            noise_sigma=tuple(band.noise_sigma for band in survey.bands),
            noise_correlation=survey.noise_correlation,
            gain=self.gain,
        )

    def is_lens(self, scene, visibility):
        return False


class Survey:
    """What a test reads from a folder of tiles."""

    def __init__(self, folder):
        self.folder = folder
        self.names = sorted(path.stem for path in (folder / "truth").glob("*.parquet"))

    def path(self, number, kind, band="r"):
        """Image of a tile."""
        return self.folder / f"KiDS_DR4.0_{self.names[number].removeprefix('KIDS_')}_{band}_{kind}.fits"

    def image(self, number, kind="sci", band="r"):
        return fits.getdata(self.path(number, kind, band))

    def header(self, number, kind="sci", band="r"):
        return fits.getheader(self.path(number, kind, band))

    def wcs(self, number):
        return WCS(self.header(number))

    def catalogue(self, number):
        return fits.getdata(self._catalogue(number))

    def catalogue_header(self, number):
        return fits.getheader(self._catalogue(number), 1)

    def _catalogue(self, number):
        tile = self.names[number].removeprefix("KIDS_")
        return self.folder / f"KiDS_DR4.0_{tile}_ugriZYJHKs_cat.fits"

    def truth(self, number):
        return pd.read_parquet(self.folder / "truth" / f"{self.names[number]}.parquet")

    def glitches(self, number):
        return pd.read_parquet(self.folder / "glitches" / f"{self.names[number]}.parquet")


@pytest.fixture(scope="session")
def crowded(tmp_path_factory):
    """Two tiles that overlap, with lenses, fools, stars and faults."""
    return Survey(simulate_tiles(KIDS, tmp_path_factory.mktemp("crowded") / "tiles", workers=1, **CROWDED))


@pytest.fixture(scope="session")
def lone(tmp_path_factory):
    """One tile of galaxies far apart, nothing else, nothing wrong."""
    folder = simulate_tiles(
        KIDS, tmp_path_factory.mktemp("lone") / "tiles", tiles=1, density=3.0, seed=11, tile_shape_pix=(900, 1100),
        workers=1, population=LoneGalaxies(), rates=NO_DEFECTS, lens_fraction=0.0, progress=False,
    )  # fmt: skip
    return Survey(folder)
