"""Light that went a wrong way: ghosts, halos and diffraction spikes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lensdetect.simulation.render.fluxes import band_fluxes
from lensdetect.simulation.scene import Glitch, StarLight
from lensdetect.simulation.sky.frame import row_blocks, window
from lensdetect.simulation.sky.star_colours import stellar_mags
from lensdetect.survey import Survey

#: Core and index of the aureole's Moffat profile: its brightness falls as r**-3.
_AUREOLE_ARCSEC, _AUREOLE_BETA = 2.5, 1.5

#: Standard deviation across a spike.
_SPIKE_WIDTH_ARCSEC = 0.25


@dataclass(frozen=True)
class Ghost(Glitch):
    """The reflection of a bright star far away: an image of the pupil, out of focus.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        Its middle, from the middle of the image; it may lie beyond the edge.
    radius_arcsec : float
        Of its rim.
    hole_share : float
        Radius of the shadow of the secondary mirror over that of the rim; 0 for a disc.
    brightness_sigma : tuple of float
        In each band, in sky sigma of one pixel.
    soft_arcsec : float
        Standard deviation that its edges are smeared by.
    """

    name: ClassVar[str] = "ghost"

    x_arcsec: float
    y_arcsec: float
    radius_arcsec: float
    hole_share: float
    brightness_sigma: tuple[float, ...]
    soft_arcsec: float

    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Add the ring or disc; see ``Glitch``."""
        reach = self.radius_arcsec + 5.0 * self.soft_arcsec
        view, dx, dy = window(pixels, survey, x_arcsec=self.x_arcsec, y_arcsec=self.y_arcsec, reach_arcsec=reach)
        radius = np.hypot(dx, dy)
        shape = _below(radius, self.radius_arcsec, self.soft_arcsec)
        if self.hole_share > 0.0:
            shape -= _below(radius, self.hole_share * self.radius_arcsec, self.soft_arcsec)
        # brighter towards the rim, as many are
        shape *= 0.7 + 0.3 * np.minimum(radius / self.radius_arcsec, 1.0)
        view += shape[..., None].astype(np.float32) * (np.asarray(self.brightness_sigma, np.float32) * noise_sigma)


def _below(radius: np.ndarray, edge: float, soft: float) -> np.ndarray:
    """1 within an edge, 0 outside, with a smooth step."""
    return 0.5 - 0.5 * np.tanh((radius - edge) / (1.2 * soft))


@dataclass(frozen=True)
class StarHalo(Glitch):
    """Aureole and diffraction spikes of a bright star, which itself is a point of light.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        The star, from the middle of the image; it may lie beyond the edge.
    mags : tuple of float
        Of the star, in the order of ``SCENE_BANDS``.
    aureole_share : float
        Part of its light that is scattered into the aureole (King 1971, PASP 83,
        199: some per cent, falling with the square of the radius and faster).
    spike_share : float
        Part of its light in the spikes.
    spike_arcsec : float
        Length over which a spike falls by e.
    angle_rad : float
        Direction of the first of four spikes: those of a cross of four vanes.
    """

    name: ClassVar[str] = "star_halo"

    x_arcsec: float
    y_arcsec: float
    mags: tuple[float, ...]
    aureole_share: float
    spike_share: float
    spike_arcsec: float
    angle_rad: float

    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Add aureole and spikes; see ``Glitch``."""
        fluxes = (band_fluxes(self.mags, survey) * survey.pixel_scale_arcsec**2).astype(np.float32)
        for view, x, y in row_blocks(pixels, survey):
            shape = self._brightness(x - self.x_arcsec, y - self.y_arcsec)
            view += shape[..., None].astype(np.float32) * fluxes

    def _brightness(self, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
        """Per square arcsec, of a star of unit flux."""
        normal = (_AUREOLE_BETA - 1.0) / (math.pi * _AUREOLE_ARCSEC**2)
        out = self.aureole_share * normal * (1.0 + (dx**2 + dy**2) / _AUREOLE_ARCSEC**2) ** -_AUREOLE_BETA
        cosine, sine = math.cos(self.angle_rad), math.sin(self.angle_rad)
        along, across = cosine * dx + sine * dy, cosine * dy - sine * dx
        normal = self.spike_share / (4.0 * self.spike_arcsec * math.sqrt(2.0 * math.pi) * _SPIKE_WIDTH_ARCSEC)
        for length, width in ((along, across), (across, along)):
            falling = np.exp(-np.abs(length) / self.spike_arcsec)
            out += normal * falling * np.exp(-0.5 * (width / _SPIKE_WIDTH_ARCSEC) ** 2)
        return out


def draw_halo(star: StarLight, *, rng: np.random.Generator) -> StarHalo:
    """Aureole and spikes of a star.

    Parameters
    ----------
    star : StarLight
    rng : numpy.random.Generator

    Returns
    -------
    StarHalo
    """
    # mostly a plus sign, as the vanes are mounted; rotators turn it
    angle = rng.normal(0.0, 0.05) if rng.random() < 0.6 else rng.uniform(0.0, 0.5 * math.pi)
    return StarHalo(
        star.x_arcsec, star.y_arcsec, star.mags, aureole_share=rng.uniform(0.02, 0.05),
        spike_share=rng.uniform(0.006, 0.02), spike_arcsec=rng.uniform(2.5, 6.0), angle_rad=angle,
    )  # fmt: skip


def draw_ghost(survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """A ghost whose rim or disc reaches into the image.

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
    radius = math.exp(rng.uniform(math.log(2.5), math.log(30.0)))
    away = rng.uniform(0.0, radius + 0.35 * side_arcsec)
    direction = rng.uniform(0.0, 2.0 * math.pi)
    brightness = math.exp(rng.uniform(math.log(1.0), math.log(6.0)))
    ghost = Ghost(
        x_arcsec=away * math.cos(direction),
        y_arcsec=away * math.sin(direction),
        radius_arcsec=radius,
        hole_share=float(rng.choice((0.0, 1.0))) * rng.uniform(0.3, 0.75),
        # coatings differ: a ghost has a colour of its own
        brightness_sigma=tuple(float(brightness * factor) for factor in rng.uniform(0.1, 1.0, len(survey.bands))),
        soft_arcsec=rng.uniform(0.3, 1.0),
    )
    return (ghost,)


def draw_star_halo(survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """Halo and spikes of a star just beyond the edge; arguments as of ``draw_ghost``."""
    beyond = 0.5 * side_arcsec + rng.uniform(0.5, 8.0)
    along = rng.uniform(-0.5, 0.5) * side_arcsec
    x, y = ((beyond, along), (-beyond, along), (along, beyond), (along, -beyond))[int(rng.integers(4))]
    star = StarLight(x, y, stellar_mags(rng.uniform(9.5, 13.0), rng.uniform(0.3, 1.4)))
    return (draw_halo(star, rng=rng),)
