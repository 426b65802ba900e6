"""Magnitude <-> flux.

They are tied by the zero point, the AB magnitude of one unit of flux:
``flux = 10 ** (-0.4 * (mag - zero_point_mag))``.
"""

from __future__ import annotations

import numpy as np

from lensdetect.errors import InputError


def flux_from_mag(mag, zero_point_mag: float):
    """Flux of an AB magnitude.

    Parameters
    ----------
    mag : float or ndarray
        AB magnitude.
    zero_point_mag : float
        AB magnitude of one flux unit.

    Returns
    -------
    float or ndarray
        Flux in the survey's units.
    """
    return 10.0 ** (-0.4 * (np.asarray(mag, dtype=float) - zero_point_mag))


def mag_from_flux(flux, zero_point_mag: float):
    """AB magnitude of a flux; the inverse of ``flux_from_mag``.

    Parameters
    ----------
    flux : float or ndarray
        Flux in the survey's units, greater than zero; NaN (masked) stays NaN.
    zero_point_mag : float
        AB magnitude of one flux unit.

    Returns
    -------
    float or ndarray
        AB magnitude.

    Raises
    ------
    InputError
        If a flux is zero or negative.
    """
    flux = np.asarray(flux, dtype=float)
    if np.any(flux <= 0):
        raise InputError(f"a magnitude needs flux > 0, got a minimum of {np.nanmin(flux):g}: set such pixels to NaN")
    return zero_point_mag - 2.5 * np.log10(flux)
