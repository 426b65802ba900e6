"""What a detector leaves in an image: cosmic rays, bad columns, saturation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lensdetect.simulation.scene import Glitch
from lensdetect.simulation.sky.frame import axis_arcsec, in_some_bands, window
from lensdetect.survey import Survey

#: How far from its position the peak of a saturated core is looked for, in arcsec.
_CORE_ARCSEC = 1.0


@dataclass(frozen=True)
class CosmicRay(Glitch):
    """What is left of a cosmic ray: a track as sharp as the pixels, in one band.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        Where it begins, from the middle of the image.
    angle_rad : float
        Its direction.
    length_pix : float
        Its length; below 1 a single pixel.
    peak_sigma : tuple of float
        Mean brightness in each band, in sky sigma.
    """

    name: ClassVar[str] = "cosmic_ray"
    before_sky: ClassVar[bool] = False

    x_arcsec: float
    y_arcsec: float
    angle_rad: float
    length_pix: float
    peak_sigma: tuple[float, ...]

    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Add the track, of uneven brightness; see ``Glitch``."""
        height, width = pixels.shape[:2]
        steps = np.arange(0.0, max(self.length_pix, 0.5), 0.5)
        column = self.x_arcsec / survey.pixel_scale_arcsec + 0.5 * (width - 1) + steps * math.cos(self.angle_rad)
        row = self.y_arcsec / survey.pixel_scale_arcsec + 0.5 * (height - 1) + steps * math.sin(self.angle_rad)
        track = np.unique(np.rint(np.stack([row, column])).astype(int), axis=1)
        uneven = rng.gamma(4.0, 0.25, track.shape[1])
        inside = (track[0] >= 0) & (track[0] < height) & (track[1] >= 0) & (track[1] < width)
        peaks = np.asarray(self.peak_sigma) * noise_sigma
        pixels[track[0][inside], track[1][inside]] += (uneven[inside, None] * peaks).astype(np.float32)


@dataclass(frozen=True)
class BadColumn(Glitch):
    """A column (or row) that is too bright, too dark or dead, from some pixel to the edge.

    Parameters
    ----------
    position_arcsec : float
        Of the column, from the middle of the image.
    start_arcsec : float
        Where along it the fault begins.
    width_pix : int
        How many columns.
    offset_sigma : tuple of float
        What is added in each band, in sky sigma; NaN for dead.
    is_row : bool
        Whether it runs along x.
    """

    name: ClassVar[str] = "bad_column"
    before_sky: ClassVar[bool] = False

    position_arcsec: float
    start_arcsec: float
    width_pix: int
    offset_sigma: tuple[float, ...]
    is_row: bool = False

    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Add the fault; see ``Glitch``."""
        turned = pixels.swapaxes(0, 1) if self.is_row else pixels
        height, width = turned.shape[:2]
        first = math.floor(self.position_arcsec / survey.pixel_scale_arcsec + 0.5 * (width - 1))
        columns = slice(max(first, 0), max(first + self.width_pix, 0))
        rows = axis_arcsec(height, survey) >= self.start_arcsec
        turned[rows, columns] += (np.asarray(self.offset_sigma) * noise_sigma).astype(np.float32)


@dataclass(frozen=True)
class SaturatedCore(Glitch):
    """The middle of something too bright: a flat top, and charge that ran along the column.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        Where, from the middle of the image.
    level_share : tuple of float
        Of each band, the part of the peak that the well holds; 1 where nothing saturates.
    bleed_arcsec : float
        How far the charge ran, up and down.
    as_nan : bool
        Whether the survey masks saturated pixels.
    """

    name: ClassVar[str] = "saturated_core"
    before_sky: ClassVar[bool] = False

    x_arcsec: float
    y_arcsec: float
    level_share: tuple[float, ...]
    bleed_arcsec: float
    as_nan: bool = False

    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Cut the peak off; see ``Glitch``."""
        reach = self.bleed_arcsec + _CORE_ARCSEC
        view, dx, dy = window(pixels, survey, x_arcsec=self.x_arcsec, y_arcsec=self.y_arcsec, reach_arcsec=reach)
        core = np.hypot(dx, dy) <= _CORE_ARCSEC
        column = (np.abs(dx) <= survey.pixel_scale_arcsec) & (np.abs(dy) <= self.bleed_arcsec)
        for number, share in enumerate(self.level_share):
            plane = view[..., number]
            if share >= 1.0 or not np.isfinite(plane[core]).any():
                continue
            level = share * float(np.nanmax(plane[core]))
            full = (plane > level) | (column & np.isfinite(plane))
            plane[full] = np.nan if self.as_nan else level


def draw_cosmic_rays(survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """One to three tracks, all in one band.

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
    hit = in_some_bands(survey, 1.0, bands=1, rng=rng)
    rays = []
    for _ in range(int(rng.integers(1, 4))):
        peak = math.exp(rng.uniform(math.log(6.0), math.log(150.0)))
        rays.append(
            CosmicRay(
                x_arcsec=rng.uniform(-0.5, 0.5) * side_arcsec,
                y_arcsec=rng.uniform(-0.5, 0.5) * side_arcsec,
                angle_rad=rng.uniform(0.0, 2.0 * math.pi),
                length_pix=min(rng.exponential(6.0), 40.0),
                peak_sigma=tuple(peak * band for band in hit),
            )
        )
    return tuple(rays)


def draw_bad_column(survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """A column or a row, bright, dark or dead, in one band; arguments as of ``draw_cosmic_rays``."""
    style = rng.random()
    offset = math.nan if style < 0.25 else float(rng.choice((-1.0, 1.0))) * math.exp(rng.uniform(0.7, 3.4))
    whole = rng.random() < 0.5
    fault = BadColumn(
        position_arcsec=rng.uniform(-0.5, 0.5) * side_arcsec,
        start_arcsec=-side_arcsec if whole else rng.uniform(-0.5, 0.4) * side_arcsec,
        width_pix=int(rng.integers(1, 4)),
        offset_sigma=in_some_bands(survey, offset, bands=1, rng=rng),
        is_row=rng.random() < 0.3,
    )
    return (fault,)


def draw_saturated_core(survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> tuple[Glitch, ...]:
    """A flat top on what stands in the middle, in one band or two; arguments as of ``draw_cosmic_rays``."""
    level = rng.uniform(0.15, 0.6)
    cut = in_some_bands(survey, 1.0 - level, bands=int(rng.integers(1, 3)), rng=rng)
    core = SaturatedCore(
        x_arcsec=0.0,
        y_arcsec=0.0,
        level_share=tuple(1.0 - part for part in cut),
        bleed_arcsec=rng.uniform(0.5, 6.0),
        as_nan=rng.random() < 0.35,
    )
    return (core,)
