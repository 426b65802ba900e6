"""Galaxy light on a fine grid, in all bands at once.

The shape of a component is evaluated once; bands differ by its flux. Where a
component is too faint to matter it is not evaluated at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from lenstronomy.LightModel.Profiles.sersic import SersicElliptic

from lensdetect.simulation.render.deflection import ellipticity
from lensdetect.simulation.scene import SersicLight, StarLight

_SERSIC = SersicElliptic()

#: The cusp of a profile is averaged over finer points: half-widths in cells of
#: nested cores, with the number of points along one side of a cell.
_CORES = ((4, 8), (1, 32))

#: Sersic index up to which the first core is enough (0.2 % of the flux).
_SMOOTH_INDEX = 1.5


@dataclass(frozen=True)
class FineGrid:
    """Square grid of cells, centred on the middle of a stamp.

    Parameters
    ----------
    cells : int
        Along one side.
    cell_arcsec : float
        Side of one cell.
    """

    cells: int
    cell_arcsec: float

    def axis(self) -> np.ndarray:
        """Cell centres along one side, in arcsec from the middle."""
        return (np.arange(self.cells) - 0.5 * (self.cells - 1)) * self.cell_arcsec

    def index(self, position_arcsec: float) -> float:
        """Cell number, with fraction, of a position along one side."""
        return position_arcsec / self.cell_arcsec + 0.5 * (self.cells - 1)

    def window(self, centre_arcsec: float, *, reach_arcsec: float) -> slice:
        """Cells within some reach of a position along one side; it may be empty."""
        first = math.ceil(self.index(centre_arcsec - reach_arcsec))
        last = math.floor(self.index(centre_arcsec + reach_arcsec))
        return slice(min(max(first, 0), self.cells), max(min(last + 1, self.cells), 0))


def brightness(light: SersicLight, x_arcsec: np.ndarray, *, y_arcsec: np.ndarray) -> np.ndarray:
    """Surface brightness of a component of unit flux, per square arcsec.

    Parameters
    ----------
    light : SersicLight
    x_arcsec, y_arcsec : ndarray
        Positions, of one shape.

    Returns
    -------
    ndarray
        Of the same shape; its integral over the plane is 1.
    """
    e1, e2 = ellipticity(light.axis_ratio, light.angle_rad)
    amplitude = 1.0 / _SERSIC.total_flux(1.0, light.radius_arcsec, light.sersic_index)
    shape = np.shape(x_arcsec)
    out = _SERSIC.function(
        np.ravel(x_arcsec), np.ravel(y_arcsec), amplitude, light.radius_arcsec, light.sersic_index, e1, e2,
        light.x_arcsec, light.y_arcsec,
    ).reshape(shape)  # fmt: skip
    return out if light.arms is None else out * _arm_factor(light, x_arcsec, y_arcsec)


def _arm_factor(light: SersicLight, x_arcsec: np.ndarray, y_arcsec: np.ndarray) -> np.ndarray:
    """Modulation by spiral arms in the plane of the disc; its mean over a circle is 1."""
    arms = light.arms
    cosine, sine = math.cos(light.angle_rad), math.sin(light.angle_rad)
    dx, dy = x_arcsec - light.x_arcsec, y_arcsec - light.y_arcsec
    along = (cosine * dx + sine * dy) * math.sqrt(light.axis_ratio)
    across = (cosine * dy - sine * dx) / math.sqrt(light.axis_ratio)
    radius = np.maximum(np.hypot(along, across), 1e-3 * light.radius_arcsec)
    scale_length = light.radius_arcsec / 1.678  # of an exponential disc
    phase = arms.number * np.arctan2(across, along) + arms.winding * np.log(2.0 * radius / scale_length)
    return 1.0 + arms.amplitude * np.cos(phase + arms.phase_rad)


def reach_arcsec(light: SersicLight, *, flux_over_floor: float) -> float:
    """Radius beyond which a component is fainter than some floor.

    Parameters
    ----------
    light : SersicLight
    flux_over_floor : float
        Total flux over the surface brightness that may be neglected, in square
        arcsec; the largest over the bands.

    Returns
    -------
    float
        Along the major axis, in arcsec; 0 if it is too faint everywhere.
    """
    steepness = _SERSIC.b_n(light.sersic_index)
    peak = math.exp(steepness) / _SERSIC.total_flux(1.0, light.radius_arcsec, light.sersic_index)
    excess = math.log(max(peak * flux_over_floor * (2.0 if light.arms else 1.0), 1.0))
    return light.radius_arcsec * (excess / steepness) ** light.sersic_index / math.sqrt(light.axis_ratio)


def add_sersic(
    planes: np.ndarray, grid: FineGrid, *, light: SersicLight, fluxes: np.ndarray, floors: np.ndarray
) -> None:
    """Add one component to the planes of all bands.

    Parameters
    ----------
    planes : ndarray
        float32 ``(band, cells, cells)``, flux per cell; changed in place.
    grid : FineGrid
    light : SersicLight
    fluxes : ndarray
        ``(band,)`` total flux.
    floors : ndarray
        ``(band,)`` surface brightness that may be neglected, per square arcsec.
    """
    reach = reach_arcsec(light, flux_over_floor=float(np.max(fluxes / floors))) + 2.0 * grid.cell_arcsec
    columns = grid.window(light.x_arcsec, reach_arcsec=reach)
    rows = grid.window(light.y_arcsec, reach_arcsec=reach)
    if columns.start >= columns.stop or rows.start >= rows.stop:
        return
    axis = grid.axis()
    x, y = np.meshgrid(axis[columns], axis[rows])
    shape = brightness(light, x, y_arcsec=y)
    for half_width, points in _CORES[: 1 if light.sersic_index <= _SMOOTH_INDEX else 2]:
        core = _core_window(grid, light, half_width=half_width, rows=rows, columns=columns)
        _refine(shape, grid, light=light, core=core, first=(rows.start, columns.start), points=points)
    shape *= grid.cell_arcsec**2
    planes[:, rows, columns] += fluxes[:, None, None] * shape


def _core_window(
    grid: FineGrid, light: SersicLight, *, half_width: int, rows: slice, columns: slice
) -> tuple[slice, slice]:
    """Rows and columns of a core, cut to those that are evaluated; they may be empty."""
    reach = (half_width + 0.5) * grid.cell_arcsec
    core = []
    for position, limits in ((light.y_arcsec, rows), (light.x_arcsec, columns)):
        window = grid.window(position, reach_arcsec=reach)
        start = min(max(window.start, limits.start), limits.stop)
        core.append(slice(start, max(min(window.stop, limits.stop), start)))
    return core[0], core[1]


def _refine(
    shape: np.ndarray,
    grid: FineGrid,
    *,
    light: SersicLight,
    core: tuple[slice, slice],
    first: tuple[int, int],
    points: int,
) -> None:
    """Replace cells that one point each does not sample by averages over finer points."""
    rows, columns = core
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if height == 0 or width == 0:
        return
    within = ((np.arange(points) + 0.5) / points - 0.5) * grid.cell_arcsec
    axis = grid.axis()
    x, y = np.meshgrid((axis[columns][:, None] + within).ravel(), (axis[rows][:, None] + within).ravel())
    fine = brightness(light, x, y_arcsec=y).reshape(height, points, width, points)
    top, left = rows.start - first[0], columns.start - first[1]
    shape[top : top + height, left : left + width] = fine.mean(axis=(1, 3))


def add_star(planes: np.ndarray, grid: FineGrid, *, star: StarLight, fluxes: np.ndarray) -> None:
    """Add a point source, shared between its four nearest cells; outside the grid it is left out.

    Parameters
    ----------
    planes : ndarray
        float32 ``(band, cells, cells)``, flux per cell; changed in place.
    grid : FineGrid
    star : StarLight
    fluxes : ndarray
        ``(band,)``.
    """
    column, row = grid.index(star.x_arcsec), grid.index(star.y_arcsec)
    left, bottom = math.floor(column), math.floor(row)
    if not (0 <= left < grid.cells - 1 and 0 <= bottom < grid.cells - 1):
        return
    right, up = column - left, row - bottom
    weights = np.array([[(1 - up) * (1 - right), (1 - up) * right], [up * (1 - right), up * right]])
    planes[:, bottom : bottom + 2, left : left + 2] += fluxes[:, None, None] * weights


def add_lensed(
    planes: np.ndarray,
    grid: FineGrid,
    *,
    rays: tuple[np.ndarray, np.ndarray],
    light: SersicLight,
    fluxes: np.ndarray,
    floors: np.ndarray,
) -> None:
    """Add a lensed component: surface brightness is kept along a ray.

    Parameters
    ----------
    planes : ndarray
        float32 ``(band, cells, cells)``, flux per cell; changed in place.
    grid : FineGrid
    rays : tuple of ndarray
        Source-plane x and y of every cell, ``(cells, cells)``, in arcsec.
    light : SersicLight
        A component of the source.
    fluxes, floors : ndarray
        As in ``add_sersic``; fluxes are the unlensed ones.
    """
    reach = reach_arcsec(light, flux_over_floor=float(np.max(fluxes / floors)))
    beta_x, beta_y = rays
    hit = np.hypot(beta_x - light.x_arcsec, beta_y - light.y_arcsec) < reach
    if not hit.any():
        return
    seen = brightness(light, beta_x[hit], y_arcsec=beta_y[hit]) * grid.cell_arcsec**2
    for plane, flux in zip(planes, fluxes, strict=True):
        plane[hit] += flux * seen
