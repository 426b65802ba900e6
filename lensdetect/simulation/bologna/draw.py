"""Draw what is on the sky of one stamp of the challenge."""

from __future__ import annotations

import numpy as np

from lensdetect.simulation.bologna.deflectors import draw_deflector
from lensdetect.simulation.bologna.parameters import DeflectorPopulation, SourcePopulation
from lensdetect.simulation.bologna.sources import draw_source
from lensdetect.simulation.neighbours import FieldPopulation, draw_field_galaxies, draw_stars
from lensdetect.simulation.scene import Scene


def draw_scene(
    deflectors: DeflectorPopulation,
    sources: SourcePopulation,
    *,
    neighbours: FieldPopulation,
    lens_fraction: float,
    real_fraction: float,
    side_arcsec: float,
    rng: np.random.Generator,
) -> Scene:
    """Draw deflector, neighbours and, in some scenes, a source.

    Deflectors and neighbours are drawn in the same way whether there is a
    source or not: nothing but the arcs tells the classes apart.

    Parameters
    ----------
    deflectors : DeflectorPopulation
    sources : SourcePopulation
    neighbours : FieldPopulation
    lens_fraction : float
        Share of scenes with a source.
    real_fraction : float
        Share of scenes like real survey stamps.
    side_arcsec : float
        Side of the square over which neighbours are scattered.
    rng : numpy.random.Generator
        The same state gives the same scene.

    Returns
    -------
    Scene
    """
    has_source = rng.random() < lens_fraction
    real_like = rng.random() < real_fraction
    deflector = draw_deflector(deflectors, real_like=real_like, rng=rng)
    galaxies = draw_field_galaxies(neighbours, side_arcsec, rng=rng)
    stars = draw_stars(neighbours, side_arcsec, rng=rng)
    radius = deflector.einstein_radius_arcsec
    source = draw_source(sources, radius, centre=deflector.masses[0], rng=rng) if has_source else ()
    gamma1, gamma2 = rng.normal(0.0, deflectors.shear_sigma, 2)
    return Scene(
        kind=deflector.kind,
        einstein_radius_arcsec=radius,
        masses=deflector.masses,
        shear=(float(gamma1), float(gamma2)),
        light=deflector.light + galaxies,
        stars=stars,
        source=source,
        real_like=real_like,
    )
