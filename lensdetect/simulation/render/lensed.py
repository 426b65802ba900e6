"""A lensed source on a grid of cells: surface brightness is kept along a ray."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from lensdetect.simulation.render.deflection import farthest_image_arcsec, trace_rays
from lensdetect.simulation.render.painting import FineGrid
from lensdetect.simulation.render.profiles import Profile
from lensdetect.simulation.scene import IsothermalMass

#: Image-plane x and y -> source-plane x and y.
Trace = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

#: Where rays pass a cusp within so many cells, there are more of them: half as many a cell as
#: without lensing, which has brought them closer together already.
_CORES = (2.0, 0.7)


def add_lensed(
    planes: np.ndarray,
    grid: FineGrid,
    *,
    masses: tuple[IsothermalMass, ...],
    shear: tuple[float, float],
    profiles: list[Profile],
    fluxes: np.ndarray,
    floors: np.ndarray,
) -> None:
    """Add the components of a source, as seen through a deflector.

    Rays are traced where the source can appear, once for all components; where
    one is hit that is small against the rays' spacing, more of them.

    Parameters
    ----------
    planes : ndarray
        float32 ``(band, cells, cells)``, flux per cell; changed in place.
    grid : FineGrid
    masses : tuple of IsothermalMass
    shear : tuple of float
        As for ``trace_rays``.
    profiles : list of Profile
        Components of the source, where they are without lensing.
    fluxes : ndarray
        ``(component, band)``, without lensing.
    floors : ndarray
        ``(band,)`` surface brightness that may be neglected, per square arcsec.
    """
    reaches = [
        profile.reach_arcsec(float(np.max(flux / floors))) for profile, flux in zip(profiles, fluxes, strict=True)
    ]
    rows, columns = _where_seen(grid, profiles, reaches=reaches, masses=masses, shear=shear)
    x, y = np.meshgrid(grid.positions(columns), grid.positions(rows))
    trace = partial(trace_rays, masses=masses, shear=shear)
    beta_x, beta_y = trace(x, y)
    here = planes[:, rows, columns]
    for profile, flux, reach in zip(profiles, fluxes, reaches, strict=True):
        dx, dy = beta_x - profile.x_arcsec, beta_y - profile.y_arcsec
        distance = np.sqrt(dx * dx + dy * dy)
        # a component may be smaller than the rays' spacing
        hit = distance < (reach + grid.cell_arcsec if reach else 0.0)
        seen = _cell_means(profile, grid, x[hit], y_arcsec=y[hit], distance_arcsec=distance[hit], trace=trace)
        for plane, one in zip(here, flux, strict=True):
            plane[hit] += seen * np.float32(one * grid.cell_arcsec**2)


def _where_seen(
    grid: FineGrid,
    profiles: list[Profile],
    *,
    reaches: list[float],
    masses: tuple[IsothermalMass, ...],
    shear: tuple[float, float],
) -> tuple[slice, slice]:
    """Rows and columns of the cells in which a source can appear; none for one too faint."""
    centre = masses[0]
    outer = max(
        math.hypot(profile.x_arcsec - centre.x_arcsec, profile.y_arcsec - centre.y_arcsec) + reach if reach else 0.0
        for profile, reach in zip(profiles, reaches, strict=True)
    )
    if outer == 0.0:
        return slice(0, 0), slice(0, 0)
    reach = farthest_image_arcsec(outer, masses=masses, shear=shear) + 2.0 * grid.cell_arcsec
    return (
        grid.window(centre.y_arcsec, reach_arcsec=reach),
        grid.window(centre.x_arcsec, reach_arcsec=reach),
    )


def _cell_means(
    profile: Profile,
    grid: FineGrid,
    x_arcsec: np.ndarray,
    *,
    y_arcsec: np.ndarray,
    distance_arcsec: np.ndarray,
    trace: Trace,
) -> np.ndarray:
    """Brightness in cells at ``(n,)`` positions, whose rays pass the component's centre at some distance."""
    points = grid.points(profile.sampling_arcsec)
    seen = _mean_brightness(profile, grid, x_arcsec, y_arcsec=y_arcsec, points=points, trace=trace)
    for half_width, finer in zip(_CORES, profile.cusp_points, strict=False):
        core = distance_arcsec < half_width * grid.cell_arcsec
        if finer // 2 > points and core.any():
            seen[core] = _mean_brightness(
                profile, grid, x_arcsec[core], y_arcsec=y_arcsec[core], points=finer // 2, trace=trace
            )
    return seen


def _mean_brightness(
    profile: Profile, grid: FineGrid, x_arcsec: np.ndarray, *, y_arcsec: np.ndarray, points: int, trace: Trace
) -> np.ndarray:
    """Brightness averaged over ``points`` times ``points`` rays in each cell."""
    within = ((np.arange(points) + 0.5) / points - 0.5) * grid.cell_arcsec
    beta_x, beta_y = trace(x_arcsec[:, None, None] + within, y_arcsec[:, None, None] + within[:, None])
    dx, dy = beta_x - profile.x_arcsec, beta_y - profile.y_arcsec
    return profile.brightness(dx.astype(np.float32), dy.astype(np.float32)).mean(axis=(1, 2))
