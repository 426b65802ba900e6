"""What is true of a tile: its objects, and what went wrong in it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd

from lensdetect.simulation.population import Visibility
from lensdetect.simulation.tiles.glitches import Placed, touches
from lensdetect.simulation.tiles.layout import Tile
from lensdetect.simulation.tiles.regions import Region
from lensdetect.simulation.tiles.sky import SkyObject
from lensdetect.simulation.tiles.stars import BrightStar
from lensdetect.stamps import TRUTH_COLUMNS
from lensdetect.survey import Survey

#: Half the side of the cutout in which a glitch is said to be: as large as simulated stamps.
_HALF_PIX = 50.5

_NO_ARCS = Visibility(np.nan, 0, 0.0, 0.0)


@dataclasses.dataclass(frozen=True)
class Faults:
    """All that is wrong with a tile.

    Parameters
    ----------
    regions : tuple of Region
    glitches : list of Placed
    stars : list of BrightStar
    halos : list of Placed
        Of these stars.
    """

    regions: tuple[Region, ...]
    glitches: list[Placed]
    stars: list[BrightStar]
    halos: list[Placed]


def truth_table(
    objects: list[SkyObject],
    *,
    ids: list[str],
    x_pix: np.ndarray,
    y_pix: np.ndarray,
    arcs: dict[int, tuple[Visibility, bool]],
    faults: Faults,
    tile: Tile,
    survey: Survey,
    seed: int,
) -> pd.DataFrame:
    """Truth of some objects in a tile, one row each.

    Parameters
    ----------
    objects : list of SkyObject
    ids : list of str
        In the tile's catalogue; empty for what is not listed there.
    x_pix, y_pix : ndarray
        True positions.
    arcs : dict of int to (Visibility, bool)
        Of the objects with a source: how visible it is, and whether it is a lens.
    faults : Faults
    tile : Tile
    survey : Survey
    seed : int

    Returns
    -------
    DataFrame
        The columns of a stamp's truth; then ``object`` (the same in every
        tile), ``family`` (target, galaxy, star), ``tile``, ``ra_deg``,
        ``dec_deg``, ``x_pix`` and ``y_pix``.
    """
    spoilt = glitch_names(faults, x_pix, y_pix=y_pix, survey=survey)
    ra_deg, dec_deg = tile.sky(x_pix, y_pix) if objects else (x_pix, y_pix)
    rows = []
    for number, thing in enumerate(objects):
        scene = thing.scene
        visibility, is_lens = arcs.get(number, (_NO_ARCS, False))
        rows.append({
            "id": ids[number],
            "is_lens": is_lens,
            "has_source": scene.has_source,
            "kind": ("lens" if is_lens else "undetected") if scene.has_source else scene.kind,
            "einstein_radius_arcsec": scene.einstein_radius_arcsec,
            **dataclasses.asdict(visibility),
            "deflector_redshift": scene.deflector_redshift,
            "source_redshift": scene.source_redshift,
            "velocity_dispersion_km_s": scene.velocity_dispersion_km_s,
            "glitches": ",".join(sorted(spoilt[number])),
            "seed": seed,
            "object": thing.name,
            "family": thing.family,
        })  # fmt: skip
    table = pd.DataFrame(rows, columns=[*TRUTH_COLUMNS, "object", "family"]).astype(TRUTH_COLUMNS)
    return table.assign(tile=tile.name, ra_deg=ra_deg, dec_deg=dec_deg, x_pix=x_pix, y_pix=y_pix)


def glitch_names(faults: Faults, x_pix: np.ndarray, *, y_pix: np.ndarray, survey: Survey) -> list[set[str]]:
    """Names of what is wrong in the cutout around each position.

    Parameters
    ----------
    faults : Faults
    x_pix, y_pix : ndarray
    survey : Survey

    Returns
    -------
    list of set of str
    """
    names: list[set[str]] = [set() for _ in x_pix]

    def add(name: str, hit: np.ndarray) -> None:
        for number in np.flatnonzero(hit):
            names[number].add(name)

    for placed in faults.glitches:
        add(placed.glitch.name, touches(placed, x_pix, y_pix=y_pix, half_pix=_HALF_PIX, survey=survey))
    for region in faults.regions:
        hit = _beside(x_pix, *region.columns) & _beside(y_pix, *region.rows)
        if region.kind == "shallow":  # what lies within has an even depth
            within = _within(x_pix, *region.columns) & _within(y_pix, *region.rows)
            add("depth_step", hit & ~within)
        else:
            add(region.kind, hit)
    for star in faults.stars:
        away = np.maximum(np.hypot(x_pix - star.x_pix, y_pix - star.y_pix) - _HALF_PIX, 0.0)
        add("star_halo", away <= max(star.mask_pix))
        bleed = max(star.bleed_pix)
        if bleed:
            column = np.abs(x_pix - star.x_pix) <= _HALF_PIX
            add("saturated_core", column & (np.abs(y_pix - star.y_pix) <= _HALF_PIX + bleed))
    return names


def _beside(position: np.ndarray, first: int, end: int) -> np.ndarray:
    return (position + _HALF_PIX >= first) & (position - _HALF_PIX <= end - 1)


def _within(position: np.ndarray, first: int, end: int) -> np.ndarray:
    return (position - _HALF_PIX >= first) & (position + _HALF_PIX <= end - 1)


def glitch_table(faults: Faults, survey: Survey) -> pd.DataFrame:
    """What went wrong in a tile, one row each.

    Parameters
    ----------
    faults : Faults
    survey : Survey

    Returns
    -------
    DataFrame
        ``kind``; ``x_pix`` and ``y_pix``, the middle; ``band``, empty for more than
        one; ``known``, whether weight or mask tell; ``parameters``, all others as JSON.
    """
    rows = []
    for region in faults.regions:
        x, y = (0.5 * (first + end - 1) for first, end in (region.columns, region.rows))
        band = survey.band_names[region.band]
        rows.append((region.kind, x, y, band, region.share < 1.0, dataclasses.asdict(region)))
    for placed in (*faults.glitches, *faults.halos):
        rows.append((placed.glitch.name, placed.x_pix, placed.y_pix, "", False, dataclasses.asdict(placed.glitch)))
    table = pd.DataFrame(rows, columns=["kind", "x_pix", "y_pix", "band", "known", "parameters"])
    table["parameters"] = [json.dumps(parameters) for parameters in table["parameters"]]
    return table.astype({"kind": "str", "x_pix": "float64", "y_pix": "float64", "band": "str", "known": "bool"})
