"""Scene -> stamp: ray-trace, blur, add the sky, and measure the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lensdetect.errors import InputError
from lensdetect.simulation.deflection import trace_rays
from lensdetect.simulation.light import FineGrid, add_lensed, add_sersic, add_star
from lensdetect.simulation.observe import Conditions, blur, draw_conditions, draw_mask, draw_sky
from lensdetect.simulation.population import SCENE_BANDS, ObservingPopulation
from lensdetect.simulation.scene import Scene
from lensdetect.stamps import Stamp
from lensdetect.survey import Survey, flux_from_mag

#: Cells along one side of a pixel.
_SUPERSAMPLING = 2

#: Pixels around the stamp that are rendered too: their light is blurred into it.
_MARGIN_PIX = 10

#: Surface brightness, in sky sigma per pixel, below which light is left out.
_NEGLIGIBLE_SIGMA = 0.02


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
    cell_arcsec = survey.pixel_scale_arcsec / _SUPERSAMPLING
    grid = FineGrid((size + 2 * _MARGIN_PIX) * _SUPERSAMPLING, cell_arcsec)
    floors = _NEGLIGIBLE_SIGMA * np.asarray(conditions.noise_sigma) / survey.pixel_scale_arcsec**2
    count = 2 if scene.has_source else 1
    planes = np.zeros((count, len(survey.bands), grid.cells, grid.cells), np.float32)
    for light in scene.light:
        add_sersic(planes[0], grid, light=light, fluxes=_band_fluxes(light.mags, survey), floors=floors)
    for star in scene.stars:
        add_star(planes[0], grid, star=star, fluxes=_band_fluxes(star.mags, survey))
    if scene.has_source:
        axis = grid.axis()
        x, y = np.meshgrid(axis, axis)
        rays = trace_rays(x.ravel(), y.ravel(), masses=scene.masses, shear=scene.shear)
        rays = tuple(beta.reshape(x.shape) for beta in rays)
        for light in scene.source:
            fluxes = _band_fluxes(light.mags, survey)
            add_lensed(planes[1], grid, rays=rays, light=light, fluxes=fluxes, floors=floors)
    planes = blur(planes, survey.bands, fwhm_arcsec=conditions.psf_fwhm_arcsec, cell_arcsec=cell_arcsec)
    images = _bin(planes, size)
    return Exposure(images[0], images[1] if scene.has_source else np.zeros_like(images[0]))


def _band_fluxes(mags: tuple[float, ...], survey: Survey) -> np.ndarray:
    by_name = dict(zip(SCENE_BANDS, mags, strict=True))
    for name in survey.band_names:
        if name not in by_name:
            raise InputError(
                f"survey {survey.name} has band {name}, simulated galaxies have magnitudes in "
                f"{', '.join(SCENE_BANDS)}: use a survey with those bands"
            )
    return np.array([float(flux_from_mag(by_name[band.name], band.zero_point_mag)) for band in survey.bands])


def _bin(planes: np.ndarray, size: int) -> np.ndarray:
    """Sum cells into pixels, cut the margin off, put the band axis last."""
    edge = _MARGIN_PIX * _SUPERSAMPLING
    planes = planes[..., edge:-edge, edge:-edge]
    pixels = planes.reshape(*planes.shape[:2], size, _SUPERSAMPLING, size, _SUPERSAMPLING).sum(axis=(3, 5))
    return np.ascontiguousarray(np.moveaxis(pixels, 1, -1))


def measure_arcs(arcs: np.ndarray, survey: Survey, *, conditions: Conditions) -> dict[str, Any]:
    """How visible the lensed source is.

    The count is of the pixels of the source-only image in the reference band
    that exceed one sigma of the sky, and the flux is summed over just these, in
    sigma: in the challenge's own table the ratio of the two is never below 1,
    which no other sum would guarantee.

    Parameters
    ----------
    arcs : ndarray
        ``(size, size, band)``, blurred and noiseless.
    survey : Survey
    conditions : Conditions
        Sky sigma of each band.

    Returns
    -------
    dict
        ``arc_pixel_count``, ``arc_flux_sigma`` and ``arc_snr``, the last one
        ``sqrt(sum (flux / sigma)**2)`` over all pixels of all bands.
    """
    in_sigma = arcs / np.asarray(conditions.noise_sigma, np.float32)
    reference = in_sigma[..., survey.band_names.index(survey.reference_band)]
    bright = reference > 1.0
    return {
        "arc_pixel_count": int(bright.sum()),
        "arc_flux_sigma": float(reference[bright].sum(dtype=np.float64)),
        "arc_snr": float(np.sqrt(np.square(in_sigma).sum(dtype=np.float64))),
    }


def render_stamp(
    scene: Scene,
    survey: Survey,
    *,
    rng: np.random.Generator,
    observing: ObservingPopulation | None = None,
    size: int = 101,
    name: str = "",
    seed: int = 0,
) -> Stamp:
    """Observe a scene: pixels with sky and masks, and the truth.

    Parameters
    ----------
    scene : Scene
    survey : Survey
        Pixel scale, bands, typical seeing and noise.
    rng : numpy.random.Generator
        Where conditions, sky and masks come from.
    observing : ObservingPopulation, optional
        Their distributions; the default ones if not given.
    size : int
        Side of the stamp in pixels.
    name : str
        The stamp's id in the truth.
    seed : int
        The seed that the truth shall name.

    Returns
    -------
    Stamp

    Raises
    ------
    InputError
        If the survey has a band in which scenes have no magnitudes.
    """
    observing = observing or ObservingPopulation()
    conditions = draw_conditions(observing, survey, real_like=scene.real_like, rng=rng)
    exposure = expose(scene, survey, conditions=conditions, size=size)
    pixels = exposure.foreground + exposure.arcs + draw_sky(size, conditions, rng=rng)
    pixels[draw_mask(size, len(survey.bands), observing=observing, rng=rng)] = np.nan
    truth = {
        "id": name,
        "is_lens": scene.has_source,
        "has_source": scene.has_source,
        "kind": "lens" if scene.has_source else scene.kind,
        "einstein_radius_arcsec": scene.einstein_radius_arcsec,
        **measure_arcs(exposure.arcs, survey, conditions=conditions),
        "seed": seed,
    }
    return Stamp(pixels, truth)
