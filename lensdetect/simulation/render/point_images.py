"""Where the images of a lensed point are, and how bright: quasars."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.render.deflection import farthest_image_arcsec, ray_jacobian, trace_rays
from lensdetect.simulation.scene import IsothermalMass

#: Points along the side of the first grid, from whose triangles the search starts.
_GRID_POINTS = 160

#: Newton's method: most steps, longest step, and how well an image has to be on the source.
_MOST_STEPS, _LONGEST_STEP_ARCSEC, _CLOSE_ARCSEC = 40, 0.1, 1e-8

#: Two solutions nearer than this are one image.
_SAME_ARCSEC = 1e-5


@dataclass(frozen=True)
class PointImage:
    """One image of a point source.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        Position.
    magnification : float
        Flux over that without lensing; not signed.
    """

    x_arcsec: float
    y_arcsec: float
    magnification: float


def find_images(
    x_arcsec: float, y_arcsec: float, *, masses: tuple[IsothermalMass, ...], shear: tuple[float, float]
) -> list[PointImage]:
    """Images of a point source, brightest first.

    The image plane is divided into triangles; where a traced triangle holds the
    source, or a grid point is nearer to it than all its neighbours, Newton's method
    goes on from there. Centres of isothermal masses have no image of their own.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        Position without lensing.
    masses : tuple of IsothermalMass
    shear : tuple of float
        As for ``trace_rays``.

    Returns
    -------
    list of PointImage
    """
    offset = math.hypot(x_arcsec - masses[0].x_arcsec, y_arcsec - masses[0].y_arcsec)
    reach = farthest_image_arcsec(offset, masses=masses, shear=shear)
    axis = np.linspace(-1.02 * reach, 1.02 * reach, _GRID_POINTS)
    x, y = np.meshgrid(axis + masses[0].x_arcsec, axis + masses[0].y_arcsec)
    beta_x, beta_y = trace_rays(x, y, masses=masses, shear=shear)
    to_x, to_y = beta_x - x_arcsec, beta_y - y_arcsec
    start = _around_source(to_x, to_y) | _nearest(to_x * to_x + to_y * to_y)
    half = 0.5 * (axis[1] - axis[0])
    roots = _polish(
        x[:-1, :-1][start] + half, y[:-1, :-1][start] + half, source=(x_arcsec, y_arcsec), masses=masses, shear=shear
    )
    return _distinct(*roots, masses=masses, shear=shear)


def _around_source(to_x: np.ndarray, to_y: np.ndarray) -> np.ndarray:
    """Grid squares with a triangle around the origin, given the corners' vectors from it."""

    def turn(first: tuple[slice, slice], second: tuple[slice, slice]) -> np.ndarray:
        return to_x[first] * to_y[second] > to_y[first] * to_x[second]

    low, high = slice(None, -1), slice(1, None)
    corners = (low, low), (low, high), (high, high), (high, low)
    diagonal = turn(corners[2], corners[0])
    lower = (turn(corners[0], corners[1]) == diagonal) & (turn(corners[1], corners[2]) == diagonal)
    upper = (turn(corners[2], corners[3]) != diagonal) & (turn(corners[3], corners[0]) != diagonal)
    return lower | upper


def _nearest(distance: np.ndarray) -> np.ndarray:
    """Grid squares whose first corner is nearer to the source than all eight neighbours."""
    inner = distance[1:-1, 1:-1]
    least = np.ones_like(inner, bool)
    for row in (0, 1, 2):
        for column in (0, 1, 2):
            least &= inner <= distance[row : row + len(inner), column : column + len(inner)]
    return np.pad(least, ((1, 0), (1, 0)))


def _polish(
    x: np.ndarray,
    y: np.ndarray,
    *,
    source: tuple[float, float],
    masses: tuple[IsothermalMass, ...],
    shear: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Newton's method from all starting points at once; those that arrive."""
    for _ in range(_MOST_STEPS):
        miss_x, miss_y = _miss(x, y, source=source, masses=masses, shear=shear)
        a_xx, a_xy, a_yy = ray_jacobian(x, y, masses=masses, shear=shear)
        determinant = a_xx * a_yy - a_xy * a_xy
        determinant = np.where(np.abs(determinant) < 1e-12, 1e-12, determinant)
        step_x = (a_yy * miss_x - a_xy * miss_y) / determinant
        step_y = (a_xx * miss_y - a_xy * miss_x) / determinant
        # towards a critical curve steps grow without bound
        shorter = np.minimum(1.0, _LONGEST_STEP_ARCSEC / np.maximum(np.hypot(step_x, step_y), 1e-30))
        x, y = x - step_x * shorter, y - step_y * shorter
    miss_x, miss_y = _miss(x, y, source=source, masses=masses, shear=shear)
    there = np.hypot(miss_x, miss_y) < _CLOSE_ARCSEC
    return x[there], y[there]


def _miss(x: np.ndarray, y: np.ndarray, *, source: tuple[float, float], masses, shear) -> tuple[np.ndarray, np.ndarray]:
    """By how much rays miss the source."""
    beta_x, beta_y = trace_rays(x, y, masses=masses, shear=shear)
    return beta_x - source[0], beta_y - source[1]


def _distinct(
    x: np.ndarray, y: np.ndarray, *, masses: tuple[IsothermalMass, ...], shear: tuple[float, float]
) -> list[PointImage]:
    """Each image once, brightest first."""
    a_xx, a_xy, a_yy = ray_jacobian(x, y, masses=masses, shear=shear)
    magnification = 1.0 / np.maximum(np.abs(a_xx * a_yy - a_xy * a_xy), 1e-12)
    images: list[PointImage] = []
    for number in np.argsort(-magnification):
        image = PointImage(float(x[number]), float(y[number]), float(magnification[number]))
        known = (math.hypot(image.x_arcsec - other.x_arcsec, image.y_arcsec - other.y_arcsec) for other in images)
        if all(distance > _SAME_ARCSEC for distance in known):
            images.append(image)
    return images
