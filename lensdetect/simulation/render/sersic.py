"""Sersic profiles, with spiral arms or without, in single precision."""

from __future__ import annotations

import functools
import math

import numpy as np
from scipy import special

from lensdetect.simulation.render.ellipse import ellipse_axes
from lensdetect.simulation.scene import SersicLight, SpiralArms

#: Sersic index up to which a profile has no cusp to speak of.
_SMOOTH_INDEX = 1.0

#: Spacing of points on the minor axis that sums an exponential profile to 1e-3, in half-light radii.
_SAMPLING_SHARE = 0.4

#: Half-light radius of an exponential disc over its scale length.
_HALF_LIGHT_IN_SCALE_LENGTHS = 1.678


@functools.lru_cache(maxsize=4096)
def _constants(index: float) -> tuple[float, float]:
    """Steepness b, and flux over that of a disc of the effective radius with the brightness there.

    Half the light is within the effective radius: ``P(2 n, b) = 1/2`` with the
    regularised incomplete gamma function; the flux is ``2 n e**b b**(-2 n) Gamma(2
    n)`` times ``pi R**2 I(R)`` (Graham & Driver 2005, PASA 22, 118, equations 2 and 4).
    """
    steepness = float(special.gammaincinv(2.0 * index, 0.5))
    log_flux = math.log(2.0 * index) + steepness - 2.0 * index * math.log(steepness) + math.lgamma(2.0 * index)
    return steepness, math.exp(log_flux)


class SersicProfile:
    """See ``Profile``; brightness goes as ``exp(-b ((R / radius) ** (1 / index) - 1))``."""

    def __init__(self, light: SersicLight):
        """Work out what does not depend on position."""
        self.x_arcsec, self.y_arcsec = light.x_arcsec, light.y_arcsec
        cusped = light.sersic_index > _SMOOTH_INDEX
        self.sampling_arcsec = _SAMPLING_SHARE * light.radius_arcsec * math.sqrt(light.axis_ratio)
        self.smooth_arcsec = math.inf if cusped else self.sampling_arcsec  # far out a cusped profile is flat
        self.cusp_points = (8, 32) if cusped else ()
        self._light = light
        self._steepness, flux = _constants(light.sersic_index)
        self._at_radius = 1.0 / (flux * math.pi * light.radius_arcsec**2)

    def brightness(self, x_arcsec: np.ndarray, y_arcsec: np.ndarray) -> np.ndarray:
        """Flux per square arcsec at offsets from the centre; see ``Profile``."""
        light = self._light
        along, across = ellipse_axes(x_arcsec, y_arcsec, axis_ratio=light.axis_ratio, angle_rad=light.angle_rad)
        squared = along * along + across * across
        squared *= 1.0 / light.radius_arcsec**2
        squared += 1e-12  # no logarithm of zero
        profile = self._exponential(squared)
        return profile if light.arms is None else profile * _arm_factor(light.arms, along, across, squared)

    def _exponential(self, squared: np.ndarray) -> np.ndarray:
        """Brightness against the squared radius in half-light radii."""
        index = self._light.sersic_index
        if index == 1.0:
            power = np.sqrt(squared)
        elif index == 0.5:
            power = squared.copy()
        else:
            power = np.log(squared)
            power *= 0.5 / index
            np.exp(power, out=power)
        power *= -self._steepness
        power += self._steepness + math.log(self._at_radius)
        return np.exp(power, out=power)

    def reach_arcsec(self, flux_over_floor: float) -> float:
        """Along the major axis; see ``Profile``."""
        light = self._light
        brightest = 2.0 if light.arms else 1.0
        # in logarithms: a steep peak and a faint floor are far apart
        excess = math.log(max(self._at_radius * flux_over_floor * brightest, 1e-300)) + self._steepness
        if excess <= 0.0:
            return 0.0
        return light.radius_arcsec * (excess / self._steepness) ** light.sersic_index / math.sqrt(light.axis_ratio)


def _arm_factor(arms: SpiralArms, along: np.ndarray, across: np.ndarray, squared: np.ndarray) -> np.ndarray:
    """Modulation by spiral arms in the plane of the disc; its mean over a circle is 1."""
    in_scale_lengths = np.log(np.maximum(squared, 1e-6))  # wound ever tighter: inwards of this they are even
    in_scale_lengths *= 0.5
    in_scale_lengths += math.log(2.0 * _HALF_LIGHT_IN_SCALE_LENGTHS)
    phase = arms.number * np.arctan2(across, along) + arms.winding * in_scale_lengths
    phase += arms.phase_rad
    factor = np.cos(phase, out=phase)
    factor *= arms.amplitude
    factor += 1.0
    return factor
