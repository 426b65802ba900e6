"""A user's own survey from a file."""

from __future__ import annotations

import math

import pytest

from lensdetect.errors import InputError
from lensdetect.survey import CatalogueColumns, FilePattern, get_survey, read_survey

GOOD = """
name = "mine"
pixel_scale_arcsec = 0.25
reference_band = "r"
source = "ourselves"
noise_correlation = [0.2, 0.05]
viewer = "https://sky.example.org/?at={ra},{dec}"
tile_pattern = "mine_{ra:.2f}_{dec:.2f}_{band}_{kind}.fits"

[[bands]]
name = "g"
zero_point_mag = 27
noise_sigma = 0.1
psf_fwhm_arcsec = 0.9
psf_beta = inf
psf_fwhm_range_arcsec = [0.7, 1.2]
noise_range = [0.08, 0.13]
sky_mag_arcsec2 = 22.2

[[bands]]
name = "r"
zero_point_mag = 27.0
depth_mag = 25.0
depth_aperture_arcsec = 2.0
psf_fwhm_arcsec = 0.8
psf_fwhm_range_arcsec = [0.6, 1.1]
noise_range = [0.1, 0.2]
sky_mag_arcsec2 = 21.2
made_of = {r = 0.6, i = 0.4}

[catalogue]
file_pattern = "{ra:.1f}_cat.fits"
id = "ID"
ra_deg = "RA"
dec_deg = "DEC"
mag = "MAG_{BAND}"
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return path

    return write


def test_a_file_is_a_survey(write):
    survey = get_survey(str(write(GOOD)))
    assert (survey.name, survey.band_names, survey.pixel_scale_arcsec) == ("mine", ("g", "r"), 0.25)
    assert math.isinf(survey.bands[0].psf_beta)
    # 5 sigma at 25.0, so at zero point 27 a flux of 6.31, in 50.3 pixels
    assert survey.bands[1].noise_sigma == pytest.approx(6.3096 / 5.0 / math.sqrt(16.0 * math.pi), rel=1e-4)
    assert survey.bands[1].psf_beta == 3.0
    assert survey.conditions[1].made_of == (("r", 0.6), ("i", 0.4))
    assert survey.conditions[0].psf_fwhm_range_arcsec == (0.7, 1.2)
    assert survey.noise_correlation == (0.2, 0.05)
    assert survey.file_band_order == ("g", "r")
    assert survey.masked_value is None
    assert survey.viewer == "https://sky.example.org/?at={ra},{dec}"
    assert survey.tile_file(10.0, -1.5, band="r") == "mine_10.00_-1.50_r_sci.fits"
    assert survey.catalogue == CatalogueColumns("{ra:.1f}_cat.fits", "ID", "RA", "DEC", "MAG_{BAND}")


def test_a_short_file_is_enough(write):
    survey = read_survey(
        write(
            'name = "m"\nsource = "s"\npixel_scale_arcsec = 0.1\n'
            '[[bands]]\nname = "VIS"\nzero_point_mag = 25\nnoise_sigma = 1\npsf_fwhm_arcsec = 0.2'
        )
    )
    assert (survey.reference_band, survey.conditions, survey.catalogue) == ("VIS", (), None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pixel_scale_arcsec", "pixel_scale", r"unknown key of survey 'pixel_scale': did you mean pixel_scale_arcsec"),
        ("noise_sigma", "noise_sigm", r"unknown key of band g 'noise_sigm': did you mean noise_sigma"),
        ("pixel_scale_arcsec = 0.25", "", r"survey must state .*, got none of pixel_scale_arcsec"),
        ("= 0.25", '= "0.25"', r"pixel_scale_arcsec must be a number from 0.01 to 10, got '0.25'"),
        ("noise_sigma = 0.1", "noise_sigma = -0.1", r"band g: noise_sigma must be a number above 0, got -0.1"),
        ("noise_sigma = 0.1", "noise_sigma = true", r"noise_sigma must be a number above 0, got True"),
        ("psf_beta = inf", "psf_beta = nan", r"psf_beta must be a number above 1, got nan"),
        ("[0.7, 1.2]", "[1.2, 0.7]", r"psf_fwhm_range_arcsec must be two rising numbers above 0, got \[1.2, 0.7\]"),
        ("depth_mag = 25.0", "", r"band r must state either noise_sigma or depth_mag"),
        ("sky_mag_arcsec2 = 22.2", "", r"band g must state psf_fwhm_range_arcsec, noise_range, .* all or none"),
        ('reference_band = "r"', 'reference_band = "R"', r"unknown reference_band 'R'"),
        ('name = "g"', 'name = "r"', r"bands must have names of their own, got r, r"),
        ('source = "ourselves"', 'source = "s"\nfile_band_order = ["g"]', r"order must be the bands g, r, got g"),
        ("made_of = {r = 0.6", "made_of = {r = 0", r"made_of must be a table of band = weight above 0"),
        ('id = "ID"', "", r"catalogue must state .*, got none of id"),
        ('mag = "MAG_{BAND}"', 'mag = "M"\nmags = "M"', r"unknown key of catalogue 'mags'"),
        ('name = "mine"', "name = mine", r"must be TOML, got"),
        ("https://sky", "javascript:alert", r"viewer must be an address https://... with {ra} and {dec}, got 'javascr"),
        ("https://sky", "http://sky", r"viewer must be an address"),
        ("?at={ra}", "?at={ra}&id={id}", r"viewer must be an address"),
        ("?at={ra},", "?at=", r"viewer must be an address"),
        ("?at={ra}", "?at={ra.__class__}", r"viewer must be an address"),
        ("?at={ra}", "?at=<{ra}>", r"viewer must be an address"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_its_name(write, old, new, message):
    assert GOOD.replace(old, new, 1) != GOOD
    with pytest.raises(InputError, match=r"mine\.toml.*" + message):
        read_survey(write(GOOD.replace(old, new, 1)))


def test_no_file_names_the_surveys_there_are(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml must be readable, got: No such file.*kids"):
        get_survey(tmp_path / "none.toml")


def test_a_file_without_bands_is_refused(write):
    with pytest.raises(InputError, match=r"bands must be one table \[\[bands\]\] or more, got none"):
        read_survey(write('name = "m"\nsource = "s"\npixel_scale_arcsec = 0.1\nbands = []'))


FILES = """
[selections]
bright = "MAG < 20"

