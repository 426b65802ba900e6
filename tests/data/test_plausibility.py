"""Images that cannot be what they are declared to be are refused with both numbers."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.data import open_cutouts
from lensdetect.data.plausibility import check_plausible
from lensdetect.errors import InputError
from lensdetect.survey import SURVEYS

KIDS = SURVEYS["kids"]
SIGMA = np.array([band.noise_sigma for band in KIDS.bands])


def source_of(pixels, **options):
    return open_cutouts(pixels.astype(np.float32), survey=KIDS, size=51, **options)


@pytest.fixture
def skies(rng):
    return rng.normal(0.0, SIGMA, (6, 51, 51, 4))


def test_what_is_declared_rightly_passes(skies):
    assert check_plausible(source_of(skies)) == []


@pytest.mark.parametrize("factor", [1e10, 0.05])
def test_other_units_are_refused_unless_trusted(skies, factor):
    with pytest.raises(InputError, match=r"rms of band u must be within a factor 5 of the 5.3e-12 .* got .*--trust"):
        check_plausible(source_of(skies * factor))
    assert check_plausible(source_of(skies * factor), trust_units=True) == []


def test_one_odd_image_is_no_reason_to_refuse_all(skies):
    skies[2] *= 1e6
    assert check_plausible(source_of(skies)) == []


def test_a_sky_that_was_left_in_is_told(skies):
    notes = check_plausible(source_of(skies + 30.0 * SIGMA))
    assert len(notes) == 4 and "band u: the sky is at 1.59e-10, " in notes[0] and "subtract it" in notes[0]


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"CD1_1": -6e-5, "CD2_2": 6e-5}, "declared to be 0.2 arcsec wide .kids., the headers say 0.216 arcsec"),
        ({"MAGZERO": 24.7}, "zero point is declared to be 0.0 .kids., the headers say 24.7"),
    ],
)
def test_headers_are_held_against_what_is_declared(tmp_path, skies, cards, message):
    step = 0.2 / 3600.0
    wcs = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CD1_1": -step, "CD2_2": step}
    for number, sky in enumerate(skies):
        for band, plane in zip("ugri", np.moveaxis(sky, -1, 0).astype(np.float32), strict=True):
            fits.writeto(tmp_path / f"{number}_{band}.fits", plane, fits.Header(wcs | cards))
    source = open_cutouts(tmp_path, survey=KIDS, size=51)
    with pytest.raises(InputError, match=message):
        check_plausible(source)
    assert check_plausible(source, trust_units=True) == []


def test_images_without_room_for_a_sky_are_not_measured(rng):
    small = rng.normal(size=(3, 17, 17, 4)).astype(np.float32)
    assert check_plausible(open_cutouts(small, survey=KIDS, size=17)) == []
