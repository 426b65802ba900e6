"""Rows of the survey table, and magnitudes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.survey import SURVEYS, flux_from_mag, get_survey, mag_from_flux

EXPECTED_NOISE = {"bologna": (2.02e-12, 1.26e-12, 1.52e-12, 3.2e-12), "kids": (5.3e-12, 2.2e-12, 2.4e-12, 7.9e-12)}


def test_every_survey_has_an_expectation():
    assert set(EXPECTED_NOISE) == set(SURVEYS)


@pytest.mark.parametrize("name", SURVEYS)
def test_row_is_the_published_one(name):
    survey = get_survey(name)
    assert survey.name == name
    assert survey.band_names == ("u", "g", "r", "i")
    assert survey.pixel_scale_arcsec == 0.2
    assert tuple(band.noise_sigma for band in survey.bands) == EXPECTED_NOISE[name]
    assert [band.psf_fwhm_arcsec for band in survey.bands] == [0.94, 0.83, 0.65, 0.80]
    assert survey.reference_band in survey.band_names
    assert sorted(survey.file_band_order) == sorted(survey.band_names)
    assert survey.source


def test_bologna_files_count_r_i_g_u_and_mask_with_100():
    survey = get_survey("bologna")
    assert survey.file_band_order == ("r", "i", "g", "u")
    assert survey.masked_value == 100.0


def test_bologna_noise_is_that_of_the_genuine_stamps(shared_data):
    from astropy.io import fits

    survey = get_survey("bologna")
    for place, name in enumerate(survey.file_band_order, start=1):
        path = shared_data / "bologna_ground" / "Public" / f"Band{place}" / f"imageSDSS_{name.upper()}-100004.fits"
        pixels = fits.getdata(path)
        sigma = 1.4826 * np.median(np.abs(pixels - np.median(pixels)))
        assert survey.select([name])[0].noise_sigma == pytest.approx(sigma, rel=0.08)


def test_rows_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        get_survey("kids").pixel_scale_arcsec = 0.3


def test_select_follows_the_wanted_order():
    assert [band.name for band in get_survey("kids").select(["i", "g"])] == ["i", "g"]


def test_select_refuses_a_foreign_band():
    with pytest.raises(InputError, match=r"unknown band of survey kids 'z': did you mean g, i, r, u\?"):
        get_survey("kids").select(["g", "z"])


def test_unknown_survey_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown survey 'bolonga': did you mean bologna\?"):
        get_survey("bolonga")


def test_zero_point_is_the_magnitude_of_unit_flux():
    assert flux_from_mag(30.0, 30.0) == pytest.approx(1.0)
    assert flux_from_mag(27.5, 30.0) == pytest.approx(10.0)


def test_magnitude_and_flux_are_inverse():
    mags = np.linspace(15, 28, 7)
    np.testing.assert_allclose(mag_from_flux(flux_from_mag(mags, 24.7), 24.7), mags)


def test_masked_flux_has_no_magnitude():
    np.testing.assert_array_equal(mag_from_flux([np.nan, 1.0], 0.0), [np.nan, 0.0])


@pytest.mark.parametrize("flux", [0.0, [1.0, -2.0, np.nan]])
def test_magnitude_needs_positive_flux(flux):
    with pytest.raises(InputError, match=r"needs flux > 0, got a minimum of (0|-2): set such pixels to NaN"):
        mag_from_flux(flux, 0.0)
