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
from lensdetect.simulation.sky.trails import AeroplaneTrail, SatelliteTrail, draw_aeroplane_trail, draw_satellite_trails
from lensdetect.simulation.tiles.layout import Tile
from lensdetect.simulation.tiles.light import moved
from lensdetect.simulation.tiles.rates import TileRates
from lensdetect.survey import Survey

#: Glitches that run through the whole tile.
Trail = SatelliteTrail | AeroplaneTrail

#: Rows that a satellite's trail is painted in at once: few, since only columns near it are touched.
_TRAIL_ROWS = 128

#: Trails end where they have fallen to this many of their standard deviations.
_TRAIL_REACH = 5.0

#: Aureoles are painted out to where they are fainter than this, in sky sigma of one pixel.
_HALO_SIGMA = 0.02


@dataclass(frozen=True)
class Placed:
    """A glitch in a tile.

    Parameters
    ----------
    glitch : Glitch
        Trails are relative to the middle of the tile; all others stand at their own origin.
    x_pix, y_pix : float
        Where that origin is in the tile.
    reach_pix : float
        How far it reaches from there.
    """

    glitch: Glitch
    x_pix: float
    y_pix: float
    reach_pix: float


def draw_tile_glitches(
    rates: TileRates, tile: Tile, *, survey: Survey, rng: np.random.Generator
) -> tuple[Placed, ...]:
    """Draw trails, ghosts, cosmic rays and sky holes of one tile.

    Parameters
    ----------
    rates : TileRates
    tile : Tile
    survey : Survey
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Placed
    """
    arcmin2 = tile.height * tile.width * (tile.pixel_scale_arcsec / 60.0) ** 2
    side = min(tile.height, tile.width) * tile.pixel_scale_arcsec
    glitches: list[Glitch] = []
    for draw, mean in ((draw_satellite_trails, rates.satellite_trails), (draw_aeroplane_trail, rates.aeroplane_trails)):
        for _ in range(rng.poisson(mean)):
            glitches += [_even(trail) for trail in draw(survey, side_arcsec=side, rng=rng)]
    placed = [Placed(trail, 0.5 * (tile.width - 1), 0.5 * (tile.height - 1), math.inf) for trail in glitches]
    for draw, density, reach_arcsec in (
        (draw_cosmic_rays, rates.cosmic_rays_per_arcmin2, 18.0),
        (draw_ghost, rates.ghosts_per_arcmin2, 70.0),
        (draw_sky_hole, rates.sky_holes_per_arcmin2, 25.0),
    ):
        for _ in range(rng.poisson(density * arcmin2)):
            x, y = rng.uniform(0.0, tile.width), rng.uniform(0.0, tile.height)
            for glitch in draw(survey, side_arcsec=20.0, rng=rng):
                placed.append(Placed(glitch, float(x), float(y), reach_arcsec / tile.pixel_scale_arcsec))
    return tuple(placed)


def _even(trail: Trail) -> Trail:
    """A satellite that does not tumble: its trail is the same wherever along it one starts to paint."""
    return dataclasses.replace(trail, flicker=0.0) if isinstance(trail, SatelliteTrail) else trail


def place_halo(halo: StarHalo, x_pix: float, y_pix: float, *, survey: Survey, noise_sigma: np.ndarray) -> Placed:
    """A star's halo, with how far it can be seen."""
    radius = max(halo_radius_arcsec(halo, survey, noise_sigma=noise_sigma, level_sigma=_HALO_SIGMA))
    reach = max(radius, 10.0 * halo.spike_arcsec)
    return Placed(halo, x_pix, y_pix, reach / survey.pixel_scale_arcsec)


