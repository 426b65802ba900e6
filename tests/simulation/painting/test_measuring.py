"""What is measured on real images: sky, PSF, galaxy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.images.background import sky_sigma
from lensdetect.simulation.painting.galaxy import aperture_mags, light_shape
from lensdetect.simulation.painting.psf import fit_psf
from lensdetect.survey import get_survey

DES = get_survey("des")
NOISE = tuple(band.noise_sigma for band in DES.bands)


def ellipse(side: int, *, fwhm_pix: float, axis_ratio: float = 1.0, angle_rad: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - 0.5 * (side - 1)
    along, across = x * np.cos(angle_rad) + y * np.sin(angle_rad), -x * np.sin(angle_rad) + y * np.cos(angle_rad)
    squared = along**2 * axis_ratio + across**2 / axis_ratio
    return np.exp(-4.0 * math.log(2.0) * squared / fwhm_pix**2)


@pytest.mark.parametrize("pedestal", [0.0, 300.0])
def test_sky_is_found_under_galaxies(rng, pedestal):
    image = 2.5 * rng.standard_normal((91, 91)) + pedestal
    image += 900.0 * ellipse(91, fwhm_pix=14.0)
    image[5:15, 60:75] += 40.0
    image[40, 40] = np.nan
    assert sky_sigma(image) == pytest.approx(2.5, rel=0.06)


def test_pure_noise_has_its_sigma(rng):
    assert sky_sigma(rng.standard_normal((300, 300))) == pytest.approx(1.0, rel=0.01)


def test_too_few_pixels_have_no_sky():
    assert math.isnan(sky_sigma(np.ones(50)))


@pytest.mark.parametrize(("fwhm", "beta"), [(0.65, 2.5), (0.95, 3.0), (1.2, 2.2)])
def test_psf_is_fitted_before_its_pixels(fwhm, beta):
    # ten points along a pixel, averaged: what a detector does to a Moffat
    axis = (np.arange(290) + 0.5) / 10.0 - 14.3
    squared = (axis[:, None] ** 2 + (axis - 0.4) ** 2) * DES.pixel_scale_arcsec**2
    fine = (1.0 + squared * 4.0 * (2.0 ** (1.0 / beta) - 1.0) / fwhm**2) ** -beta
    image = 37.0 * fine.reshape(29, 10, 29, 10).mean(axis=(1, 3))
    found = fit_psf(image, DES.pixel_scale_arcsec)
    np.testing.assert_allclose(found, (fwhm, beta), rtol=0.03)


@pytest.mark.parametrize("image", [np.ones((9, 9)), np.ones((3, 9)), np.full((9, 9), np.nan)])
@pytest.mark.filterwarnings("ignore:All-NaN")
def test_no_psf_is_refused(image):
    with pytest.raises(InputError, match=r"image of a PSF must be 5 x 5 finite pixels or more with a peak"):
        fit_psf(image, 0.2)


def test_measured_psfs_of_des_are_those_of_the_release(shared_data):
    from astropy.io import fits

    found = []
    for path in sorted((shared_data / "des_griz" / "krojas_lrg10" / "lensPSF").glob("*.fits")):
        with fits.open(path) as units:
            planes = [unit.data for unit in units if unit.data is not None and unit.data.ndim == 2][:3]
        found.append([fit_psf(plane, DES.pixel_scale_arcsec) for plane in planes])
    for number, band in enumerate(DES.bands[:3]):
        fwhm, beta = np.median([row[number] for row in found], axis=0)
        assert fwhm == pytest.approx(band.psf_fwhm_arcsec, rel=0.1)
        assert beta == pytest.approx(band.psf_beta, rel=0.15)


def test_aperture_magnitudes(rng):
    fluxes = 10.0 ** (-0.4 * (np.array([20.6, 19.0, 18.5, 30.0]) - 30.0))
    image = ellipse(61, fwhm_pix=4.0)
    pixels = fluxes * (image / image.sum())[..., None] + NOISE * rng.standard_normal((61, 61, 4))
    mags = aperture_mags(pixels, DES, position_arcsec=(0.0, 0.0), noise_sigma=NOISE)
    np.testing.assert_allclose(mags[:3], [20.6, 19.0, 18.5], atol=0.05)
    assert np.isnan(mags[3])  # too faint
    pixels[25:36, 25:36, 0] = np.nan
    assert np.isnan(aperture_mags(pixels, DES, position_arcsec=(0.0, 0.0), noise_sigma=NOISE)[0])


@pytest.mark.parametrize(("axis_ratio", "angle_rad"), [(0.5, 0.6), (0.7, 2.5), (0.9, 1.2)])
def test_shape_is_that_before_the_psf(axis_ratio, angle_rad):
    # Gaussians: their covariances add in a convolution
    fwhm, psf = 1.6, 0.95
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    turn = np.array([[cos, -sin], [sin, cos]])
    covariance = turn @ np.diag([1.0 / axis_ratio, axis_ratio]) @ turn.T * (fwhm / 2.3548) ** 2
    inverse = np.linalg.inv(covariance + np.eye(2) * (psf / 2.3548) ** 2)
    y, x = (np.mgrid[:61, :61] - 30.0) * DES.pixel_scale_arcsec
    plane = 500.0 * np.exp(-0.5 * (inverse[0, 0] * x * x + 2.0 * inverse[0, 1] * x * y + inverse[1, 1] * y * y))
    shape = light_shape(plane, DES, position_arcsec=(0.0, 0.0), noise_sigma=2.6, fwhm_arcsec=psf)
    assert shape.axis_ratio == pytest.approx(axis_ratio, abs=0.03)
    assert shape.angle_rad == pytest.approx(angle_rad, abs=0.05)


def test_nothing_has_no_shape(rng):
    plane = rng.standard_normal((61, 61))
    shape = light_shape(plane, DES, position_arcsec=(0.0, 0.0), noise_sigma=1.0, fwhm_arcsec=0.9)
    assert (shape.axis_ratio, shape.angle_rad) == (1.0, 0.0)
