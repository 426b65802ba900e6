"""One sky for all tiles: what is in each square arcmin follows from the seed and the place alone.

The sky is divided into stripes of one arcmin in declination, and these into
cells of about one arcmin. A process that makes a tile draws the cells that the
tile touches; another one, of the tile beside it, draws the same.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.neighbours import draw_counts_mag, draw_field_galaxies, draw_stars
from lensdetect.simulation.population import Population
from lensdetect.simulation.scene import Light, Scene, StarLight
from lensdetect.simulation.sky.optics import draw_halo
from lensdetect.simulation.sky.star_colours import stellar_mags
from lensdetect.simulation.tiles.layout import Tile
from lensdetect.simulation.tiles.plan import TilePlan

#: Side of a cell.
_CELL_ARCSEC = 60.0

#: Cells in a stripe around the equator, and stripes from pole to pole.
_AROUND, _STRIPES = 360 * 60, 180 * 60

#: Side of the stamp for which a target's scene is drawn.
_STAMP_PIX = 101

#: Counts of bright stars go as ``10 ** (slope * mag)``.
_BRIGHT_SLOPE = 0.15


@dataclass(frozen=True)
class SkyObject:
    """Something on the sky that a catalogue may list.

    Parameters
    ----------
    name : str
        The same in every tile.
    family : str
        target, galaxy or star.
    ra_deg, dec_deg : float
        Where the scene's middle is.
    scene : Scene
    """

    name: str
    family: str
    ra_deg: float
    dec_deg: float
    scene: Scene


def alone(population: Population) -> Population:
    """A population whose scenes hold no chance neighbours and no glitches: tiles have their own."""
    changes = {}
    if hasattr(population, "neighbours"):
        changes["neighbours"] = dataclasses.replace(
            population.neighbours, galaxies_per_arcmin2=0.0, stars_per_arcmin2=0.0
        )
    if hasattr(population, "glitches"):
        changes["glitches"] = type(population.glitches)(
            **{field.name: 0.0 for field in dataclasses.fields(population.glitches)}
        )
    return dataclasses.replace(population, **changes)


def objects_near(plan: TilePlan, tile: Tile, *, margin_pix: float) -> list[SkyObject]:
    """Everything on the sky in a tile and a margin around it.

    Parameters
    ----------
    plan : TilePlan
    tile : Tile
    margin_pix : float

    Returns
    -------
    list of SkyObject
    """
    return [found for cell in _cells(tile, margin_pix) for found in _in_cell(plan, tile, cell, margin_pix)]


def _cells(tile: Tile, margin_pix: float) -> Iterator[tuple[int, int]]:
    """Stripe and column of every cell that a tile touches."""
    ra_deg, dec_deg = tile.outline(margin_pix)
    for stripe in range(math.floor((dec_deg.min() + 90.0) * 60.0), math.floor((dec_deg.max() + 90.0) * 60.0) + 1):
        per_degree = _columns(stripe) / 360.0
        for column in range(math.floor(ra_deg.min() * per_degree), math.floor(ra_deg.max() * per_degree) + 1):
            yield stripe, column % _columns(stripe)


def _columns(stripe: int) -> int:
    """Cells in a stripe."""
    dec_rad = math.radians((stripe + 0.5) / 60.0 - 90.0)
    return max(round(_AROUND * math.cos(dec_rad)), 1)


def _place(cell: tuple[int, int], x_arcsec: float, y_arcsec: float) -> tuple[float, float]:
    """Right ascension and declination of a place in a cell, from its middle, x to the west."""
    stripe, column = cell
    ra_deg = (column + 0.5 - x_arcsec / _CELL_ARCSEC) * 360.0 / _columns(stripe)
    return ra_deg, (stripe + 0.5 + y_arcsec / _CELL_ARCSEC) / 60.0 - 90.0


def _in_cell(plan: TilePlan, tile: Tile, cell: tuple[int, int], margin_pix: float) -> Iterator[SkyObject]:
    """Objects of one cell that are in the tile or its margin; only their scenes are drawn."""
    places = plan.rng("positions", *cell)
    targets = places.uniform(-0.5, 0.5, (places.poisson(plan.density), 2)) * _CELL_ARCSEC
    things: list[tuple[str, float, float, tuple]] = [("target", x, y, ()) for x, y in targets]
    things += _field(plan, cell)
    if not things:
        return
    position = np.array([_place(cell, x, y) for _, x, y, _ in things])
    x, y = tile.pixels(position[:, 0], position[:, 1])
    near = (np.abs(x - 0.5 * (tile.width - 1)) <= 0.5 * tile.width + margin_pix) & (
        np.abs(y - 0.5 * (tile.height - 1)) <= 0.5 * tile.height + margin_pix
    )
    for number in np.flatnonzero(near):
        family, _, _, parts = things[number]
        scene = _target(plan, cell, number) if family == "target" else _scene(family, parts)
        ra_deg, dec_deg = (float(value) for value in position[number])
        yield SkyObject(f"{cell[0]}.{cell[1]}.{number}", family, ra_deg, dec_deg, scene)


def _target(plan: TilePlan, cell: tuple[int, int], number: int) -> Scene:
    side_arcsec = _STAMP_PIX * plan.survey.pixel_scale_arcsec
    return plan.population.draw_scene(plan.survey, side_arcsec=side_arcsec, rng=plan.rng("scenes", *cell, number))


def _field(plan: TilePlan, cell: tuple[int, int]) -> Iterator[tuple[str, float, float, tuple]]:
    """Family, place and parts of what is there by chance."""
    field = plan.field
    rng = plan.rng("field", *cell)
    galaxies = draw_field_galaxies(field, _CELL_ARCSEC, rng=rng)
    for (x, y), parts in itertools.groupby(galaxies, key=lambda part: (part.x_arcsec, part.y_arcsec)):
        yield "galaxy", x, y, tuple(parts)
    for star in draw_stars(field, _CELL_ARCSEC, rng=rng):
        yield "star", star.x_arcsec, star.y_arcsec, (star,)
    rng = plan.rng("bright_stars", *cell)
    for _ in range(rng.poisson(plan.rates.bright_stars_per_arcmin2)):
        mag = draw_counts_mag(plan.rates.bright_star_mag, _BRIGHT_SLOPE, rng=rng)
        x, y = rng.uniform(-0.5, 0.5, 2) * _CELL_ARCSEC
        star = StarLight(0.0, 0.0, stellar_mags(mag, rng.uniform(0.3, 1.4)))
        yield "star", x, y, (star, draw_halo(star, rng=rng))


def _scene(family: str, parts: tuple) -> Scene:
    """A scene of one galaxy or star in its middle."""
    parts = tuple(dataclasses.replace(part, x_arcsec=0.0, y_arcsec=0.0) for part in parts)
    return Scene(
        kind=family,
        einstein_radius_arcsec=math.nan,
        masses=(),
        shear=(0.0, 0.0),
        light=tuple(part for part in parts if isinstance(part, Light)),
        stars=tuple(part for part in parts if isinstance(part, StarLight)),
        glitches=tuple(part for part in parts if not isinstance(part, Light | StarLight)),
        real_like=True,
    )
