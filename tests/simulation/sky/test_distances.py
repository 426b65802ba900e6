import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from lenstronomy.Cosmo.lens_cosmo import LensCosmo

from lensdetect.simulation.sky.distances import (
    arcsec_per_kpc,
    comoving_volume_weight,
    distance_modulus_mag,
    isothermal_einstein_radius_arcsec,
)

COSMOLOGY = FlatLambdaCDM(H0=70.0, Om0=0.3)


@pytest.mark.parametrize("redshift", [0.05, 0.37, 0.9, 3.2])
def test_distances_are_astropys(redshift):
    assert distance_modulus_mag(redshift) == pytest.approx(COSMOLOGY.distmod(redshift).value, abs=1e-4)
    assert arcsec_per_kpc(redshift) == pytest.approx(COSMOLOGY.arcsec_per_kpc_proper(redshift).value, rel=1e-4)


def test_volumes_are_astropys():
    redshifts = np.array([0.1, 0.5, 0.9])
    volumes = COSMOLOGY.differential_comoving_volume(redshifts).value
    weights = comoving_volume_weight(redshifts)
    np.testing.assert_allclose(weights / weights[0], volumes / volumes[0], rtol=1e-3)


@pytest.mark.parametrize(("sigma_km_s", "near", "far"), [(160.0, 0.2, 0.8), (300.0, 0.7, 2.5)])
def test_einstein_radii_are_lenstronomys(sigma_km_s, near, far):
    radius = isothermal_einstein_radius_arcsec(sigma_km_s, deflector_redshift=near, source_redshift=far)
    expected = LensCosmo(near, far, cosmo=COSMOLOGY).sis_sigma_v2theta_E(sigma_km_s)
    assert radius == pytest.approx(expected, rel=1e-3)


def test_a_source_in_front_is_not_lensed():
    assert isothermal_einstein_radius_arcsec(250.0, deflector_redshift=0.6, source_redshift=0.4) == 0.0
