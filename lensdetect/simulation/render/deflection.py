"""Rays from the image plane back to the source plane."""

from __future__ import annotations

import math

import numpy as np
from lenstronomy.LensModel.Profiles.shear import Shear
from lenstronomy.LensModel.Profiles.sie import SIE
from lenstronomy.LensModel.Profiles.sis import SIS

from lensdetect.simulation.scene import IsothermalMass

_SHEAR, _SIE, _SIS = Shear(), SIE(), SIS()


def ellipticity(axis_ratio: float, angle_rad: float) -> tuple[float, float]:
    """Ellipticity components ``(1 - q) / (1 + q)`` times cosine and sine of twice the angle."""
    size = (1.0 - axis_ratio) / (1.0 + axis_ratio)
    return size * math.cos(2.0 * angle_rad), size * math.sin(2.0 * angle_rad)


def trace_rays(
    x_arcsec: np.ndarray, y_arcsec: np.ndarray, *, masses: tuple[IsothermalMass, ...], shear: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Source-plane positions of rays: ``beta = theta - sum of deflections``.

    One trace serves all bands: gravity has no colour.

    Parameters
    ----------
    x_arcsec, y_arcsec : ndarray
        Image-plane positions, of one shape.
    masses : tuple of IsothermalMass
        Ellipsoids and spheres, all in one lens plane.
    shear : tuple of float
        External shear gamma1, gamma2 about the first mass.

    Returns
    -------
    tuple of ndarray
        x and y in the source plane, in arcsec, in the same frame.
    """
    gamma1, gamma2 = shear
    alpha_x, alpha_y = _SHEAR.derivatives(
        x_arcsec, y_arcsec, gamma1, gamma2, ra_0=masses[0].x_arcsec, dec_0=masses[0].y_arcsec
    )
    for mass in masses:
        add_x, add_y = _deflect(x_arcsec, y_arcsec, mass)
        alpha_x, alpha_y = alpha_x + add_x, alpha_y + add_y
    return x_arcsec - alpha_x, y_arcsec - alpha_y


def _deflect(x_arcsec: np.ndarray, y_arcsec: np.ndarray, mass: IsothermalMass) -> tuple[np.ndarray, np.ndarray]:
    """Deflection of one mass; a sphere has a formula that is far cheaper."""
    if mass.axis_ratio == 1.0:
        return _SIS.derivatives(x_arcsec, y_arcsec, mass.einstein_radius_arcsec, mass.x_arcsec, mass.y_arcsec)
    e1, e2 = ellipticity(mass.axis_ratio, mass.angle_rad)
    return _SIE.derivatives(x_arcsec, y_arcsec, mass.einstein_radius_arcsec, e1, e2, mass.x_arcsec, mass.y_arcsec)
