"""Scene -> noiseless images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.render.fluxes import band_fluxes
from lensdetect.simulation.render.lensed import add_lensed
from lensdetect.simulation.render.painting import FineGrid, add_light, add_point
from lensdetect.simulation.render.point_images import find_images
from lensdetect.simulation.render.profiles import profile_of
from lensdetect.simulation.render.seeing import SUPERSAMPLING, observe_planes
from lensdetect.simulation.scene import SCENE_BANDS, Light, Scene, StarLight
from lensdetect.survey import Survey

#: Pixels around the stamp that are rendered too: their light is blurred into it.
_MARGIN_PIX = 10

#: Surface brightness, in sky sigma per pixel, below which light is left out.
_NEGLIGIBLE_SIGMA = 0.01


@dataclass(frozen=True)
class Exposure:
    """A stamp before the sky is added.

    Parameters
    ----------
    foreground : ndarray
        float32 ``(size, size, band)``: deflector and neighbours, blurred.
    arcs : ndarray
        The same of the lensed source alone.
    """

    foreground: np.ndarray
    arcs: np.ndarray


def expose(scene: Scene, survey: Survey, *, conditions: Conditions, size: int = 101) -> Exposure:
    """Noiseless images of a scene, on a supersampled grid and binned.

    Parameters
    ----------
    scene : Scene
    survey : Survey
    conditions : Conditions
        Seeing; the noise sets what is too faint to be evaluated.
    size : int
        Side of the stamp in pixels.

    Returns
    -------
    Exposure

    Raises
    ------
    InputError
        If the survey has a band in which scenes have no magnitudes.
    """
    grid = FineGrid((size + 2 * _MARGIN_PIX) * SUPERSAMPLING, survey.pixel_scale_arcsec / SUPERSAMPLING)
    floors = _NEGLIGIBLE_SIGMA * np.asarray(conditions.noise_sigma) / survey.pixel_scale_arcsec**2
    count = 2 if scene.has_source else 1
    planes = np.zeros((count, len(survey.bands), grid.cells, grid.cells), np.float32)
    for light, fluxes in zip(scene.light, _fluxes(scene.light, survey), strict=True):
        add_light(planes[0], grid, profile=profile_of(light), fluxes=fluxes, floors=floors)
    for star, fluxes in zip(scene.stars, _fluxes(scene.stars, survey), strict=True):
        add_point(planes[0], grid, x_arcsec=star.x_arcsec, y_arcsec=star.y_arcsec, fluxes=fluxes)
    if scene.has_source:
        _add_source(planes[1], grid, scene=scene, survey=survey, floors=floors)
    images = observe_planes(
        planes,
        survey.bands,
        fwhm_arcsec=conditions.psf_fwhm_arcsec,
        cell_arcsec=grid.cell_arcsec,
        margin_pix=_MARGIN_PIX,
    )
    return Exposure(images[0], images[1] if scene.has_source else np.zeros_like(images[0]))


def _add_source(planes: np.ndarray, grid: FineGrid, *, scene: Scene, survey: Survey, floors: np.ndarray) -> None:
    """Everything behind the deflector, as it is seen through it."""
    if scene.source:
        add_lensed(
            planes,
            grid,
            masses=scene.masses,
            shear=scene.shear,
            profiles=[profile_of(light) for light in scene.source],
            fluxes=_fluxes(scene.source, survey),
            floors=floors,
        )
    for point, fluxes in zip(scene.source_points, _fluxes(scene.source_points, survey), strict=True):
        for image in find_images(point.x_arcsec, point.y_arcsec, masses=scene.masses, shear=scene.shear):
            bright = fluxes * image.magnification
            add_point(planes, grid, x_arcsec=image.x_arcsec, y_arcsec=image.y_arcsec, fluxes=bright)


def _fluxes(parts: tuple[Light | StarLight, ...], survey: Survey) -> np.ndarray:
    """``(part, band)``."""
    return band_fluxes(np.array([part.mags for part in parts]).reshape(-1, len(SCENE_BANDS)), survey)
