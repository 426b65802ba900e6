"""Painting arcs onto the cutout of a real galaxy, and the truth about it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from lensdetect.images.cutouts import OpenTile
from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.painting.jobs import Job, PaintPlan
from lensdetect.simulation.painting.lenses import draw_lens
from lensdetect.simulation.population import Visibility
from lensdetect.simulation.render import expose, measure_arcs
from lensdetect.simulation.render.sky import draw_photon_noise
from lensdetect.simulation.scene import Scene
from lensdetect.simulation.sky.observing import photon_fluxes
from lensdetect.stamps import Stamp
from lensdetect.survey import Survey

#: Times a lens is drawn anew if its arcs cannot be seen.
_ATTEMPTS = 5

_NOT_SEEN = Visibility(math.nan, 0, 0.0, 0.0)


def make_stamp(plan: PaintPlan, job: Job, opened: OpenTile) -> Stamp:
    """Cut a galaxy out, and paint arcs onto it or leave it as it is.

    Parameters
    ----------
    plan : PaintPlan
    job : Job
    opened : OpenTile
        The tile of the job.

    Returns
    -------
    Stamp
        ``kind`` is real for a galaxy as it is, lens or undetected with arcs.

    Raises
    ------
    InputError
        If an image can no longer be read.
    """
    rng = job.rng(plan.seed)
    cutouts = opened.cut(np.array([job.x_pix]), np.array([job.y_pix]), size=plan.size)
    pixels = np.ascontiguousarray(cutouts.pixels[0])
    if rng.random() >= plan.population.lens_fraction:
        return Stamp(pixels, _truth(job, plan, is_lens=False, scene=None, visibility=_NOT_SEEN))
    survey = _with_psf(plan.survey, job)
    conditions = Conditions(
        psf_fwhm_arcsec=tuple(fwhm for fwhm, _ in job.psf),
        noise_sigma=job.noise_sigma,
        photon_flux=photon_fluxes(survey, job.noise_sigma),
        masked=np.isnan(pixels),
    )
    for _ in range(_ATTEMPTS):
        scene = draw_lens(plan, job, pixels=pixels, rng=rng)
        arcs = expose(scene, survey, conditions=conditions, size=plan.size).arcs
        # what the image does not show cannot be seen in it
        visibility = measure_arcs(
            np.where(conditions.masked, 0.0, arcs),
            survey,
            scene=scene,
            conditions=conditions,
            foreground=_light(pixels, conditions),
        )
        if plan.population.is_lens(scene, visibility):
            break
    is_lens = bool(plan.population.is_lens(scene, visibility))
    painted = pixels + arcs + draw_photon_noise(arcs, conditions, rng=rng)
    return Stamp(painted, _truth(job, plan, is_lens=is_lens, scene=scene, visibility=visibility))


def _light(pixels: np.ndarray, conditions: Conditions) -> np.ndarray:
    """Light of the galaxy under the arcs: the image, less the noise in it."""
    noise = np.asarray(conditions.noise_sigma, np.float32)
    return np.sqrt(np.maximum(np.square(np.nan_to_num(pixels)) - np.square(noise), 0.0))


def _with_psf(survey: Survey, job: Job) -> Survey:
    """The survey with the local PSF in place of its typical one."""
    bands = tuple(
        dataclasses.replace(band, psf_fwhm_arcsec=fwhm, psf_beta=beta)
        for band, (fwhm, beta) in zip(survey.bands, job.psf, strict=True)
    )
    return dataclasses.replace(survey, bands=bands)


def _truth(job: Job, plan: PaintPlan, *, is_lens: bool, scene: Scene | None, visibility: Visibility) -> dict:
    has_source = scene is not None
    return {
        "id": job.id,
        "is_lens": is_lens,
        "has_source": has_source,
        "kind": ("lens" if is_lens else "undetected") if has_source else "real",
        "einstein_radius_arcsec": scene.einstein_radius_arcsec if has_source else job.einstein_radius_arcsec,
        **dataclasses.asdict(visibility),
        "deflector_redshift": scene.deflector_redshift if has_source else job.redshift,
        "source_redshift": scene.source_redshift if has_source else math.nan,
        "velocity_dispersion_km_s": scene.velocity_dispersion_km_s if has_source else job.velocity_dispersion_km_s,
        "glitches": "",
        "seed": plan.seed,
    }
