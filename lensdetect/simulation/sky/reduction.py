"""What the making of a survey image leaves in it: shifted bands, holes in the sky, steps in depth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from lensdetect.simulation.scene import Glitch
from lensdetect.simulation.sky.frame import in_some_bands, row_blocks, window
from lensdetect.survey import Survey


@dataclass(frozen=True)
class Misaligned(Glitch):
    """Bands that do not lie on each other.

    Parameters
    ----------
    shift_x_pix, shift_y_pix : tuple of float
        By how many pixels each band is shifted.
    """

    name: ClassVar[str] = "misaligned"

    shift_x_pix: tuple[float, ...]
    shift_y_pix: tuple[float, ...]

    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Shift the bands by cubic splines; masked pixels stay where they are; see ``Glitch``."""
        for number, shift in enumerate(zip(self.shift_y_pix, self.shift_x_pix, strict=True)):
            plane = pixels[..., number]
            known = np.isfinite(plane)
            if shift == (0.0, 0.0) or not known.any():
                continue
            # a spline carries one NaN into every pixel
            filled = np.where(known, plane, np.median(plane[known]))
            plane[known] = ndimage.shift(filled, shift, order=3, mode="nearest")[known]


@dataclass(frozen=True)
class SkyHole(Glitch):
    """A trough around something bright whose outskirts were taken for sky.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        The bright thing, from the middle of the image.
    radius_arcsec : float
        Where the trough is deepest; within, less was taken.
    depth_sigma : tuple of float
        What is missing there in each band, in sky sigma of one pixel.
    """

    name: ClassVar[str] = "sky_hole"

    x_arcsec: float
    y_arcsec: float
    radius_arcsec: float
    depth_sigma: tuple[float, ...]

    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Take the sky away; see ``Glitch``."""
        reach = 3.5 * self.radius_arcsec
        view, dx, dy = window(pixels, survey, x_arcsec=self.x_arcsec, y_arcsec=self.y_arcsec, reach_arcsec=reach)
        radius = np.hypot(dx, dy) / self.radius_arcsec
        # a smooth bowl: half deep in the middle, deepest at its radius, nothing from the reach on
        shape = np.where(radius < 1.0, 0.75 - 0.25 * np.cos(math.pi * radius), np.exp(-0.9 * (radius - 1.0) ** 2))
        view -= shape[..., None].astype(np.float32) * (np.asarray(self.depth_sigma, np.float32) * noise_sigma)


@dataclass(frozen=True)
class DepthStep(Glitch):
    """An edge beyond which fewer exposures were stacked: more noise, and a sky that does not quite match.

    Parameters
    ----------
    offset_arcsec : float
        Distance of the edge from the middle of the image.
    angle_rad : float
        Direction of the edge; the shallower side is to its left.
    noise_factor : tuple of float
        Sky sigma of each band on the shallower side over that on the other, 1 or more.
    level_sigma : tuple of float
        By how much the sky is off there, in sky sigma.
    """

    name: ClassVar[str] = "depth_step"
    before_sky: ClassVar[bool] = False

    offset_arcsec: float
    angle_rad: float
    noise_factor: tuple[float, ...]
    level_sigma: tuple[float, ...]

    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Add the missing noise, white, and the level; see ``Glitch``."""
        extra = np.sqrt(np.square(self.noise_factor) - 1.0) * noise_sigma
        level = np.asarray(self.level_sigma) * noise_sigma
        for view, x, y in row_blocks(pixels, survey):
            side = math.cos(self.angle_rad) * y - math.sin(self.angle_rad) * x > self.offset_arcsec
            for number in np.flatnonzero((extra > 0.0) | (level != 0.0)):
                noise = rng.standard_normal(int(side.sum()), np.float32)
                view[side, number] += (level[number] + extra[number] * noise).astype(np.float32)


def draw_misaligned(survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """One band shifted by half a pixel to two.

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
    by, direction = rng.uniform(0.5, 2.0), rng.uniform(0.0, 2.0 * math.pi)
    shifted = in_some_bands(survey, by, bands=1, rng=rng)
    x = tuple(one * math.cos(direction) for one in shifted)
    y = tuple(one * math.sin(direction) for one in shifted)
    return (Misaligned(x, y),)


def draw_sky_hole(survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """A trough around the middle or around something else; arguments as of ``draw_misaligned``."""
    centred = rng.random() < 0.6
    reach = 0.0 if centred else 0.4 * side_arcsec
    depth = rng.uniform(0.6, 2.5)
    hole = SkyHole(
        x_arcsec=rng.uniform(-1.0, 1.0) * reach,
        y_arcsec=rng.uniform(-1.0, 1.0) * reach,
        radius_arcsec=rng.uniform(2.5, 6.0),
        depth_sigma=tuple(float(depth * factor) for factor in rng.uniform(0.2, 1.0, len(survey.bands))),
    )
    return (hole,)


def draw_depth_step(survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """An edge through one band, along rows or columns; arguments as of ``draw_misaligned``."""
    hit = in_some_bands(survey, 1.0, bands=1, rng=rng)
    factor, level = rng.uniform(1.3, 2.3), rng.normal(0.0, 0.3)
    step = DepthStep(
        offset_arcsec=rng.uniform(-0.45, 0.45) * side_arcsec,
        angle_rad=float(rng.integers(4)) * 0.5 * math.pi + rng.normal(0.0, 0.02),
        noise_factor=tuple(factor if one else 1.0 for one in hit),
        level_sigma=tuple(level if one else 0.0 for one in hit),
    )
    return (step,)