def halo_radius_arcsec(
    halo: StarHalo, survey: Survey, *, noise_sigma: np.ndarray, level_sigma: float
) -> tuple[float, ...]:
    """Radius at which a star's aureole falls to some level in each band.

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
    tuple of float
        0 where it is fainter everywhere.
    """
    radii = []
    axis = np.geomspace(0.1, 300.0, 400)
    probe = dataclasses.replace(halo, x_arcsec=0.0, y_arcsec=0.0, spike_share=0.0)
    for band, sigma in enumerate(noise_sigma):
        seen = probe.brightness_of_band(axis, survey=survey, band=band) > level_sigma * sigma
        radii.append(float(axis[seen].max(initial=0.0)))
    return tuple(radii)


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
    glitch = placed.glitch
    if isinstance(glitch, AeroplaneTrail):
        windows = [(slice(0, len(pixels)), slice(0, tile.width))]
    elif isinstance(glitch, SatelliteTrail):
        windows = _along_trail(glitch, len(pixels), first_row=first_row, tile=tile)
    else:
        windows = [_around(placed, len(pixels), first_row=first_row, width=tile.width)]
    for rows, columns in windows:
        if rows.start < rows.stop and columns.start < columns.stop:
            view = pixels[rows, columns]
            shifted = _seen_from(placed, first_row + 0.5 * (rows.start + rows.stop - 1), columns, survey)
            shifted.paint(view, survey=survey, noise_sigma=noise_sigma, rng=rng)


def _around(placed: Placed, height: int, *, first_row: int, width: int) -> tuple[slice, slice]:
    """Rows and columns that a glitch reaches."""
    spans = []
    for middle, length in ((placed.y_pix - first_row, height), (placed.x_pix, width)):
        low, high = math.floor(middle - placed.reach_pix), math.ceil(middle + placed.reach_pix) + 1
        spans.append(slice(min(max(low, 0), length), min(max(high, 0), length)))
    return spans[0], spans[1]


def _along_trail(trail: SatelliteTrail, height: int, *, first_row: int, tile: Tile) -> list[tuple[slice, slice]]:
    """Windows about a trail, a few rows each."""
    scale = tile.pixel_scale_arcsec
    cosine, sine = math.cos(trail.angle_rad), math.sin(trail.angle_rad)
    windows = []
    for start in range(0, height, _TRAIL_ROWS):
        rows = slice(start, min(start + _TRAIL_ROWS, height))
        y = (np.array([rows.start, rows.stop - 1]) + first_row - 0.5 * (tile.height - 1)) * scale
        # across = cosine y - sine x - offset is 0 on the trail
        middle = (cosine * y - trail.offset_arcsec) / math.copysign(max(abs(sine), 1e-9), sine)
        reach = _TRAIL_REACH * trail.width_arcsec / max(abs(sine), 1e-9)
        ends = (np.array([middle.min() - reach, middle.max() + reach]) / scale) + 0.5 * (tile.width - 1)
        low, high = np.clip(ends, 0.0, tile.width)
        windows.append((rows, slice(math.floor(low), math.ceil(high))))
    return windows


def _seen_from(placed: Placed, middle_row: float, columns: slice, survey: Survey) -> Glitch:
    """A glitch in arcsec from the middle of a window, as it is painted."""
    scale = survey.pixel_scale_arcsec
    dx = (placed.x_pix - 0.5 * (columns.start + columns.stop - 1)) * scale
    dy = (placed.y_pix - middle_row) * scale
    glitch = placed.glitch
    if isinstance(glitch, Trail):
        across = math.cos(glitch.angle_rad) * dy - math.sin(glitch.angle_rad) * dx
        return dataclasses.replace(glitch, offset_arcsec=glitch.offset_arcsec + across)
    return moved(glitch, dx, dy)


def touches(placed: Placed, x_pix: np.ndarray, y_pix: np.ndarray, *, half_pix: float, survey: Survey) -> np.ndarray:
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
        wide = 2.0 * glitch.width_arcsec + 0.5 * getattr(glitch, "gap_arcsec", 0.0)
        return across <= half_pix * scale * (abs(cosine) + abs(sine)) + wide
    away_x, away_y = dx - glitch.x_arcsec / scale, dy - glitch.y_arcsec / scale
    size = getattr(glitch, "length_pix", getattr(glitch, "radius_arcsec", 0.0) / scale)
    return np.hypot(np.maximum(np.abs(away_x) - half_pix, 0.0), np.maximum(np.abs(away_y) - half_pix, 0.0)) <= size
