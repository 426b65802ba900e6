"""Rows of the survey table."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.survey import SURVEYS, flux_from_mag, get_survey

#: Name -> bands, pixel scale, zero point, as the surveys publish them.
EXPECTED = {
    "bologna": ("ugri", 0.2, 0.0),
    "kids": ("ugri", 0.2, 0.0),
    "des": ("griz", 0.263, 30.0),
    "hsc": ("grizy", 0.168, 27.0),
    "lsst": ("ugrizy", 0.2, 31.4),
    "euclid_vis": (("VIS",), 0.1, 24.6),
    "cfhtls": ("ugriz", 0.186, 30.0),
    "legacy": ("grz", 0.262, 22.5),
    "legacy_dr10": ("griz", 0.262, 22.5),
    "rubin_dp1": ("ugrizy", 0.2, 31.4),
    "rubin_dp2": ("ugrizy", 0.2, 31.4),
    "euclid": (("VIS", *"YJHgriz"), 0.1, (24.6, 23.9)),
    "unions": ("ugriz", 0.1857, (30.0, 27.0)),
    "ground": ("ugri", 0.2, 30.0),
}
EXPECTED_NOISE = {"bologna": (2.02e-12, 1.26e-12, 1.52e-12, 3.2e-12), "kids": (5.3e-12, 2.2e-12, 2.4e-12, 7.9e-12)}


def test_every_survey_has_an_expectation():
    assert set(EXPECTED) == set(SURVEYS)


@pytest.mark.parametrize("name", SURVEYS)
def test_row_is_the_published_one(name):
    survey = get_survey(name)
    bands, pixel_scale_arcsec, zero_point_mag = EXPECTED[name]
    assert survey.name == name
    assert survey.band_names == tuple(bands)
    assert survey.pixel_scale_arcsec == pixel_scale_arcsec
    assert {band.zero_point_mag for band in survey.bands} == {*np.atleast_1d(zero_point_mag)}
    assert survey.reference_band in survey.band_names
    assert sorted(survey.file_band_order) == sorted(survey.band_names)
    assert survey.source


@pytest.mark.parametrize("name", EXPECTED_NOISE)
def test_measured_noise_and_seeing_are_kept(name):
    survey = get_survey(name)
    assert tuple(band.noise_sigma for band in survey.bands) == EXPECTED_NOISE[name]
    assert [band.psf_fwhm_arcsec for band in survey.bands] == [0.94, 0.83, 0.65, 0.80]


#: Rows for files of which no spread of conditions is published.
FILES_ALONE = {"legacy_dr10", "rubin_dp1", "rubin_dp2", "euclid", "unions"}


@pytest.mark.parametrize("name", sorted(set(SURVEYS) - {"bologna"} - FILES_ALONE))
def test_conditions_hold_the_typical_values(name):
    survey = get_survey(name)
    assert len(survey.conditions) == len(survey.bands)
    for band, conditions in zip(survey.bands, survey.conditions, strict=True):
        low, high = conditions.psf_fwhm_range_arcsec
        assert low < band.psf_fwhm_arcsec < high
        low, high = conditions.noise_range
        assert low < band.noise_sigma < high
        assert 17.0 < conditions.sky_mag_arcsec2 < 23.5


@pytest.mark.parametrize("name", sorted(set(SURVEYS) - {"bologna", "euclid_vis"} - FILES_ALONE))
def test_photons_are_those_of_a_telescope_and_an_exposure(name):
    # The rms and the sky together tell how many photons a flux is; effective
    # collecting area (m2) times exposure (s) times efficiency lies between a 2.6 m in
    # u (0.03 x 5 m2 x 1000 s) and Rubin in ten years.
    survey = get_survey(name)
    for band, conditions in zip(survey.bands, survey.conditions, strict=True):
        sky = flux_from_mag(conditions.sky_mag_arcsec2, band.zero_point_mag) * survey.pixel_scale_arcsec**2
        photon_flux = band.noise_sigma**2 / sky
        photons_of_mag_20 = flux_from_mag(20.0, band.zero_point_mag) / photon_flux
        # 5.5e10 photons / s / m2 over a band of a fifth in the logarithm of wavelength from magnitude 0
        area_seconds = photons_of_mag_20 / (5.5e10 * 0.2 * 1e-8)
        assert 50 < area_seconds < 4e5


def test_surveys_can_be_written_as_json():
    for survey in SURVEYS.values():
        assert json.loads(json.dumps(dataclasses.asdict(survey)))["name"] == survey.name


def test_euclid_vis_is_made_of_the_bands_it_spans():
    made_of = dict(get_survey("euclid_vis").conditions[0].made_of)
    assert list(made_of) == ["r", "i", "z"]
    assert sum(made_of.values()) == pytest.approx(1.0)


def test_files_and_columns_have_the_names_of_kids():
    kids = get_survey("kids")
    assert kids.tile_file(180.0, -0.5, band="r") == "KiDS_DR4.0_180.0_-0.5_r_sci.fits"
    assert kids.tile_file(9.54, -31.2, band="u", kind="wei") == "KiDS_DR4.0_9.5_-31.2_u_wei.fits"
    assert kids.catalogue.file_pattern.format(ra=180.0, dec=-0.5) == "KiDS_DR4.0_180.0_-0.5_ugriZYJHKs_cat.fits"
    assert kids.catalogue.mag_column("u") == "MAG_GAAP_u"
    assert kids.catalogue.mag_error_column("r") == "MAGERR_GAAP_r"


def test_columns_of_des_are_in_capitals():
    assert get_survey("des").catalogue.mag_column("g") == "MAG_AUTO_G"


def test_a_survey_without_names_of_its_own_has_files_all_the_same():
    assert get_survey("hsc").tile_file(150.0, 2.0, band="i", kind="msk") == "hsc_150.0_2.0_i_msk.fits"


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


def test_names_are_known_in_any_case():
    assert get_survey("KiDS") is get_survey("kids")


def test_noise_of_rubin_previews_is_above_the_ten_year_row():
    ten_years = [band.noise_sigma for band in get_survey("lsst").bands]
    for name in ("rubin_dp1", "rubin_dp2"):
        ratio = np.array([band.noise_sigma for band in get_survey(name).bands]) / ten_years
        assert ((1.5 < ratio) & (ratio < 8.0)).all()


def test_rows_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        get_survey("kids").pixel_scale_arcsec = 0.3


def test_select_follows_the_wanted_order():
    assert [band.name for band in get_survey("kids").select(["i", "g"])] == ["i", "g"]


def test_select_refuses_a_foreign_band():
    with pytest.raises(InputError, match=r"unknown band of survey kids 'z': did you mean g, i, r, u\?"):
        get_survey("kids").select(["g", "z"])


def test_unknown_survey_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown survey 'bolonga': did you mean bologna"):
        get_survey("bolonga")


def test_moffat_index_is_above_one():
    for survey in SURVEYS.values():
        assert all(band.psf_beta > 1.0 and not math.isnan(band.psf_beta) for band in survey.bands)


@pytest.mark.parametrize("name", [name for name, survey in SURVEYS.items() if survey.viewer])
def test_a_viewer_takes_a_position_in_degrees(name):
    address = SURVEYS[name].viewer.format(ra="180.012345", dec="%2B1.500000")
    assert "180.012345" in address and "%2B1.500000" in address and "{" not in address
