"""The light of the sky in a tile, patch by patch: no more than a patch is ever held on the fine grid."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.render.fluxes import band_fluxes
from lensdetect.simulation.render.lensed import add_lensed
from lensdetect.simulation.render.painting import FineGrid, add_light, add_point
from lensdetect.simulation.render.point_images import find_images
from lensdetect.simulation.render.profiles import profile_of
from lensdetect.simulation.render.seeing import SUPERSAMPLING, observe_planes
from lensdetect.simulation.scene import SCENE_BANDS, Light, Scene, StarLight
from lensdetect.simulation.tiles.layout import Tile
from lensdetect.survey import Survey

#: Surface brightness, in sky sigma per pixel, below which light is left out.
_NEGLIGIBLE_SIGMA = 0.01

#: Pixels around a patch whose light is blurred into it; the blur itself leaves out the first of them.
_MARGIN_PIX, _BLUR_MARGIN_PIX = 100, 50

#: Longest side of a patch.
_PATCH_PIX = 1024

#: Where the arcs of a lens end, in arcsec from its middle: far beyond any group's Einstein radius.
_ARCS_ARCSEC = 40.0

Part = TypeVar("Part")


def moved(part: Part, x_arcsec: float, y_arcsec: float) -> Part:
    """A part of a scene, or a glitch, shifted by so much."""
    return dataclasses.replace(part, x_arcsec=part.x_arcsec + x_arcsec, y_arcsec=part.y_arcsec + y_arcsec)


def lensed_points(scene: Scene) -> Iterator[StarLight]:
    """The images of the points in a scene's source, as points of their own."""
    for point in scene.source_points:
        for image in find_images(point.x_arcsec, point.y_arcsec, masses=scene.masses, shear=scene.shear):
            brighter = 2.5 * math.log10(image.magnification)
            yield StarLight(image.x_arcsec, image.y_arcsec, tuple(mag - brighter for mag in point.mags))


class TileLight:
    """All light about a tile, placed and ready to be painted.

    Parameters
    ----------
    scenes : list of Scene
    x_pix, y_pix : ndarray
        Where their middles are.
    survey : Survey
    conditions : Conditions
        Seeing, noise and gain of the tile.
    """

    def __init__(
        self, scenes: list[Scene], *, x_pix: np.ndarray, y_pix: np.ndarray, survey: Survey, conditions: Conditions
    ):
        self._survey, self._conditions = survey, conditions
        self._scale = survey.pixel_scale_arcsec
        self._floors = _NEGLIGIBLE_SIGMA * np.asarray(conditions.noise_sigma) / self._scale**2
        owners, parts = [], []
        for number, scene in enumerate(scenes):
            here = (*scene.light, *scene.stars, *lensed_points(scene))
            owners += [number] * len(here)
            parts += here
        self._parts: list[Light | StarLight] = parts
        self._fluxes = band_fluxes(np.array([part.mags for part in parts]).reshape(-1, len(SCENE_BANDS)), survey)
        self._x = np.asarray(x_pix)[owners] + np.array([part.x_arcsec for part in parts]) / self._scale
        self._y = np.asarray(y_pix)[owners] + np.array([part.y_arcsec for part in parts]) / self._scale
        self._reach = np.array([self._reach_pix(*pair) for pair in zip(parts, self._fluxes, strict=True)])
        self._lenses = [(scene, x, y) for scene, x, y in zip(scenes, x_pix, y_pix, strict=True) if scene.source]

    def _reach_pix(self, part: Light | StarLight, fluxes: np.ndarray) -> float:
        if isinstance(part, StarLight):
            return 0.0
        return profile_of(part).reach_arcsec(float(np.max(fluxes / self._floors))) / self._scale

    def render(self, tile: Tile, *, rows: slice) -> np.ndarray:
        """Noiseless image of some rows of a tile, as the telescope sees it.

        Parameters
        ----------
        tile : Tile
        rows : slice

        Returns
        -------
        ndarray
            float32 ``(rows, width, band)``.
        """
        height = rows.stop - rows.start
        image = np.empty((height, tile.width, len(self._survey.bands)), np.float32)
        count = math.ceil(tile.width / _PATCH_PIX)
        edges = [round(tile.width * number / count) for number in range(count + 1)]
        for first, last in zip(edges[:-1], edges[1:], strict=True):
            patch = self._patch(first, rows.start, side=max(last - first, height))
            image[:, first:last] = patch[:height, : last - first]
        if self._conditions.gain:
            image *= np.asarray(self._conditions.gain, np.float32)
        return image

    def _patch(self, column: int, row: int, *, side: int) -> np.ndarray:
        """Square of so many pixels from some first pixel on."""
        pixels = side + 2 * _MARGIN_PIX
        grid = FineGrid(pixels * SUPERSAMPLING, self._scale / SUPERSAMPLING)
        planes = np.zeros((1, len(self._survey.bands), grid.cells, grid.cells), np.float32)
        self._paint(planes[0], grid, middle_x=column + 0.5 * (side - 1), middle_y=row + 0.5 * (side - 1))
        image = observe_planes(
            planes,
            self._survey.bands,
            fwhm_arcsec=self._conditions.psf_fwhm_arcsec,
            cell_arcsec=grid.cell_arcsec,
            margin_pix=_BLUR_MARGIN_PIX,
        )[0]
        inside = slice(_MARGIN_PIX - _BLUR_MARGIN_PIX, _MARGIN_PIX - _BLUR_MARGIN_PIX + side)
        return image[inside, inside]

    def _paint(self, planes: np.ndarray, grid: FineGrid, *, middle_x: float, middle_y: float) -> None:
        """Add what reaches into a grid about some pixel."""
        half = 0.5 * grid.cells / SUPERSAMPLING + 1.0
        dx, dy = self._x - middle_x, self._y - middle_y
        for number in np.flatnonzero((np.abs(dx) < half + self._reach) & (np.abs(dy) < half + self._reach)):
            part, fluxes = self._parts[number], self._fluxes[number]
            x, y = float(dx[number]) * self._scale, float(dy[number]) * self._scale
            if isinstance(part, StarLight):
                add_point(planes, grid, x_arcsec=x, y_arcsec=y, fluxes=fluxes)
            else:
                profile = profile_of(dataclasses.replace(part, x_arcsec=x, y_arcsec=y))
                add_light(planes, grid, profile=profile, fluxes=fluxes, floors=self._floors)
        far = half * self._scale + _ARCS_ARCSEC
        for scene, x_pix, y_pix in self._lenses:
            x, y = (x_pix - middle_x) * self._scale, (y_pix - middle_y) * self._scale
            if max(abs(x), abs(y)) < far:
                self._paint_arcs(planes, grid, scene=scene, x_arcsec=x, y_arcsec=y)

    def _paint_arcs(
        self, planes: np.ndarray, grid: FineGrid, *, scene: Scene, x_arcsec: float, y_arcsec: float
    ) -> None:
        add_lensed(
            planes,
            grid,
            masses=tuple(moved(mass, x_arcsec, y_arcsec) for mass in scene.masses),
            shear=scene.shear,
            profiles=[profile_of(moved(light, x_arcsec, y_arcsec)) for light in scene.source],
            fluxes=band_fluxes(np.array([light.mags for light in scene.source]), self._survey),
            floors=self._floors,
        )
