"""Rays from the image plane back to the source plane.

A singular isothermal ellipsoid has the convergence ``k = radius / (2 sqrt(q x**2
+ y**2 / q))`` in the frame of its major axis (x); its deflection is equation 27a
of Kormann, Schneider & Bartelmann (1994, A&A 284, 285). A sphere is the limit q = 1.
"""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.scene import IsothermalMass

#: Rounder than this an ellipsoid is a sphere: its formula would lose its digits.
_ROUND = 1.0 - 1e-6

#: No division by zero in the very centre, where the deflection has no direction.
_TINY_ARCSEC = 1e-12


def trace_rays(
    x_arcsec: np.ndarray, y_arcsec: np.ndarray, *, masses: tuple[IsothermalMass, ...], shear: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Source-plane positions of rays: ``beta = theta - sum of deflections``.

    One trace serves all bands: gravity has no colour.

    Parameters
    ----------
    x_arcsec, y_arcsec : ndarray
        Image-plane positions; they broadcast.
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
    dx, dy = x_arcsec - masses[0].x_arcsec, y_arcsec - masses[0].y_arcsec
    beta_x = x_arcsec - gamma1 * dx - gamma2 * dy
    beta_y = y_arcsec - gamma2 * dx + gamma1 * dy
    for mass in masses:
        alpha_x, alpha_y = _deflect(x_arcsec - mass.x_arcsec, y_arcsec - mass.y_arcsec, mass)
        beta_x -= alpha_x
        beta_y -= alpha_y
    return beta_x, beta_y


def _deflect(dx: np.ndarray, dy: np.ndarray, mass: IsothermalMass) -> tuple[np.ndarray, np.ndarray]:
    """Deflection of one mass at offsets from its centre; a sphere has a formula that is far cheaper."""
    if mass.axis_ratio > _ROUND:
        scale = mass.einstein_radius_arcsec / np.maximum(np.sqrt(dx * dx + dy * dy), _TINY_ARCSEC)
        return dx * scale, dy * scale
    q = mass.axis_ratio
    cosine, sine = math.cos(mass.angle_rad), math.sin(mass.angle_rad)
    along, across = dx * cosine + dy * sine, dy * cosine - dx * sine
    flat = math.sqrt(1.0 - q * q)
    scale = flat / np.maximum(np.sqrt(q * q * along * along + across * across), _TINY_ARCSEC)
    size = mass.einstein_radius_arcsec * math.sqrt(q) / flat
    alpha_along, alpha_across = size * np.arctan(along * scale), size * np.arctanh(across * scale)
    return alpha_along * cosine - alpha_across * sine, alpha_along * sine + alpha_across * cosine


def ray_jacobian(
    x_arcsec: np.ndarray, y_arcsec: np.ndarray, *, masses: tuple[IsothermalMass, ...], shear: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Derivatives of the traced rays; the magnification is one over their determinant.

    About an isothermal centre the shear is as strong as the convergence k and
    tangential: the deflection grows by 2 k along the tangent, and not along the radius.

    Parameters
    ----------
    x_arcsec, y_arcsec : ndarray
        Image-plane positions; they broadcast.
    masses : tuple of IsothermalMass
    shear : tuple of float
        As for ``trace_rays``.

    Returns
    -------
    tuple of ndarray
        ``d beta_x / dx``, ``d beta_x / dy`` (equal to ``d beta_y / dx``) and ``d beta_y / dy``.
    """
    gamma1, gamma2 = shear
    zero = np.zeros(np.broadcast_shapes(np.shape(x_arcsec), np.shape(y_arcsec)))
    a_xx, a_xy, a_yy = zero + 1.0 - gamma1, zero - gamma2, zero + 1.0 + gamma1
    for mass in masses:
        dx, dy = x_arcsec - mass.x_arcsec, y_arcsec - mass.y_arcsec
        squared = np.maximum(dx * dx + dy * dy, _TINY_ARCSEC**2)
        twice = 2.0 * convergence(x_arcsec, y_arcsec, masses=(mass,)) / squared
        a_xx -= twice * dy * dy
        a_xy += twice * dx * dy
        a_yy -= twice * dx * dx
    return a_xx, a_xy, a_yy


def convergence(x_arcsec: np.ndarray, y_arcsec: np.ndarray, *, masses: tuple[IsothermalMass, ...]) -> np.ndarray:
    """Surface density over the critical one.

    Parameters
    ----------
    x_arcsec, y_arcsec : ndarray
        Image-plane positions; they broadcast.
    masses : tuple of IsothermalMass

    Returns
    -------
    ndarray
        Of the broadcast shape.
    """
    total = 0.0
    for mass in masses:
        q = mass.axis_ratio
        cosine, sine = math.cos(mass.angle_rad), math.sin(mass.angle_rad)
        dx, dy = x_arcsec - mass.x_arcsec, y_arcsec - mass.y_arcsec
        along, across = dx * cosine + dy * sine, dy * cosine - dx * sine
        radius = np.sqrt(q * along * along + across * across / q)
        total = total + 0.5 * mass.einstein_radius_arcsec / np.maximum(radius, _TINY_ARCSEC)
    return total


def farthest_image_arcsec(
    source_reach_arcsec: float, *, masses: tuple[IsothermalMass, ...], shear: tuple[float, float]
) -> float:
    """Distance from the first mass within which all images of a source lie.

    Parameters
    ----------
    source_reach_arcsec : float
        Distance from the first mass within which the source lies.
    masses : tuple of IsothermalMass
    shear : tuple of float
        As for ``trace_rays``; weaker than 1.

    Returns
    -------
    float
        In arcsec.
    """
    deflection = sum(_largest_deflection(mass) for mass in masses)
    return (source_reach_arcsec + deflection) / max(1.0 - math.hypot(*shear), 0.1)


def _largest_deflection(mass: IsothermalMass) -> float:
    """Of an ellipsoid it is along the minor axis, and depends on the direction alone."""
    if mass.axis_ratio > _ROUND:
        return mass.einstein_radius_arcsec
    flat = math.sqrt(1.0 - mass.axis_ratio**2)
    return mass.einstein_radius_arcsec * math.sqrt(mass.axis_ratio) / flat * math.atanh(flat)
