"""Light in a tile that is not on the sky: trails, ghosts, cosmic rays, holes in the sky."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.scene import Glitch
from lensdetect.simulation.sky.detector import draw_cosmic_rays
from lensdetect.simulation.sky.optics import StarHalo, draw_ghost
from lensdetect.simulation.sky.reduction import draw_sky_hole
from lensdetect.simulation.sky.trails import draw_aeroplane_trail, draw_satellite_trails
from lensdetect.simulation.tiles.layout import Tile
from lensdetect.simulation.tiles.light import moved
from lensdetect.simulation.tiles.rates import TileRates
from lensdetect.simulation.tiles.trails import Trail, half_width_arcsec, paint_trail
from lensdetect.survey import Survey

#: Aureoles are painted out to where they are fainter than this, in sky sigma of one pixel.
_HALO_SIGMA = 0.02

#: Farthest that an aureole is followed.
_FARTHEST_HALO_PIX = 1500

#: Side of the place for which a ghost, a hole or a cosmic ray is drawn, and how far they reach from its middle.
_PLACE_ARCSEC, _GHOST_ARCSEC, _HOLE_ARCSEC, _RAY_ARCSEC = 20.0, 80.0, 30.0, 20.0


@dataclass(frozen=True)
class Placed:
    """A glitch in a tile.

    Parameters
    ----------
    glitch : Glitch
    x_pix, y_pix : float
        Where in the tile its own origin is.
    reach_pix : float
        How far it reaches from there.
    """

    glitch: Glitch
    x_pix: float
    y_pix: float
    reach_pix: float


def draw_tile_glitches(rates: TileRates, tile: Tile, *, survey: Survey, rng: np.random.Generator) -> list[Placed]:
    """Draw trails, ghosts, cosmic rays and sky holes of one tile.

    Parameters
    ----------
    rates : TileRates
    tile : Tile
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    list of Placed
    """
    arcmin2 = tile.height * tile.width * (tile.pixel_scale_arcsec / 60.0) ** 2
    side = min(tile.height, tile.width) * tile.pixel_scale_arcsec
    middle = 0.5 * (tile.width - 1), 0.5 * (tile.height - 1)
    placed = []
    for draw, mean in ((draw_satellite_trails, rates.satellite_trails), (draw_aeroplane_trail, rates.aeroplane_trails)):
        for _ in range(rng.poisson(mean)):
            placed += [Placed(trail, *middle, math.inf) for trail in draw(survey, side_arcsec=side, rng=rng)]
    for draw, density, reach_arcsec in (
        (draw_cosmic_rays, rates.cosmic_rays_per_arcmin2, _RAY_ARCSEC),
        (draw_ghost, rates.ghosts_per_arcmin2, _GHOST_ARCSEC),
        (draw_sky_hole, rates.sky_holes_per_arcmin2, _HOLE_ARCSEC),
    ):
        for _ in range(rng.poisson(density * arcmin2)):
            place = float(rng.uniform(0.0, tile.width)), float(rng.uniform(0.0, tile.height))
            drawn = draw(survey, side_arcsec=_PLACE_ARCSEC, rng=rng)
            placed += [Placed(glitch, *place, reach_arcsec / tile.pixel_scale_arcsec) for glitch in drawn]
    return placed


def place_halo(halo: StarHalo, x_pix: float, y_pix: float, *, survey: Survey, noise_sigma: np.ndarray) -> Placed:
    """A star's halo in a tile, with how far it can be seen."""
    aureole = max(aureole_radii_pix(halo, survey, noise_sigma=noise_sigma, level_sigma=_HALO_SIGMA))
    # a spike falls by e over its length: to 5e-5 over ten of them
    return Placed(halo, x_pix, y_pix, max(aureole, 10.0 * halo.spike_arcsec / survey.pixel_scale_arcsec))


