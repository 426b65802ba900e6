"""Trails through a whole tile, painted in small windows along them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from lensdetect.simulation.sky.trails import AeroplaneTrail, SatelliteTrail
from lensdetect.simulation.tiles.layout import Tile
from lensdetect.survey import Survey

#: Glitches that run through the whole tile; they are relative to its middle.
Trail = SatelliteTrail | AeroplaneTrail

#: Rows of a window: few, since only columns near the trail are painted.
_WINDOW_ROWS = 128

#: Trails are painted out to this many of their standard deviations.
_REACH = 5.0


def paint_trail(
    trail: Trail, pixels: np.ndarray, *, first_row: int, tile: Tile, survey: Survey, noise_sigma: np.ndarray, rng
) -> None:
    """Paint the part of a trail that runs through some rows of a tile.

    A trail that flashes or tumbles counts its phase from the middle of the
    image that it is painted on; so that windows fit together, each is painted
    on an image whose middle lies a whole number of periods along the trail.

    Parameters
    ----------
    trail : Trail
    pixels : ndarray
        float32 ``(rows, width, band)``; changed in place.
    first_row : int
        Of the tile.
    tile : Tile
    survey : Survey
    noise_sigma : ndarray
        ``(band,)``.
    rng : numpy.random.Generator
    """
    for rows, columns in _windows(trail, len(pixels), first_row=first_row, tile=tile):
        view = pixels[rows, columns]
        middle = (
            (columns.start + 0.5 * (view.shape[1] - 1) - 0.5 * (tile.width - 1)) * tile.pixel_scale_arcsec,
            (first_row + rows.start + 0.5 * (len(view) - 1) - 0.5 * (tile.height - 1)) * tile.pixel_scale_arcsec,
        )
        more_rows, more_columns = _extension(trail, middle, scale=tile.pixel_scale_arcsec)
        x = middle[0] + 0.5 * more_columns * tile.pixel_scale_arcsec
        y = middle[1] + 0.5 * more_rows * tile.pixel_scale_arcsec
        offset = trail.offset_arcsec - (math.cos(trail.angle_rad) * y - math.sin(trail.angle_rad) * x)
        canvas = np.zeros((len(view) + more_rows, view.shape[1] + more_columns, view.shape[2]), np.float32)
        dataclasses.replace(trail, offset_arcsec=offset).paint(canvas, survey=survey, noise_sigma=noise_sigma, rng=rng)
        view += canvas[: len(view), : view.shape[1]]


def half_width_arcsec(trail: Trail, *, deviations: float) -> float:
    """Half the width of a trail, to some standard deviations of its lines."""
    return deviations * trail.width_arcsec + 0.5 * getattr(trail, "gap_arcsec", 0.0)


def _windows(trail: Trail, height: int, *, first_row: int, tile: Tile) -> Iterator[tuple[slice, slice]]:
    """Rows and columns about a trail, a few rows each."""
    scale = tile.pixel_scale_arcsec
    sine = math.copysign(max(abs(math.sin(trail.angle_rad)), 1e-9), math.sin(trail.angle_rad))
    reach = half_width_arcsec(trail, deviations=_REACH) / abs(sine)
    for start in range(0, height, _WINDOW_ROWS):
        rows = slice(start, min(start + _WINDOW_ROWS, height))
        y = (np.array([rows.start, rows.stop - 1]) + first_row - 0.5 * (tile.height - 1)) * scale
        # cosine y - sine x - offset is 0 on the trail
        x = (math.cos(trail.angle_rad) * y - trail.offset_arcsec) / sine
        ends = np.array([x.min() - reach, x.max() + reach]) / scale + 0.5 * (tile.width - 1)
        low, high = np.clip(ends, 0.0, tile.width)
        if math.floor(low) < math.ceil(high):
            yield rows, slice(math.floor(low), math.ceil(high))


def _extension(trail: Trail, middle_arcsec: tuple[float, float], *, scale: float) -> tuple[int, int]:
    """Rows and columns to add to a window so that its middle is a whole number of periods along the trail."""
    period = trail.dash_arcsec if isinstance(trail, AeroplaneTrail) else trail.period_arcsec
    cosine, sine = math.cos(trail.angle_rad), math.sin(trail.angle_rad)
    along = cosine * middle_arcsec[0] + sine * middle_arcsec[1]
    by = cosine if abs(cosine) > abs(sine) else sine
    more = round(2.0 * (-along * math.copysign(1.0, by) % period) / (scale * abs(by)))
    return (0, more) if by is cosine else (more, 0)
