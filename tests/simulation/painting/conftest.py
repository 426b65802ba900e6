"""Galaxies and sky as a user's own images would be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from lensdetect.survey import get_survey

DES = get_survey("des")


@pytest.fixture(scope="session")
def survey():
    return DES


@pytest.fixture
def sky(rng):
    """Draws an image of noise with red galaxies in it: ``(height, width, band)``."""

    def draw(side: int, *, at=(), mag: float = 19.0) -> np.ndarray:
        sigma = np.array([band.noise_sigma for band in DES.bands], np.float32)
        pixels = rng.standard_normal((side, side, len(DES.bands)), np.float32) * sigma
        y, x = np.mgrid[:side, :side]
        for x0, y0 in at:
            blob = np.exp(-0.5 * ((x - x0) ** 2 + (y - y0) ** 2) / 2.5**2)
            blob /= blob.sum()
            for number, fainter in enumerate((1.6, 0.0, -0.5, -0.8)):
                pixels[..., number] += blob * 10.0 ** (-0.4 * (mag + fainter - 30.0))
        return pixels

    return draw


@pytest.fixture
def wcs():
    """Celestial coordinates of an image of some side around RA 30, Dec -20."""

    def make(side: int, pixel_scale_arcsec: float = DES.pixel_scale_arcsec) -> WCS:
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval = [30.0, -20.0]
        wcs.wcs.crpix = [0.5 * (side + 1)] * 2
        wcs.wcs.cdelt = [-pixel_scale_arcsec / 3600.0, pixel_scale_arcsec / 3600.0]
        return wcs

    return make


@pytest.fixture
def write_bands():
    """Writes one file a band, ``NAME_BAND_sci.fits``."""

    def write(folder, name: str, pixels: np.ndarray, *, header=None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for number, band in enumerate(DES.band_names):
            fits.writeto(folder / f"{name}_{band}_sci.fits", pixels[..., number], header)

    return write


@pytest.fixture
def cutouts(tmp_path, sky, write_bands):
    """A folder of eight galaxies, and the catalogue that names them."""
    for number in range(8):
        write_bands(tmp_path / "cutouts", f"gal{number}", sky(45, at=[(22, 22)]))
    catalogue = tmp_path / "catalogue.csv"
    pd.DataFrame({"ID": [f"g{n}" for n in range(8)], "File": [f"gal{n}" for n in range(8)]}).to_csv(
        catalogue, index=False
    )  # fmt: skip
    return tmp_path / "cutouts", catalogue
