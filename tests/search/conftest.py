"""A small survey on disk, and scorers that cost nothing."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from lensdetect.artifact import Calibration
from lensdetect.search import Committee, Member, Search, search_survey
from lensdetect.survey import Survey, get_survey

SIZE, SIDE = 33, 300
#: Right ascensions of the tiles; each is 60 arcsec wide, so they overlap by a third.
TILES_RA_DEG = (180.0, 180.011, 180.022)

#: A module of its own, since processes that are spawned have to import it.
_SCORERS = '''
import os
import signal
import time
from dataclasses import dataclass

import numpy as np


def brightness(cutouts):
    """S/N of the innermost pixels in r."""
    middle = cutouts.shape[1] // 2
    inner = cutouts[:, middle - 1 : middle + 2, middle - 1 : middle + 2, 2]
    return np.where(np.isnan(inner), 0.0, inner).mean(axis=(1, 2)) / 2.4e-12


@dataclass(frozen=True)
class Brightness:
    detectors: int = 1

    def __call__(self):
        def score(cutouts):
            return np.stack([brightness(cutouts) * (1 + number) for number in range(self.detectors)], 1).astype("f4")

        return score


@dataclass(frozen=True)
class Slow:
    """Brightness, after a second."""

    def __call__(self):
        def score(cutouts):
            time.sleep(1.0)
            return brightness(cutouts)[:, None].astype("f4")

        return score


@dataclass(frozen=True)
class Deadly:
    """Kills its process at the sight of something very bright, so many times."""

    log: str
    times: int

    def __call__(self):
        def score(cutouts):
            found = brightness(cutouts)
            if (found > 1000).any() and os.path.getsize(self.log) < self.times:
                with open(self.log, "a") as log:
                    log.write("x")
                os.kill(os.getpid(), signal.SIGKILL)
            return found[:, None].astype("f4")

        return score
'''


@pytest.fixture(scope="session")
def scorers(tmp_path_factory):
    """Module with the factories ``Brightness`` and ``Deadly``."""
    folder = tmp_path_factory.mktemp("scorers")
    (folder / "cheap_scorers.py").write_text(_SCORERS)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("cheap_scorers")
    sys.path.remove(str(folder))


@pytest.fixture
def committee(scorers) -> Callable[..., Committee]:
    """A committee of any scorer."""

    def make(make_scorer=None, *, members: int = 1) -> Committee:
        rows = tuple(Member(f"member{number}", Calibration(slope=0.1, lens_fraction=0.5)) for number in range(members))
        factory = make_scorer or scorers.Brightness(members)
        return Committee(rows, factory, ("u", "g", "r", "i"), size=SIZE, pixel_scale_arcsec=0.2)

    return make


@dataclass(frozen=True)
class Sky:
    """Tiles and a catalogue on disk."""

    folder: Path
    catalogue: Path
    objects: pd.DataFrame
    survey: Survey

    def path(self, tile: int, band: str = "r") -> Path:
        return self.folder / self.survey.tile_file(TILES_RA_DEG[tile], 0.0, band=band)

    def name(self, tile: int) -> str:
        return self.path(tile).name.replace("_r_sci.fits", "")


def write_sky(root: Path, survey: Survey, *, tiles=TILES_RA_DEG, count: int = 40) -> Sky:
    """Tiles side by side with galaxies of Gaussian profiles, each of its own brightness."""
    rng = np.random.default_rng(4)
    folder = root / "tiles"
    folder.mkdir(parents=True)
    span = SIDE * 0.2 / 3600.0
    ra_deg = rng.uniform(tiles[0] - 0.4 * span, tiles[-1] + 0.4 * span, count)
    dec_deg = rng.uniform(-0.4 * span, 0.4 * span, count)
    peaks = rng.permutation(np.linspace(3.0, 90.0, count))
    for place, centre in enumerate(tiles):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [centre, 0.0], [150.5, 150.5]
        wcs.wcs.cdelt = [-0.2 / 3600, 0.2 / 3600]
        x, y = wcs.wcs_world2pix(ra_deg, dec_deg, 0)
        light = sum(_blob(*one) for one in zip(x, y, peaks, strict=True))
        for band in survey.bands:
            image = (light + np.random.default_rng(place).normal(size=(SIDE, SIDE))) * band.noise_sigma
            path = folder / survey.tile_file(centre, 0.0, band=band.name)
            fits.PrimaryHDU(image.astype(np.float32), wcs.to_header()).writeto(path)
    objects = pd.DataFrame(
        {"ID": [f"galaxy {n}" for n in range(count)], "RAJ2000": ra_deg, "DECJ2000": dec_deg, "MAG_AUTO": 20.0}
    )
    objects["peak"] = peaks
    catalogue = root / "catalogue.csv"
    objects.drop(columns="peak").to_csv(catalogue, index=False)
    return Sky(folder, catalogue, objects, survey)


def _blob(x: float, y: float, peak: float) -> np.ndarray:
    yy, xx = np.mgrid[:SIDE, :SIDE]
    return peak * np.exp(-0.5 * ((xx - x) ** 2 + (yy - y) ** 2) / 3.0**2)


@pytest.fixture
def sky(tmp_path) -> Sky:
    """Three tiles that overlap; to be spoiled at will."""
    kids = get_survey("kids")
    # names that tell tiles apart which are less than a tenth of a degree from each other
    finely = dataclasses.replace(kids, tile_pattern=kids.tile_pattern.replace("{ra:.1f}", "{ra:.3f}"))
    return write_sky(tmp_path / "sky", finely)


@pytest.fixture
def search(sky, committee, few_known_lenses, tmp_path, monkeypatch) -> Callable[..., Search]:
    """Search that sky in this process; cutouts and report, which take the most time, only where they are looked at."""

    monkeypatch.setattr("lensdetect.search.known.lenscat_file", lambda: few_known_lenses)

    def run(*, report: bool = False, **options) -> Search:
        if not report:
            for name in ("cut_candidates", "cut_ordinary"):
                monkeypatch.setattr(f"lensdetect.search.run.{name}", lambda *args, **kwargs: [])
            monkeypatch.setattr("lensdetect.search.run.write_report", lambda *args: None)
        settings = {"survey": sky.survey, "committee": committee(), "workers": 1, "progress": False} | options
        output = settings.pop("output", tmp_path / "found")
        catalogue = settings.pop("catalogue", sky.catalogue)
        return search_survey(settings.pop("tiles", sky.folder), catalogue, output, **settings)

    return run


@pytest.fixture
def all_scores() -> Callable[[Search], pd.DataFrame]:
    """All scores of a search, by row of the catalogue."""

    def read(found: Search) -> pd.DataFrame:
        tables = [pd.read_parquet(path) for path in sorted((found.folder / "scores").glob("*.parquet"))]
        return pd.concat(tables).sort_values("row", ignore_index=True)

    return read
