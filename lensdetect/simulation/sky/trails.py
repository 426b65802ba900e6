"""Trails of what moved through the field while the shutter was open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lensdetect.simulation.scene import Glitch
from lensdetect.simulation.sky.frame import in_some_bands, row_blocks
from lensdetect.survey import Survey


@dataclass(frozen=True)
class SatelliteTrail(Glitch):
    """A straight line through the whole image, perhaps of changing brightness.

    Parameters
    ----------
    offset_arcsec : float
        Distance of the line from the middle of the image.
    angle_rad : float
        Direction of the line, from x towards y.
    width_arcsec : float
        Standard deviation across the line: seeing, and a satellite that is out
        of a large telescope's focus.
    peak_sigma : tuple of float
        Brightness on the ridge in each band, in sky sigma of one pixel.
    flicker : float
        Part of the brightness that comes and goes as the satellite tumbles.
    period_arcsec : float
        Length of a turn along the trail.
    """

    name: ClassVar[str] = "satellite_trail"

    offset_arcsec: float
    angle_rad: float
    width_arcsec: float
    peak_sigma: tuple[float, ...]
    flicker: float = 0.0
    period_arcsec: float = 20.0

    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Add the trail; see ``Glitch``."""
        peaks = np.asarray(self.peak_sigma, np.float32) * noise_sigma
        for view, x, y in row_blocks(pixels, survey):
            along, across = _along_across(x, y, self)
            shape = np.exp(-0.5 * (across / self.width_arcsec) ** 2)
            shape *= 1.0 - self.flicker * (0.5 + 0.5 * np.cos(2.0 * math.pi * along / self.period_arcsec))
            view += shape[..., None].astype(np.float32) * peaks


@dataclass(frozen=True)
class AeroplaneTrail(Glitch):
    """Two dashed lines: the blinking lights of two wings, out of focus.

    Parameters
    ----------
    offset_arcsec, angle_rad, width_arcsec, peak_sigma
        As of a satellite's trail; the offset is that of the middle between the lines.
    gap_arcsec : float
        Distance between the lines.
    dash_arcsec : float
        From one flash to the next.
    flash_share : float
        Part of it that is lit.
    """

    name: ClassVar[str] = "aeroplane_trail"

    offset_arcsec: float
    angle_rad: float
    width_arcsec: float
    peak_sigma: tuple[float, ...]
    gap_arcsec: float
    dash_arcsec: float
    flash_share: float

    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Add both lines; see ``Glitch``."""
        peaks = np.asarray(self.peak_sigma, np.float32) * noise_sigma
        for view, x, y in row_blocks(pixels, survey):
            along, across = _along_across(x, y, self)
            shape = np.zeros(np.shape(along))
            for side in (-0.5, 0.5):
                line = np.exp(-0.5 * ((across - side * self.gap_arcsec) / self.width_arcsec) ** 2)
                # the two wings blink in turn
                shape += line * self._lit(along / self.dash_arcsec + 0.5 * side)
            view += shape[..., None].astype(np.float32) * peaks

    def _lit(self, phase: np.ndarray) -> np.ndarray:
        """How bright the light is, with soft ends; a faint steady light stays between the flashes."""
        from_middle = np.abs((phase % 1.0) - 0.5)
        return 0.15 + 0.85 / (1.0 + np.exp((from_middle - 0.5 * self.flash_share) / 0.04))


def _along_across(x: np.ndarray, y: np.ndarray, trail: SatelliteTrail | AeroplaneTrail):
    """Distance along and across a line, in arcsec."""
    cosine, sine = math.cos(trail.angle_rad), math.sin(trail.angle_rad)
    return cosine * x + sine * y, cosine * y - sine * x - trail.offset_arcsec


def _log_uniform(low: float, high: float, *, rng) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def draw_satellite_trails(survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """A trail in one band, in a quarter of the cases two in two bands at different angles.

    Bands are exposed on different nights, and a stack of some exposures keeps
    what is left of a trail in one of them: from what is hardly seen to what is
    as bright as the galaxies.

    Parameters
    ----------
    survey : Survey
    side_arcsec : float
        Side of the image.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Glitch
    """
    return tuple(
        SatelliteTrail(
            offset_arcsec=rng.uniform(-0.5, 0.5) * side_arcsec,
            angle_rad=rng.uniform(0.0, math.pi),
            width_arcsec=rng.uniform(0.4, 1.0),
            peak_sigma=in_some_bands(survey, _log_uniform(2.0, 30.0, rng=rng), bands=1, rng=rng),
            flicker=rng.uniform(0.0, 0.5),
            period_arcsec=rng.uniform(15.0, 120.0),
        )
        for _ in range(1 if rng.random() < 0.75 else 2)
    )


def draw_aeroplane_trail(survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """Two dashed lines in one band; arguments as of ``draw_satellite_trails``."""
    trail = AeroplaneTrail(
        offset_arcsec=rng.uniform(-0.5, 0.5) * side_arcsec,
        angle_rad=rng.uniform(0.0, math.pi),
        width_arcsec=rng.uniform(0.5, 0.9),
        peak_sigma=in_some_bands(survey, _log_uniform(6.0, 40.0, rng=rng), bands=1, rng=rng),
        gap_arcsec=rng.uniform(3.0, 7.0),
        dash_arcsec=rng.uniform(4.0, 12.0),
        flash_share=rng.uniform(0.3, 0.6),
    )
    return (trail,)