def aureole_radii_pix(halo: StarHalo, survey: Survey, *, noise_sigma: np.ndarray, level_sigma: float) -> np.ndarray:
    """Radius at which a star's aureole falls below some level.

    Parameters
    ----------
    halo : StarHalo
    survey : Survey
    noise_sigma : ndarray
        ``(band,)``.
    level_sigma : float
        In sky sigma of one pixel.

    Returns
    -------
    ndarray
        ``(band,)``, in pixels.
    """
    row = np.zeros((1, _FARTHEST_HALO_PIX, len(survey.bands)), np.float32)
    left = -0.5 * (_FARTHEST_HALO_PIX - 1) * survey.pixel_scale_arcsec
    bare = dataclasses.replace(halo, x_arcsec=left, y_arcsec=0.0, spike_share=0.0)
    bare.paint(row, survey=survey, noise_sigma=noise_sigma, rng=np.random.default_rng(0))
    return np.sum(row[0] > level_sigma * np.asarray(noise_sigma), axis=0)


def paint(
    placed: Placed, pixels: np.ndarray, *, first_row: int, tile: Tile, survey: Survey, noise_sigma: np.ndarray, rng
) -> None:
    """Paint the part of a glitch that falls into some rows of a tile.

    Parameters
    ----------
    placed : Placed
    pixels : ndarray
        float32 ``(rows, width, band)``; changed in place.
    first_row : int
        Of the tile.
    tile : Tile
    survey : Survey
    noise_sigma : ndarray
        ``(band,)``.
    rng : numpy.random.Generator
        In the same state for all parts of one glitch.
    """
    how = {"survey": survey, "noise_sigma": noise_sigma, "rng": rng}
    if isinstance(placed.glitch, Trail):
        paint_trail(placed.glitch, pixels, first_row=first_row, tile=tile, **how)
        return
    rows = _span(placed.y_pix - first_row, placed.reach_pix, len(pixels))
    columns = _span(placed.x_pix, placed.reach_pix, tile.width)
    view = pixels[rows, columns]
    if view.size:
        dx = placed.x_pix - 0.5 * (columns.start + columns.stop - 1)
        dy = placed.y_pix - first_row - 0.5 * (rows.start + rows.stop - 1)
        scale = survey.pixel_scale_arcsec
        moved(placed.glitch, dx * scale, dy * scale).paint(view, **how)


def _span(middle: float, reach: float, length: int) -> slice:
    """Pixels within reach of a position along one side."""
    low, high = math.floor(middle - reach), math.ceil(middle + reach) + 1
    return slice(min(max(low, 0), length), min(max(high, 0), length))


def touches(placed: Placed, x_pix: np.ndarray, *, y_pix: np.ndarray, half_pix: float, survey: Survey) -> np.ndarray:
    """Which square cutouts a glitch reaches into.

    Parameters
    ----------
    placed : Placed
    x_pix, y_pix : ndarray
        Middles of the cutouts.
    half_pix : float
        Half their side.
    survey : Survey

    Returns
    -------
    ndarray
        bool ``(n,)``.
    """
    dx, dy = np.asarray(x_pix) - placed.x_pix, np.asarray(y_pix) - placed.y_pix
    glitch, scale = placed.glitch, survey.pixel_scale_arcsec
    if isinstance(glitch, Trail):
        cosine, sine = math.cos(glitch.angle_rad), math.sin(glitch.angle_rad)
        across = np.abs((cosine * dy - sine * dx) * scale - glitch.offset_arcsec)
        corner = half_pix * scale * (abs(cosine) + abs(sine))
        return across <= corner + half_width_arcsec(glitch, deviations=2.0)
    away_x, away_y = dx - glitch.x_arcsec / scale, dy - glitch.y_arcsec / scale
    size = getattr(glitch, "length_pix", getattr(glitch, "radius_arcsec", 0.0) / scale)
    return np.hypot(np.maximum(np.abs(away_x) - half_pix, 0.0), np.maximum(np.abs(away_y) - half_pix, 0.0)) <= size
