"""Where a survey has no pixels: chip gaps, star masks, tile edges, whole bands."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.simulation.sky.frame import axis_arcsec
from lensdetect.survey import Survey

#: Width of what is left of a gap between detectors after dithering.
_GAP_ARCSEC = (0.6, 6.0)

#: Radius of masks around bright stars, and how near their rim comes to the middle:
#: surveys do not list what lies within.
_STAR_ARCSEC = (2.0, 15.0)
_STAR_CLEAR_ARCSEC = 1.5

#: Most of a stamp that may lie beyond the edge of a tile.
_EDGE_SHARE = 0.4


@dataclass(frozen=True)
class MaskRates:
    """How often pixels are missing.

    Parameters
    ----------
    chip_gap : float
        Probability, in each band, of a strip without exposures.
    star : float
        Probability of the mask of a bright star, in all bands.
    tile_edge : float
        Probability that the stamp reaches beyond the edge of its tile: in all
        bands or, as bands are pointed differently, in one.
    missing_band : float
        Probability that a band is missing altogether.
    missing_weight : tuple of (str, float)
        How often a band is the missing one against those that are not named:
        many surveys lack u in a part of their area (the factor is a choice).

    Raises
    ------
    InputError
        If one is no probability, or a weight is negative.
    """

    chip_gap: float = 0.02
    star: float = 0.02
    tile_edge: float = 0.015
    missing_band: float = 0.02
    missing_weight: tuple[tuple[str, float], ...] = (("u", 4.0),)

    def __post_init__(self):
        """Refuse what is no probability."""
        for field in dataclasses.fields(self)[:4]:
            rate = getattr(self, field.name)
            if not 0.0 <= rate <= 1.0:
                raise InputError(f"the rate of masks {field.name} is a probability, between 0 and 1, got {rate:g}")
        for name, weight in self.missing_weight:
            if not weight >= 0.0:
                raise InputError(f"the weight of band {name} among missing bands must be 0 or more, got {weight:g}")


def draw_mask(rates: MaskRates, survey: Survey, *, size: int, rng: np.random.Generator) -> np.ndarray | None:
    """Draw which pixels of a stamp are missing.

    Parameters
    ----------
    rates : MaskRates
    survey : Survey
        Pixel scale and bands.
    size : int
        Side of the stamp in pixels.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray or None
        bool ``(size, size, band)``, True where there is no pixel; None where none is missing.
    """
    axis = axis_arcsec(size, survey)
    half_side = 0.5 * size * survey.pixel_scale_arcsec
    mask = np.zeros((size, size, len(survey.bands)), bool)
    for band in np.flatnonzero(rng.random(len(survey.bands)) < rates.chip_gap):
        mask[..., band] |= _draw_gap(axis, half_side, rng=rng)
    if rng.random() < rates.star:
        mask |= _draw_star(axis, half_side, rng=rng)[..., None]
    if rng.random() < rates.tile_edge:
        band = slice(None) if rng.random() < 0.5 else [int(rng.integers(len(survey.bands)))]
        mask[..., band] |= _draw_edge(axis, half_side, rng=rng)[..., None]
    if rng.random() < rates.missing_band and len(survey.bands) > 1:
        mask[..., _draw_missing(rates, survey, rng=rng)] = True
    return mask if mask.any() else None


def _draw_gap(axis: np.ndarray, half_side: float, *, rng) -> np.ndarray:
    """A strip along rows or columns, across the whole stamp."""
    middle, width = rng.uniform(-half_side, half_side), rng.uniform(*_GAP_ARCSEC)
    strip = np.broadcast_to(np.abs(axis - middle) <= 0.5 * width, (axis.size, axis.size))
    return strip if rng.random() < 0.5 else strip.T


def _draw_star(axis: np.ndarray, half_side: float, *, rng) -> np.ndarray:
    """A disc somewhere beside the middle; none in a stamp so small that it would reach where nothing is listed."""
    if half_side <= _STAR_CLEAR_ARCSEC:
        return np.zeros((axis.size, axis.size), bool)
    radius = rng.uniform(*_STAR_ARCSEC)
    away = radius + rng.uniform(_STAR_CLEAR_ARCSEC, half_side)
    direction = rng.uniform(0.0, 2.0 * math.pi)
    dx, dy = axis - away * math.cos(direction), axis - away * math.sin(direction)
    return dx**2 + dy[:, None] ** 2 <= radius**2


def _draw_edge(axis: np.ndarray, half_side: float, *, rng) -> np.ndarray:
    """Everything beyond a line along rows or columns."""
    beyond = axis > half_side * (1.0 - 2.0 * rng.uniform(0.0, _EDGE_SHARE))
    if rng.random() < 0.5:
        beyond = beyond[::-1]
    plane = np.broadcast_to(beyond, (axis.size, axis.size))
    return plane if rng.random() < 0.5 else plane.T


def _draw_missing(rates: MaskRates, survey: Survey, *, rng) -> int:
    """Number of the band that is missing."""
    weights = dict(rates.missing_weight)
    chances = np.array([weights.get(name, 1.0) for name in survey.band_names])
    return int(rng.choice(chances.size, p=chances / chances.sum()))
