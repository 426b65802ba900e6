"""Files as other people write them, small enough for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.survey import get_survey

BANDS = get_survey("bologna").file_band_order


@pytest.fixture
def bologna():
    return get_survey("bologna")


@pytest.fixture
def kids():
    return get_survey("kids")


@pytest.fixture
def write_stamps(rng):
    """Write stamps in the challenge's layout; returns pixels (n, size, size, 4) in u, g, r, i."""

    def write(root: Path, ids, *, size: int = 11, bands=BANDS) -> np.ndarray:
        pixels = rng.normal(0.0, 1e-12, (len(ids), size, size, 4)).astype(np.float32)
        for band in bands:
            folder = root / "Public" / f"Band{BANDS.index(band) + 1}"
            folder.mkdir(parents=True, exist_ok=True)
            for number, stamp in enumerate(ids):
                image = fits.PrimaryHDU(pixels[number, ..., "ugri".index(band)])
                image.header["RA"] = number * 1e-3
                image.writeto(folder / f"imageSDSS_{band.upper()}-{stamp}.fits")
        return pixels

    return write


@pytest.fixture
def file_of():
    """File of one band of one stamp that ``write_stamps`` wrote."""

    def find(root: Path, band: str, stamp) -> Path:
        return root / "Public" / f"Band{BANDS.index(band) + 1}" / f"imageSDSS_{band.upper()}-{stamp}.fits"

    return find