[files]
band_words = {red = "r"}
mask_bits = {NODATA = 0, FOUND = 5}
harmless = ["FOUND"]

[[files.patterns]]
pattern = "obs{*}-{tile}-{band}"
kind = "sci"
zero_point_mag = 25.5
"""


def test_files_and_selections_of_a_survey_s_own(write):
    survey = read_survey(write(GOOD + FILES))
    assert survey.selections == (("bright", "MAG < 20"),)
    assert survey.files.patterns == (FilePattern("obs{*}-{tile}-{band}", kind="sci", zero_point_mag=25.5),)
    assert (survey.files.band_words, survey.files.mask_bits) == ((("red", "r"),), (("NODATA", 0), ("FOUND", 5)))
    assert survey.files.harmless == ("FOUND",)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('red = "r"', 'red = "x"', "unknown band of files 'x'"),
        ("FOUND = 5", "FOUND = 70", "mask_bits must be a table of name = whole number from 0 to 62"),
        ('kind = "sci"', 'kind = "psf"', "kind must be one of sci, wei, var, rms, msk, got 'psf'"),
        ("pattern =", "patern =", "unknown key of files.patterns 'patern': did you mean pattern"),
        ("{tile}", "{tyle}", "unknown field of a pattern 'tyle': did you mean tile"),
        ("[files]", "[files]\nmaskbits = {}", "unknown key of files 'maskbits': did you mean mask_bits"),
    ],
)
def test_bad_names_of_files_are_refused(write, old, new, message):
    with pytest.raises(InputError, match=message):
        read_survey(write(GOOD + FILES.replace(old, new, 1)))
