"""A small sky of galaxies with and without rings, searched by two tiny detectors, and graded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from lensdetect.artifact import Calibration, Card, build_detector, save_detector
from lensdetect.network import DETECTORS, spec_to_dict
from lensdetect.rounds import HeldOut, SearchedSky
from lensdetect.search import Cut, committee_of, search_survey
from lensdetect.stamps import Shards, Stamp, write_manifest, write_shard
from lensdetect.survey import SURVEYS

SIZE, STEP, NUMBER = 33, 40, 12
BOLOGNA = SURVEYS["bologna"]
#: Large for such a small sky: a fifth of its 64 cells of a quarter arcmin are held out.
RULE = HeldOut(fraction=0.3, cell_arcmin=0.5)
RULE_OPTIONS = ("--held-out", 0.3, "--cell", 0.5)


@dataclass(frozen=True)
class GradedSky:
    """What the tests work on; not to be changed."""

    root: Path
    objects: pd.DataFrame
    detector: Path

    @property
    def found(self) -> Path:
        return self.root / "found"

    @property
    def tiles(self) -> Path:
        return self.root / "tiles"

    @property
    def searched(self) -> SearchedSky:
        return SearchedSky(self.found)

    @property
    def grades(self) -> pd.DataFrame:
        """Of all objects, by people who are never wrong."""
        kind = np.where(self.objects["is_lens"], "", np.where(np.arange(len(self.objects)) % 4 == 1, "spiral", "ring"))
        posterior = np.where(self.objects["is_lens"], 0.98, 0.01)
        return pd.DataFrame({"id": self.objects["id"], "posterior": posterior, "kind": kind, "planted": ""})


def light(is_lens: bool, rng: np.random.Generator) -> np.ndarray:
    """A galaxy, with a bright ring if it is a lens."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    radius = np.hypot(x, y)
    return 5e-11 * np.exp(-radius / 3) + is_lens * 2e-11 * np.exp(-((radius - rng.uniform(7, 9)) ** 2) / 4)


def write_tile(folder: Path, rng: np.random.Generator) -> pd.DataFrame:
    """One image a band; every third galaxy is a lens."""
    side, half = STEP * NUMBER, SIZE // 2
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [180.0, 0.0], [side / 2, side / 2]
    wcs.wcs.cdelt = [-0.2 / 3600, 0.2 / 3600]
    image, rows = np.zeros((side, side)), []
    for number in range(NUMBER**2):
        y, x = (STEP * np.array(divmod(number, NUMBER)) + STEP // 2).tolist()
        image[y - half : y + half + 1, x - half : x + half + 1] += light(number % 3 == 0, rng)
        ra, dec = wcs.wcs_pix2world(x, y, 0)
        rows.append((f"galaxy {number}", float(ra), float(dec), number % 3 == 0))
    folder.mkdir(parents=True)
    for band in BOLOGNA.bands:
        noisy = (image + rng.normal(0, band.noise_sigma, image.shape)).astype(np.float32)
        fits.PrimaryHDU(noisy, wcs.to_header()).writeto(folder / f"field_{band.name}_sci.fits")
    return pd.DataFrame(rows, columns=["id", "ra", "dec", "is_lens"])


def save_tiny(folder: Path, *, seed: int) -> Path:
    keras.utils.set_random_seed(seed)
    card = Card(
        name="arcformer_test",
        survey="bologna",
        spec=spec_to_dict(DETECTORS["arcformer_test"]),
        bands=BOLOGNA.bands,
        pixel_scale_arcsec=0.2,
        size=SIZE,
        flux_unit="AB zero point 0",
        training={"data_seed": seed},
        metrics={},
        licence="BSD-3-Clause",
        calibration=(Calibration(lens_fraction=0.4, bands=BOLOGNA.band_names),),
    )
    return save_detector(build_detector("arcformer_test", size=SIZE), folder, card=card)


def write_simulated(folder: Path, *, count: int, seed: int, **manifest) -> Path:
    """Stamps of the same galaxies, as if simulated."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    told = {"survey": "bologna", "bands": list(BOLOGNA.band_names), "pixel_scale_arcsec": 0.2, "seed": seed}
    write_manifest(folder, told | manifest)
    nothing = {"einstein_radius_arcsec": 0.0, "arc_pixel_count": 0, "arc_flux_sigma": 0.0, "arc_snr": 0.0}
    stamps = []
    for number in range(count):
        is_lens = number % 2 == 0
        noise = rng.normal(0, [band.noise_sigma for band in BOLOGNA.bands], (SIZE, SIZE, 4))
        truth = {"id": str(number), "is_lens": is_lens, "has_source": is_lens, "kind": "simulated", "seed": number}
        stamps.append(Stamp((light(is_lens, rng)[..., None] + noise).astype(np.float32), truth | nothing))
    write_shard(folder, 0, stamps)
    return Shards(folder).folder


@pytest.fixture(scope="session")
def graded_sky(tmp_path_factory) -> GradedSky:
    """A search of 144 objects by two detectors, 20 of them with cutouts."""
    root = tmp_path_factory.mktemp("round_sky")
    objects = write_tile(root / "tiles", np.random.default_rng(7))
    objects.drop(columns="is_lens").to_csv(root / "objects.csv", index=False)
    detectors = [save_tiny(root / f"tiny_{seed}" / "1", seed=seed) for seed in (3, 4)]
    search_survey(
        *([root / "tiles"], root / "objects.csv", root / "found"),
        survey=BOLOGNA,
        committee=committee_of(detectors, BOLOGNA),
        cut=Cut(top=20, rejected=()),
        workers=1,
        progress=False,
    )
    return GradedSky(root, objects, detectors[0])


@pytest.fixture(scope="session")
def simulated(tmp_path_factory) -> Path:
    return write_simulated(tmp_path_factory.mktemp("round_stamps") / "stamps", count=160, seed=11)
