"""Small survey tiles for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

from lensdetect.survey import SURVEYS, Survey

KIDS = SURVEYS["kids"]


def header(shape: tuple[int, int], *, ra_deg=180.0, dec_deg=0.5, scale_arcsec=0.2, shift=(0, 0)) -> fits.Header:
    """World coordinates, north up; ``shift`` moves the first pixel in x and y."""
    step_deg = scale_arcsec / 3600.0
    return fits.Header([
        ("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CRVAL1", ra_deg), ("CRVAL2", dec_deg),
        ("CRPIX1", 0.5 * (shape[1] + 1) - shift[0]), ("CRPIX2", 0.5 * (shape[0] + 1) - shift[1]),
        ("CD1_1", -step_deg), ("CD2_2", step_deg),
    ])  # fmt: skip


def write_image(path: Path, pixels: np.ndarray, **where) -> Path:
    """A plain, compressed or zipped FITS image, as its name ends."""
    if path.name.endswith(".fz"):
        unit = fits.CompImageHDU(pixels, header(pixels.shape, **where), compression_type="GZIP_2", quantize_level=0.0)
        fits.HDUList([fits.PrimaryHDU(), unit]).writeto(path)
    else:
        fits.PrimaryHDU(pixels, header(pixels.shape, **where)).writeto(path)
    return path


def sky(shape: tuple[int, int], *, band: str, seed: int = 1, survey: Survey = KIDS) -> np.ndarray:
    """Noise of one band."""
    (row,) = survey.select([band])
    rng = np.random.default_rng([seed, *band.encode()])
    return (row.noise_sigma * rng.standard_normal(shape)).astype(np.float32)


def write_tile(folder: Path, shape=(300, 320), *, ra_deg=180.0, dec_deg=0.5, bands="ugri", ending="", seed=1) -> None:
    """A KiDS tile of pure noise."""
    for band in bands:
        name = KIDS.tile_file(ra_deg, dec_deg, band=band) + ending
        write_image(folder / name, sky(shape, band=band, seed=seed), ra_deg=ra_deg, dec_deg=dec_deg)
