"""Distances in a flat universe, tabulated once and interpolated."""

from __future__ import annotations

import functools
import math

import numpy as np
from astropy.cosmology import FlatLambdaCDM

#: Hubble constant in km/s/Mpc and matter density: the round values that lens samples are published with.
HUBBLE_KM_S_MPC, MATTER_DENSITY = 70.0, 0.3

_SPEED_OF_LIGHT_KM_S = 299_792.458

#: Knots of the table: linear between, to 1e-5 of a distance.
_KNOTS_REDSHIFT = np.linspace(0.0, 8.0, 4001)

_ARCSEC_PER_RAD = 180.0 * 3600.0 / math.pi


@functools.cache
def _comoving_mpc() -> np.ndarray:
    cosmology = FlatLambdaCDM(H0=HUBBLE_KM_S_MPC, Om0=MATTER_DENSITY)
    return cosmology.comoving_distance(_KNOTS_REDSHIFT).value


def comoving_distance_mpc(redshift):
    """Line-of-sight comoving distance in Mpc, of redshifts up to 8.

    Parameters
    ----------
    redshift : float or ndarray

    Returns
    -------
    float or ndarray
    """
    return np.interp(redshift, _KNOTS_REDSHIFT, _comoving_mpc())


def comoving_volume_weight(redshift: np.ndarray) -> np.ndarray:
    """Comoving volume per unit redshift, up to a constant factor.

    Parameters
    ----------
    redshift : ndarray

    Returns
    -------
    ndarray
        ``D**2 / E(z)``, in Mpc**2.
    """
    expansion = np.sqrt(MATTER_DENSITY * (1.0 + redshift) ** 3 + 1.0 - MATTER_DENSITY)
    return comoving_distance_mpc(redshift) ** 2 / expansion


def distance_modulus_mag(redshift):
    """Apparent minus absolute magnitude, without a K correction, of a redshift or an array."""
    return 5.0 * np.log10(comoving_distance_mpc(redshift) * (1.0 + redshift)) + 25.0


def arcsec_per_kpc(redshift: float) -> float:
    """Angle that a proper length of one kpc spans."""
    return _ARCSEC_PER_RAD * (1.0 + redshift) / (1e3 * float(comoving_distance_mpc(redshift)))


def isothermal_einstein_radius_arcsec(velocity_dispersion_km_s, *, deflector_redshift, source_redshift):
    """Einstein radius of an isothermal sphere, ``4 pi (sigma / c)**2 D_ls / D_s``.

    Parameters
    ----------
    velocity_dispersion_km_s, deflector_redshift, source_redshift : float or ndarray
        In a flat universe ``D_ls / D_s`` is one minus the ratio of the
        comoving distances.

    Returns
    -------
    float or ndarray
        In arcsec; 0 if the source is not behind the deflector.
    """
    share = 1.0 - comoving_distance_mpc(deflector_redshift) / comoving_distance_mpc(source_redshift)
    deflection_rad = 4.0 * math.pi * (velocity_dispersion_km_s / _SPEED_OF_LIGHT_KM_S) ** 2
    return _ARCSEC_PER_RAD * deflection_rad * np.maximum(share, 0.0)
