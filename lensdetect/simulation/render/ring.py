"""Rings and parts of rings."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.render.ellipse import ellipse_axes
from lensdetect.simulation.scene import RingLight

#: Share of a part's angle over which each of its ends tapers off.
_TAPER_SHARE = 0.3


class RingProfile:
    """See ``Profile``; a Gaussian across the ridge, even along it, cosine-shaped at the ends of a part."""

    cusp_points = ()

    def __init__(self, light: RingLight):
        """Work out what does not depend on position."""
        self.x_arcsec, self.y_arcsec = light.x_arcsec, light.y_arcsec
        self.sampling_arcsec = self.smooth_arcsec = light.width_arcsec * math.sqrt(light.axis_ratio)
        self._light = light
        self._extent = min(light.extent_rad, 2.0 * math.pi)
        self._peak = 1.0 / (self._extent * _radial_integral(light.radius_arcsec, light.width_arcsec))
        turned = light.middle_rad - light.angle_rad
        self._middle = math.atan2(math.sin(turned) / light.axis_ratio, math.cos(turned))
        # a taper is centred on the nominal end, so that the flux is that of sharp ends
        self._taper = min(_TAPER_SHARE * self._extent, 2.0 * math.pi - self._extent)

    def brightness(self, x_arcsec: np.ndarray, y_arcsec: np.ndarray) -> np.ndarray:
        """Flux per square arcsec at offsets from the centre; see ``Profile``."""
        light = self._light
        along, across = ellipse_axes(x_arcsec, y_arcsec, axis_ratio=light.axis_ratio, angle_rad=light.angle_rad)
        from_ridge = np.hypot(along, across)
        from_ridge -= light.radius_arcsec
        from_ridge *= 1.0 / light.width_arcsec
        profile = np.exp(-0.5 * from_ridge * from_ridge)
        profile *= self._peak
        return profile if self._taper <= 0.0 else profile * self._along_ridge(np.arctan2(across, along))

    def _along_ridge(self, angle: np.ndarray) -> np.ndarray:
        """1 within a part, 0 outside, half a cosine between."""
        offset = np.abs((angle - self._middle + math.pi) % (2.0 * math.pi) - math.pi)
        outward = np.clip((offset - 0.5 * self._extent) / self._taper + 0.5, 0.0, 1.0)
        return 0.5 + 0.5 * np.cos(math.pi * outward)

    def reach_arcsec(self, flux_over_floor: float) -> float:
        """Along the major axis; see ``Profile``."""
        excess = self._peak * flux_over_floor
        if excess <= 1.0:
            return 0.0
        widths = math.sqrt(2.0 * math.log(excess))
        return (self._light.radius_arcsec + widths * self._light.width_arcsec) / math.sqrt(self._light.axis_ratio)


def _radial_integral(radius: float, width: float) -> float:
    """Integral of ``r exp(-(r - radius)**2 / (2 width**2))`` over r from 0."""
    in_widths = radius / (math.sqrt(2.0) * width)
    wing = width**2 * math.exp(-(in_widths**2))
    return wing + radius * width * math.sqrt(0.5 * math.pi) * (1.0 + math.erf(in_widths))
