"""Scene -> stamp: expose, add the sky, and measure the truth."""

from __future__ import annotations

import dataclasses

import numpy as np

from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.population import Population
from lensdetect.simulation.render.exposure import Exposure, expose
from lensdetect.simulation.render.sky import draw_photon_noise, draw_sky
from lensdetect.simulation.render.visibility import measure_arcs
from lensdetect.simulation.scene import Scene
from lensdetect.stamps import Stamp
from lensdetect.survey import Survey


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
    pixels += draw_sky(pixels.shape[:2], conditions, rng=rng)
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
    visibility = measure_arcs(exposure.arcs, survey, scene=scene, conditions=conditions, foreground=exposure.foreground)
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
