"""Light on a grid of cells, in all bands at once.

The shape of a component is evaluated once; bands differ by its flux. Where a
component is too faint to matter it is not evaluated at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.render.profiles import Profile

#: Half-widths in cells of the nested cores over which cusps are averaged, from the outer one inwards.
_CORES = (4, 1)

#: A cell is averaged over at most this many points along its side.
_MOST_POINTS = 5


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

    def positions(self, cells: slice, *, points: int = 1) -> np.ndarray:
        """Arcsec from the middle along one side, so many evenly spaced points to each cell."""
        first = cells.start - 0.5 * self.cells + 0.5 / points
        return (first + np.arange((cells.stop - cells.start) * points) / points) * self.cell_arcsec

    def index(self, position_arcsec: float) -> float:
        """Cell number, with fraction, of a position along one side."""
        return position_arcsec / self.cell_arcsec + 0.5 * (self.cells - 1)

    def points(self, spacing_arcsec: float) -> int:
        """Points along the side of a cell with at most some spacing, or the most that are affordable."""
        return min(max(math.ceil(self.cell_arcsec / spacing_arcsec), 1), _MOST_POINTS)

    def window(self, centre_arcsec: float, *, reach_arcsec: float) -> slice:
        """Cells within some reach of a position along one side; it may be empty."""
        middle, reach = self.index(centre_arcsec), min(reach_arcsec / self.cell_arcsec, 1e6)
        first = min(max(math.ceil(middle - reach), 0), self.cells)
        return slice(first, max(min(math.floor(middle + reach) + 1, self.cells), first))


def add_light(planes: np.ndarray, grid: FineGrid, *, profile: Profile, fluxes: np.ndarray, floors: np.ndarray) -> None:
    """Add one component that is not lensed to the planes of all bands.

    Parameters
    ----------
    planes : ndarray
        float32 ``(band, cells, cells)``, flux per cell; changed in place.
    grid : FineGrid
    profile : Profile
    fluxes : ndarray
        ``(band,)`` total flux.
    floors : ndarray
        ``(band,)`` surface brightness that may be neglected, per square arcsec.
    """
    reach = profile.reach_arcsec(float(np.max(fluxes / floors)))
    if reach == 0.0:
        return
    reach += 2.0 * grid.cell_arcsec
    columns = grid.window(profile.x_arcsec, reach_arcsec=reach)
    rows = grid.window(profile.y_arcsec, reach_arcsec=reach)
    if columns.start == columns.stop or rows.start == rows.stop:
        return
    shape = _cell_means(profile, grid, rows=rows, columns=columns, points=grid.points(profile.smooth_arcsec))
    for half_width, points in zip(_CORES, profile.cusp_points, strict=False):
        _refine(shape, profile, grid=grid, rows=rows, columns=columns, half_width=half_width, points=points)
    for plane, flux in zip(planes, fluxes, strict=True):
        plane[rows, columns] += shape * np.float32(flux * grid.cell_arcsec**2)


def _cell_means(profile: Profile, grid: FineGrid, *, rows: slice, columns: slice, points: int) -> np.ndarray:
    """Brightness in cells, each averaged over ``points`` times ``points`` positions."""
    x = (grid.positions(columns, points=points) - profile.x_arcsec).astype(np.float32)
    y = (grid.positions(rows, points=points) - profile.y_arcsec).astype(np.float32)
    fine = profile.brightness(x, y[:, None])
    if points == 1:
        return fine
    return fine.reshape(rows.stop - rows.start, points, columns.stop - columns.start, points).mean(axis=(1, 3))


def _refine(
    shape: np.ndarray, profile: Profile, *, grid: FineGrid, rows: slice, columns: slice, half_width: int, points: int
) -> None:
    """Replace cells about a cusp, which one point each does not sample, by averages over finer points."""
    reach = (half_width + 0.5) * grid.cell_arcsec
    core_rows = _overlap(grid.window(profile.y_arcsec, reach_arcsec=reach), rows)
    core_columns = _overlap(grid.window(profile.x_arcsec, reach_arcsec=reach), columns)
    if core_rows.start >= core_rows.stop or core_columns.start >= core_columns.stop:
        return
    here = tuple(
        slice(core.start - whole.start, core.stop - whole.start)
        for core, whole in ((core_rows, rows), (core_columns, columns))
    )
    shape[here] = _cell_means(profile, grid, rows=core_rows, columns=core_columns, points=points)


def _overlap(first: slice, second: slice) -> slice:
    return slice(max(first.start, second.start), min(first.stop, second.stop))


def add_point(planes: np.ndarray, grid: FineGrid, *, x_arcsec: float, y_arcsec: float, fluxes: np.ndarray) -> None:
    """Add a point source, shared between its four nearest cells; outside the grid it is left out.

    Parameters
    ----------
    planes : ndarray
        float32 ``(band, cells, cells)``, flux per cell; changed in place.
    grid : FineGrid
    x_arcsec, y_arcsec : float
        Position.
    fluxes : ndarray
        ``(band,)``.
    """
    column, row = grid.index(x_arcsec), grid.index(y_arcsec)
    left, bottom = math.floor(column), math.floor(row)
    if not (0 <= left < grid.cells - 1 and 0 <= bottom < grid.cells - 1):
        return
    right, up = column - left, row - bottom
    weights = np.array([[(1 - up) * (1 - right), (1 - up) * right], [up * (1 - right), up * right]])
    planes[:, bottom : bottom + 2, left : left + 2] += fluxes[:, None, None] * weights
