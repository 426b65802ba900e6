"""Population -> scene: draw what is on the sky of one stamp."""

from __future__ import annotations

import numpy as np

from lensdetect.simulation.deflectors import draw_deflector
from lensdetect.simulation.neighbours import draw_field_galaxies, draw_stars
from lensdetect.simulation.population import Population
from lensdetect.simulation.scene import Scene
from lensdetect.simulation.sources import draw_source


def draw_scene(population: Population, *, rng: np.random.Generator, side_arcsec: float = 20.2) -> Scene:
    """Draw deflector, neighbours and, in some scenes, a source.

    Deflectors and neighbours are drawn in the same way whether there is a
    source or not: nothing but the arcs tells the classes apart.

    Parameters
    ----------
    population : Population
        The distributions.
    rng : numpy.random.Generator
        Where the numbers come from; the same state gives the same scene.
    side_arcsec : float
        Side of the square over which neighbours are scattered.

    Returns
    -------
    Scene
    """
    has_source = rng.random() < population.lens_fraction
    real_like = rng.random() < population.observing.real_fraction
    deflector = draw_deflector(population.deflector, real_like=real_like, rng=rng)
    galaxies = draw_field_galaxies(population.neighbours, side_arcsec, rng=rng)
    stars = draw_stars(population.neighbours, side_arcsec, rng=rng)
    radius = deflector.einstein_radius_arcsec
    source = draw_source(population.source, radius, centre=deflector.masses[0], rng=rng) if has_source else ()
    gamma1, gamma2 = rng.normal(0.0, population.deflector.shear_sigma, 2)
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
