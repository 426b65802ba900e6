"""Magnitude <-> flux."""

from __future__ import annotations

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.survey import flux_from_mag, mag_from_flux


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
