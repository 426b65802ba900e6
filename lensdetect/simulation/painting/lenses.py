"""The lens that is painted onto a real galaxy."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from lensdetect.simulation.painting.galaxy import aperture_mags, light_shape
from lensdetect.simulation.painting.jobs import Job, PaintPlan
from lensdetect.simulation.render import band_fluxes
from lensdetect.simulation.scene import Scene, StarLight
from lensdetect.simulation.sky.distances import isothermal_einstein_radius_arcsec
from lensdetect.simulation.sky.environment import caustic_centre_arcsec
from lensdetect.survey import Survey, mag_from_flux

#: Simulated lenses that a run takes from, and how many of them are compared with a galaxy.
_POOL, _CANDIDATES = 1000, 10

#: Keeps the generators of the pool apart from those of galaxies.
_POOL_SEED = 0x706F6F6C

#: Differences that count as one: of magnitudes, of redshift over 1 + z.
_MAG_STEP, _REDSHIFT_STEP = 0.3, 0.03

#: Scatter of the mass about the ellipse of the light: axis ratio, and angle in
#: radians (Koopmans+ 2006, ApJ 649, 599: aligned within 10 degrees).
_AXIS_RATIO_SCATTER, _ANGLE_SCATTER_RAD = 0.05, 0.17

#: Components of light this near the deflector are its own, in arcsec.
_OWN_ARCSEC = 0.1

#: Source redshifts where a population draws none.
_SOURCE_REDSHIFTS = (1.0, 3.0)


@functools.lru_cache(maxsize=_POOL)
def _pool_scene(plan: PaintPlan, number: int) -> Scene:
    """Simulated lens of some number: drawn when it is first asked for, the same in every process.

    To draw a lens that can be seen takes longer than to paint it.
    """
    rng = np.random.default_rng([plan.seed, _POOL_SEED, number])
    always = dataclasses.replace(plan.population, lens_fraction=1.0)
    return always.draw_scene(plan.survey, side_arcsec=plan.size * plan.survey.pixel_scale_arcsec, rng=rng)


def draw_lens(plan: PaintPlan, job: Job, *, pixels: np.ndarray, rng: np.random.Generator) -> Scene:
    """Draw a lens whose deflector is like a real galaxy; it has no light of its own.

    Of several lenses of the population the one is taken whose deflector has
    magnitudes (and a redshift, where it is known) nearest to the galaxy's: its
    Einstein radius is one that such a galaxy may have. The source is turned
    about it by any angle. What the catalogue says
    of velocity dispersion or Einstein radius comes before that. The mass follows
    the ellipse of the galaxy's light.

    Parameters
    ----------
    plan : PaintPlan
    job : Job
    pixels : ndarray
        ``(size, size, band)`` around the galaxy.
    rng : numpy.random.Generator

    Returns
    -------
    Scene
        Nothing but source and mass.
    """
    survey, position = plan.survey, job.offset_arcsec
    mags = aperture_mags(pixels, survey, position_arcsec=position, noise_sigma=job.noise_sigma)
    scenes = [_pool_scene(plan, int(number)) for number in rng.choice(_POOL, _CANDIDATES, replace=False)]
    scene = min(scenes, key=lambda scene: _unlikeness(scene, survey, mags=mags, job=job))
    number = survey.band_names.index(survey.reference_band)
    shape = light_shape(
        pixels[..., number],
        survey,
        position_arcsec=position,
        noise_sigma=job.noise_sigma[number],
        fwhm_arcsec=job.psf[number][0],
    )
    radius = _einstein_radius(scene, job, rng=rng)
    main = scene.masses[0]
    mass = dataclasses.replace(
        main,
        x_arcsec=position[0],
        y_arcsec=position[1],
        einstein_radius_arcsec=radius,
        axis_ratio=float(np.clip(shape.axis_ratio + rng.normal(0.0, _AXIS_RATIO_SCATTER), 0.4, 0.98)),
        angle_rad=float(shape.angle_rad + rng.normal(0.0, _ANGLE_SCATTER_RAD)),
    )
    # group members that the image does not show have no mass here either
    turn_rad = float(rng.uniform(0.0, 2.0 * math.pi))
    move = _Move(*caustic_centre_arcsec(scene.masses), position, radius / scene.einstein_radius_arcsec, turn_rad)
    return dataclasses.replace(
        scene,
        einstein_radius_arcsec=radius,
        masses=(mass,),
        light=(),
        stars=(),
        glitches=(),
        source=tuple(map(move, scene.source)),
        source_points=tuple(map(move, scene.source_points)),
        deflector_redshift=job.redshift if math.isfinite(job.redshift) else scene.deflector_redshift,
        velocity_dispersion_km_s=(
            job.velocity_dispersion_km_s
            if math.isfinite(job.velocity_dispersion_km_s)
            else scene.velocity_dispersion_km_s
        ),
    )


@dataclasses.dataclass(frozen=True)
class _Move:
    """Moves a source to another deflector: the same place in units of the Einstein radius."""

    x_arcsec: float
    y_arcsec: float
    to_arcsec: tuple[float, float]
    scale: float
    turn_rad: float

    def __call__(self, part):
        """The part of the source at its new place; its size stays."""
        dx, dy = part.x_arcsec - self.x_arcsec, part.y_arcsec - self.y_arcsec
        cos, sin = self.scale * math.cos(self.turn_rad), self.scale * math.sin(self.turn_rad)
        place = {
            "x_arcsec": self.to_arcsec[0] + cos * dx - sin * dy,
            "y_arcsec": self.to_arcsec[1] + sin * dx + cos * dy,
        }
        if not isinstance(part, StarLight):
            place["angle_rad"] = part.angle_rad + self.turn_rad
        return dataclasses.replace(part, **place)


def _unlikeness(scene: Scene, survey: Survey, *, mags: np.ndarray, job: Job) -> float:
    """How far a simulated deflector is from a real galaxy, in squared steps."""
    main = scene.masses[0]
    own = [
        part
        for part in scene.light
        if math.hypot(part.x_arcsec - main.x_arcsec, part.y_arcsec - main.y_arcsec) < _OWN_ARCSEC
    ] or list(scene.light[:1])
    zero_points = np.array([band.zero_point_mag for band in survey.bands])
    fluxes = sum((band_fluxes(part.mags, survey) for part in own), np.zeros(len(zero_points)))
    drawn = mag_from_flux(np.where(fluxes > 0.0, fluxes, np.nan), zero_points)
    far = float(np.nansum(np.square((drawn - mags) / _MAG_STEP)))
    number = survey.band_names.index(survey.reference_band)
    if math.isfinite(job.mag) and math.isfinite(drawn[number]):
        far += ((drawn[number] - job.mag) / _MAG_STEP) ** 2
    if math.isfinite(job.redshift) and math.isfinite(scene.deflector_redshift):
        far += ((scene.deflector_redshift - job.redshift) / (_REDSHIFT_STEP * (1.0 + job.redshift))) ** 2
    return far


def _einstein_radius(scene: Scene, job: Job, *, rng: np.random.Generator) -> float:
    """From the catalogue, or as drawn."""
    if math.isfinite(job.einstein_radius_arcsec):
        return job.einstein_radius_arcsec
    if not (math.isfinite(job.velocity_dispersion_km_s) and math.isfinite(job.redshift)):
        return scene.einstein_radius_arcsec
    far = scene.source_redshift if math.isfinite(scene.source_redshift) else rng.uniform(*_SOURCE_REDSHIFTS)
    radius = isothermal_einstein_radius_arcsec(
        job.velocity_dispersion_km_s, deflector_redshift=job.redshift, source_redshift=max(far, job.redshift + 0.1)
    )
    return max(radius, 1e-3)
