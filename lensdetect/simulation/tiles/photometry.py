"""What a survey would measure of the objects in a tile: positions and fluxes with their noise."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.population import Population, Visibility
from lensdetect.simulation.render.exposure import expose
from lensdetect.simulation.render.fluxes import band_fluxes
from lensdetect.simulation.render.visibility import measure_arcs
from lensdetect.simulation.scene import SCENE_BANDS, Light, Scene, StarLight
from lensdetect.simulation.tiles.light import lensed_points
from lensdetect.survey import Survey

#: Parts of a scene farther than this from its first part are objects of their own.
_OBJECT_ARCSEC = 3.0

#: Radius of the aperture: so many half-light radii and widths of the PSF, added in quadrature.
_APERTURE_RADII, _APERTURE_SEEING = 1.5, 0.7

#: Half-light radius of what is a point, in arcsec.
_POINT_ARCSEC = 0.0

#: Error of calibration that no depth takes away, relative.
_FLOOR = 0.01

#: Positions are good to this, and to the seeing over the S/N, in arcsec.
_ASTROMETRY_ARCSEC = 0.03

#: Side of the stamp on which arcs are measured: as of simulated stamps.
_STAMP_PIX = 101


@dataclass(frozen=True, eq=False)
class Measured:
    """What is measured of some objects.

    Parameters
    ----------
    x_pix, y_pix : ndarray
        Measured positions, ``(n,)``.
    fluxes, errors : ndarray
        ``(n, band)``, calibrated.
    true_fluxes : ndarray
        ``(n, band)``, arcs included.
    """

    x_pix: np.ndarray
    y_pix: np.ndarray
    fluxes: np.ndarray
    errors: np.ndarray
    true_fluxes: np.ndarray

    def only(self, rows: np.ndarray) -> Measured:
        """What is measured of some of them."""
        return Measured(*(getattr(self, field.name)[rows] for field in dataclasses.fields(self)))


def anchor(scene: Scene) -> Light | StarLight:
    """The part of a scene whose position a catalogue lists."""
    return (*scene.light, *scene.stars)[0]


def arcs_of(
    scene: Scene, survey: Survey, *, population: Population, conditions: Conditions
) -> tuple[np.ndarray, Visibility, bool]:
    """Flux of a scene's arcs in each band, how visible they are in a tile, and whether it counts as a lens.

    Parameters
    ----------
    scene : Scene
        With a source.
    survey : Survey
    population : Population
        Tells what a lens is.
    conditions : Conditions
        Of the tile.

    Returns
    -------
    tuple
        ``(band,)``, Visibility, bool.
    """
    arcs = expose(scene, survey, conditions=conditions, size=_STAMP_PIX).arcs
    visibility = measure_arcs(arcs, survey, scene=scene, conditions=conditions)
    return arcs.sum(axis=(0, 1), dtype=np.float64), visibility, population.is_lens(scene, visibility)


def measure(
    scenes: list[Scene],
    *,
    x_pix: np.ndarray,
    y_pix: np.ndarray,
    arc_fluxes: np.ndarray,
    share: np.ndarray,
    survey: Survey,
    conditions: Conditions,
    rng: np.random.Generator,
) -> Measured:
    """Measure objects: true fluxes with the noise of an aperture that fits them.

    Parameters
    ----------
    scenes : list of Scene
    x_pix, y_pix : ndarray
        Where their middles are.
    arc_fluxes : ndarray
        ``(n, band)``, what lensing adds.
    share : ndarray
        ``(n, band)``, part of the exposures there.
    survey : Survey
    conditions : Conditions
    rng : numpy.random.Generator

    Returns
    -------
    Measured
    """
    anchors = [anchor(scene) for scene in scenes]
    scale = survey.pixel_scale_arcsec
    fluxes = _sum_fluxes(scenes, anchors, survey) + arc_fluxes
    radius = np.array([getattr(part, "radius_arcsec", _POINT_ARCSEC) for part in anchors])
    seeing = np.asarray(conditions.psf_fwhm_arcsec)
    aperture = np.hypot(_APERTURE_RADII * radius[:, None], _APERTURE_SEEING * seeing)
    sky = np.asarray(conditions.noise_sigma) ** 2 / np.maximum(share, 1e-3) * (math.pi * (aperture / scale) ** 2)
    photon = np.asarray(conditions.photon_flux) if conditions.photon_flux else 0.0
    errors = np.sqrt(sky + fluxes * photon + (_FLOOR * fluxes) ** 2)
    reference = survey.band_names.index(survey.reference_band)
    jitter = np.hypot(_ASTROMETRY_ARCSEC, 0.5 * seeing[reference] * errors[:, reference] / fluxes[:, reference])
    wander = np.clip(rng.standard_normal((len(scenes), 2)), -3.0, 3.0) * np.minimum(jitter, 0.3)[:, None] / scale
    return Measured(
        x_pix=x_pix + np.array([part.x_arcsec for part in anchors]) / scale + wander[:, 0],
        y_pix=y_pix + np.array([part.y_arcsec for part in anchors]) / scale + wander[:, 1],
        fluxes=fluxes + errors * rng.standard_normal(fluxes.shape),
        errors=errors,
        true_fluxes=fluxes,
    )


def _sum_fluxes(scenes: list[Scene], anchors: list[Light | StarLight], survey: Survey) -> np.ndarray:
    """Flux of what belongs to each object, without lensed galaxies: ``(n, band)``."""
    owners, mags = [], []
    for number, (scene, middle) in enumerate(zip(scenes, anchors, strict=True)):
        for part in (*scene.light, *scene.stars, *lensed_points(scene)):
            if math.hypot(part.x_arcsec - middle.x_arcsec, part.y_arcsec - middle.y_arcsec) <= _OBJECT_ARCSEC:
                owners.append(number)
                mags.append(part.mags)
    total = np.zeros((len(scenes), len(survey.bands)))
    np.add.at(total, owners, band_fluxes(np.array(mags).reshape(-1, len(SCENE_BANDS)), survey))
    return total
