"""Printed depth -> noise of a pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lensdetect.survey import aperture_pixels, flux_from_mag, get_survey, noise_from_depth, psf_pixels

#: 5-sigma depth of KiDS DR4 in an aperture of 2 arcsec (Kuijken+ 2019).
KIDS_DEPTH = {"u": 24.23, "g": 25.12, "r": 25.02, "i": 23.68}


@pytest.mark.parametrize("band", KIDS_DEPTH)
def test_depth_of_kids_gives_the_rms_of_its_tiles(band):
    kids = get_survey("kids")
    sigma = noise_from_depth(
        KIDS_DEPTH[band], 0.0, snr=5.0, noise_pixels=aperture_pixels(2.0, kids.pixel_scale_arcsec)
    )  # fmt: skip
    assert sigma == pytest.approx(kids.select([band])[0].noise_sigma, rel=0.14)


def test_white_noise_in_an_aperture_gives_the_depth_back(rng):
    sigma = noise_from_depth(25.0, 27.0, snr=5.0, noise_pixels=aperture_pixels(2.0, 0.1))
    sums = [(rng.standard_normal(round(aperture_pixels(2.0, 0.1))) * sigma).sum() for _ in range(4000)]
    assert np.std(sums) * 5.0 == pytest.approx(float(flux_from_mag(25.0, 27.0)), rel=0.04)


@pytest.mark.parametrize("beta", [2.2, 3.0, math.inf])
def test_psf_pixels_are_one_over_the_sum_of_squares(beta):
    fwhm = 9.0  # pixels
    axis = np.arange(-300, 301)
    squared = axis[:, None] ** 2 + axis**2
    if math.isinf(beta):
        psf = np.exp(-4.0 * math.log(2.0) * squared / fwhm**2)
    else:
        psf = (1.0 + squared * 4.0 * (2.0 ** (1.0 / beta) - 1.0) / fwhm**2) ** -beta
    psf /= psf.sum()
    assert psf_pixels(fwhm, 1.0, beta=beta) == pytest.approx(1.0 / (psf**2).sum(), rel=0.02)


def test_gaussian_has_the_effective_pixels_of_lsst():
    assert psf_pixels(0.8, 0.2, beta=math.inf) == pytest.approx(2.266 * 16.0, rel=1e-3)


@pytest.mark.parametrize("band", "gri")
def test_noise_of_cfhtls_is_that_of_a_real_field(shared_data, band):
    from astropy.io import fits

    pixels = fits.getdata(shared_data / "cfhtls_gri_field" / f"CFHTLS-test_{band}.fits").astype(float)
    sky = pixels[np.abs(pixels - np.median(pixels)) < 3.0 * np.median(np.abs(pixels - np.median(pixels)))]
    below = sky[sky < np.median(sky)] - np.median(sky)
    sigma = np.sqrt(np.mean(below**2)) / 0.87  # the clip at 2 sigma takes 13 % away
    assert get_survey("cfhtls").select([band])[0].noise_sigma == pytest.approx(sigma, rel=0.25)


def test_noise_of_des_is_that_of_cutouts_with_half_the_exposures(shared_data):
    from astropy.io import fits

    for band in get_survey("des").bands:
        cubes = fits.getdata(shared_data / "des_griz" / "deeplenstronomy_46" / f"{band.name}.fits").astype(float)
        edges = np.concatenate([cubes[:, :10].ravel(), cubes[:, -10:].ravel()])
        sigma = 1.4826 * np.median(np.abs(edges - np.median(edges)))
        assert 1.2 < sigma / band.noise_sigma < 1.7  # sqrt(2), and faint galaxies in the frames
