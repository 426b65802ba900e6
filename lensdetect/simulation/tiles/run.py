"""Simulate the tiles of a survey: many processes, resumable, the same bytes always."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lensdetect.parallel import run_tasks, survived
from lensdetect.runs import writable
from lensdetect.simulation.choice import default_population
from lensdetect.simulation.manifest import held_folder, simulation_code
from lensdetect.simulation.neighbours import FieldPopulation
from lensdetect.simulation.plan import check_whole
from lensdetect.simulation.population import Population
from lensdetect.simulation.tiles.make import make_tile
from lensdetect.simulation.tiles.plan import TilePlan
from lensdetect.simulation.tiles.rates import TileRates
from lensdetect.simulation.tiles.sky import alone
from lensdetect.survey import Survey

#: What a folder of tiles says about itself; no manifest.json, which is that of stamps.
MANIFEST_NAME = "tiles.json"

#: Height and width of a tile, as in KiDS.
_KIDS_SHAPE_PIX = (19500, 18500)


def simulate_tiles(
    survey: Survey,
    folder: Path | str,
    *,
    tiles: int,
    density: float,
    seed: int,
    tile_shape_pix: tuple[int, int] | None = None,
    workers: int | None = None,
    lens_fraction: float = 0.01,
    rates: TileRates | None = None,
    population: Population | None = None,
    centre_deg: tuple[float, float] = (180.0, 0.0),
    progress: bool = True,
) -> Path:
    """Simulate tiles of a survey that overlap: images, catalogues and truth.

    The sky is one: what is at a place follows from the seed alone, and tiles
    that overlap there show it, each with seeing, noise and faults of its own.
    For each tile there are

    * images of each band, named by the survey's ``tile_pattern``: sci (float32,
      survey flux), wei (float32, the inverse variance of the sky; 0 where there
      is no data) and msk (uint8, 0 where all is well);
    * a catalogue, a FITS table in the survey's columns, of all that is detected
      in the reference band: targets, field galaxies and stars;
    * ``truth/<tile>.parquet``, one row an object of the catalogue and one a
      target that it misses; ``glitches/<tile>.parquet``, what went wrong.

    The truth is put in place last: a tile without it does not exist, and is
    made when the same is run again.

    Parameters
    ----------
    survey : Survey
    folder : path
        Where to write; it is created.
    tiles : int
        How many, in rows about ``centre_deg``.
    density : float
        Targets per square arcmin: galaxies as a lens search takes them from a
        catalogue, and what is taken for them.
    seed : int
        Zero or positive.
    tile_shape_pix : tuple of int, optional
        Height and width of a tile; 19,500 and 18,500 if not given, as in KiDS.
    workers : int, optional
        Processes, each of which makes a tile at a time; by default one a core.
        A process takes some 2 GB for a tile as large as KiDS's.
    lens_fraction : float
        Share of the targets with a source behind.
    rates : TileRates, optional
        What goes wrong, and how often.
    population : Population, optional
        What targets are drawn from, by default that of the survey. The rates of
        what fools are its own; its chance neighbours are spread over the tiles.
    centre_deg : tuple of float
        Right ascension and declination of the middle of all tiles.
    progress : bool
        Whether to show a progress bar where standard error is a terminal.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If an argument is out of range, the survey has no names for tiles, the
        folder cannot be written (a full disk too) or holds something else.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    check_whole("workers", workers, low=1)
    population = dataclasses.replace(population or default_population(survey), lens_fraction=lens_fraction)
    shape = tuple(_KIDS_SHAPE_PIX if tile_shape_pix is None else tile_shape_pix)
    field = getattr(population, "neighbours", FieldPopulation())
    plan = TilePlan(
        survey, alone(population), Path(folder), tiles, density, seed, shape, centre_deg, field, rates or TileRates()
    )
    remedy = f"make room ({_gigabytes(plan):.1f} GB a tile) or choose another folder, then run the same again"
    with (
        held_folder(plan.folder, _manifest(plan), file_name=MANIFEST_NAME, within=("truth", "glitches")),
        writable(folder, what="tiles", remedy=remedy),
    ):
        _make_missing(plan, workers=workers, progress=progress)
    return plan.folder


def _make_missing(plan: TilePlan, *, workers: int, progress: bool) -> None:
    """Make the tiles that are not there yet."""
    missing = [tile.number for tile in plan.all_tiles if not plan.truth_path(tile).is_file()]
    hidden = not progress or not sys.stderr.isatty()
    workers = max(min(workers, len(missing)), 1)
    ready = plan.tiles - len(missing)
    with tqdm(total=plan.tiles, initial=ready, unit="tile", desc="simulate", disable=hidden) as bar:
        for made in survived(run_tasks(partial(make_tile, plan), missing, workers=workers)):
            bar.update(made)


def _gigabytes(plan: TilePlan) -> float:
    """Size on disk of a tile's images: float32 pixels and weights, bytes of mask."""
    return plan.shape_pix[0] * plan.shape_pix[1] * len(plan.survey.bands) * 9 / 1e9


def _manifest(plan: TilePlan) -> dict[str, Any]:
    """What the folder says about itself, as JSON gives it back."""
    survey = plan.survey
    manifest = {
        "survey": survey.name,
        "bands": list(survey.band_names),
        "survey_row": dataclasses.asdict(survey),
        "pixel_scale_arcsec": survey.pixel_scale_arcsec,
        "tiles": [{"name": tile.name, "ra_deg": tile.ra_deg, "dec_deg": tile.dec_deg} for tile in plan.all_tiles],
        "tile_shape_pix": [int(side) for side in plan.shape_pix],
        "count": int(plan.tiles),
        "density_per_arcmin2": float(plan.density),
        "seed": int(plan.seed),
        "lens_fraction": plan.population.lens_fraction,
        "rates": dataclasses.asdict(plan.rates),
        "field": dataclasses.asdict(plan.field),
        "population": dataclasses.asdict(plan.population),
        "code_version": simulation_code(),
        "complete": False,
    }
    return json.loads(json.dumps(manifest))
