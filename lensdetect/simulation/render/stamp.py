"""Scene -> stamp: ray-trace, blur, add the sky, and measure the truth."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.simulation.population import Population, Visibility
from lensdetect.simulation.render.blur import blur
from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.render.deflection import trace_rays
from lensdetect.simulation.render.light import FineGrid, add_lensed, add_sersic, add_star
from lensdetect.simulation.render.sky import draw_photon_noise, draw_sky
from lensdetect.simulation.scene import SCENE_BANDS, Scene
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
        add_sersic(planes[0], grid, light=light, fluxes=band_fluxes(light.mags, survey), floors=floors)
    for star in scene.stars:
        add_star(planes[0], grid, star=star, fluxes=band_fluxes(star.mags, survey))
    if scene.has_source:
        axis = grid.axis()
        x, y = np.meshgrid(axis, axis)
        rays = trace_rays(x.ravel(), y.ravel(), masses=scene.masses, shear=scene.shear)
        rays = tuple(beta.reshape(x.shape) for beta in rays)
        for light in scene.source:
            fluxes = band_fluxes(light.mags, survey)
            add_lensed(planes[1], grid, rays=rays, light=light, fluxes=fluxes, floors=floors)
    planes = blur(planes, survey.bands, fwhm_arcsec=conditions.psf_fwhm_arcsec, cell_arcsec=cell_arcsec)
    images = _bin(planes, size)
    return Exposure(images[0], images[1] if scene.has_source else np.zeros_like(images[0]))


def band_fluxes(mags: tuple[float, ...], survey: Survey) -> np.ndarray:
    """Fluxes in the bands of a survey.

    Parameters
    ----------
    mags : tuple of float
        In the order of ``SCENE_BANDS``.
    survey : Survey

    Returns
    -------
    ndarray
        ``(band,)``, in flux units of the survey.

    Raises
    ------
    InputError
        If the survey has a band in which scenes have no magnitudes.
    """
    by_name = dict(zip(SCENE_BANDS, mags, strict=True))
    fluxes = []
    for number, band in enumerate(survey.bands):
        made_of = survey.conditions[number].made_of if survey.conditions else ()
        weights = dict(made_of or ((band.name, 1.0),))
        for name in weights:
            if name not in by_name:
                raise InputError(
                    f"survey {survey.name} has band {name}, simulated galaxies have magnitudes in "
                    f"{', '.join(SCENE_BANDS)}: use a survey with those bands, or say what the band is made of"
                )
        parts = [weight * flux_from_mag(by_name[name], band.zero_point_mag) for name, weight in weights.items()]
        fluxes.append(float(sum(parts)) / sum(weights.values()))
    return np.array(fluxes)


def _bin(planes: np.ndarray, size: int) -> np.ndarray:
    """Sum cells into pixels, cut the margin off, put the band axis last."""
    edge = _MARGIN_PIX * _SUPERSAMPLING
    planes = planes[..., edge:-edge, edge:-edge]
    pixels = planes.reshape(*planes.shape[:2], size, _SUPERSAMPLING, size, _SUPERSAMPLING).sum(axis=(3, 5))
    return np.ascontiguousarray(np.moveaxis(pixels, 1, -1))


def measure_arcs(arcs: np.ndarray, survey: Survey, *, scene: Scene, conditions: Conditions) -> Visibility:
    """How visible the lensed source is.

    The count is of the pixels of the source-only image in the reference band
    that exceed one sigma of the sky, and the flux is summed over just these, in
    sigma: in the challenge's own table the ratio of the two is never below 1,
    which no other sum would guarantee. Both are of the unmasked image, as there.

    Parameters
    ----------
    arcs : ndarray
        ``(size, size, band)``, blurred and noiseless.
    survey : Survey
    scene : Scene
        Its Einstein radius is compared with the seeing.
    conditions : Conditions
        Sky sigma and PSF of each band, and what is masked.

    Returns
    -------
    Visibility
    """
    number = survey.band_names.index(survey.reference_band)
    in_sigma = arcs / np.asarray(conditions.noise_sigma, np.float32)
    reference = in_sigma[..., number]
    bright = reference > 1.0
    seen = in_sigma if conditions.masked is None else in_sigma[~conditions.masked]
    return Visibility(
        einstein_radius_over_seeing=scene.einstein_radius_arcsec / conditions.psf_fwhm_arcsec[number],
        arc_pixel_count=int(bright.sum()),
        arc_flux_sigma=float(reference[bright].sum(dtype=np.float64)),
        arc_snr=math.sqrt(float(np.square(seen).sum(dtype=np.float64))),
    )


def observe(scene: Scene, exposure: Exposure, *, survey: Survey, conditions: Conditions, rng) -> np.ndarray:
    """Pixels of a stamp: the noiseless images with glitches, photon noise, sky and masks.

    Parameters
    ----------
    scene : Scene
        Where the glitches come from.
    exposure : Exposure
    survey : Survey
    conditions : Conditions
    rng : numpy.random.Generator

    Returns
    -------
    ndarray
        float32 ``(size, size, band)``; NaN where masked.
    """
    pixels = exposure.foreground + exposure.arcs
    if conditions.gain:
        pixels *= np.asarray(conditions.gain, np.float32)
    sigma = np.asarray(conditions.noise_sigma, np.float32)
    for glitch in scene.glitches:
        if glitch.before_sky:
            glitch.paint(pixels, survey=survey, noise_sigma=sigma, rng=rng)
    if conditions.photon_flux:
        pixels += draw_photon_noise(pixels, conditions, rng=rng)
    pixels += draw_sky(pixels.shape[0], conditions, rng=rng)
    for glitch in scene.glitches:
        if not glitch.before_sky:
            glitch.paint(pixels, survey=survey, noise_sigma=sigma, rng=rng)
    if conditions.masked is not None:
        pixels[conditions.masked] = np.nan
    return pixels


def render_stamp(
    scene: Scene,
    survey: Survey,
    *,
    population: Population,
    rng: np.random.Generator,
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
    population : Population
        Conditions are drawn from it, and it tells what counts as a lens.
    rng : numpy.random.Generator
        Where conditions, sky and masks come from.
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
    conditions = population.draw_conditions(scene, survey, size=size, rng=rng)
    exposure = expose(scene, survey, conditions=conditions, size=size)
    visibility = measure_arcs(exposure.arcs, survey, scene=scene, conditions=conditions)
    is_lens = population.is_lens(scene, visibility)
    pixels = observe(scene, exposure, survey=survey, conditions=conditions, rng=rng)
    truth = {
        "id": name,
        "is_lens": is_lens,
        "has_source": scene.has_source,
        "kind": ("lens" if is_lens else "undetected") if scene.has_source else scene.kind,
        "einstein_radius_arcsec": scene.einstein_radius_arcsec,
        **dataclasses.asdict(visibility),
        "deflector_redshift": scene.deflector_redshift,
        "source_redshift": scene.source_redshift,
        "velocity_dispersion_km_s": scene.velocity_dispersion_km_s,
        "glitches": ",".join(sorted({glitch.name for glitch in scene.glitches})),
        "seed": seed,
    }
    return Stamp(pixels, truth)
