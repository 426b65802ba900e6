"""Simulate a whole set of stamps: many processes, resumable, the same bytes always."""

from __future__ import annotations

import dataclasses
import os
import sys
from functools import partial
from pathlib import Path

from tqdm import tqdm

from lensdetect.parallel import run_tasks, survived
from lensdetect.runs import writable
from lensdetect.simulation.choice import default_population
from lensdetect.simulation.manifest import build_manifest, held_folder
from lensdetect.simulation.plan import Plan, check_whole, make_shard
from lensdetect.simulation.population import Population
from lensdetect.survey import Survey


def simulate(
    survey: Survey,
    folder: Path | str,
    *,
    count: int,
    seed: int,
    workers: int | None = None,
    size: int = 101,
    shard_size: int = 500,
    layout: str = "shards",
    lens_fraction: float | None = None,
    population: Population | None = None,
    progress: bool = True,
) -> Path:
    """Simulate stamps into a folder.

    Stamp number i depends on the seed and i alone, so the bytes are the same
    for any number of workers, and a run that was interrupted goes on where it
    stopped when it is called again.

    Parameters
    ----------
    survey : Survey
        Pixel scale, bands, noise and PSF.
    folder : path
        Where to write; it is created.
    count : int
        How many stamps.
    seed : int
        Zero or positive.
    workers : int, optional
        Processes; by default one a core. With 1 the work is done in this process.
    size : int
        Side of a stamp in pixels.
    shard_size : int
        Stamps in one shard.
    layout : str
        "shards" (read by ``Shards``) or "challenge" (the file layout of the
        Bologna Lens Challenge with its truth table).
    lens_fraction : float, optional
        Share of stamps with a source; that of the population if not given.
    population : Population, optional
        What is drawn from; that of ``default_population`` if not given.
    progress : bool
        Whether to show a progress bar where standard error is a terminal.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If an argument is out of range, the folder cannot be written, or it
        holds another simulation.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    check_whole("workers", workers, low=1)
    population = population or default_population(survey)
    if lens_fraction is not None:
        population = dataclasses.replace(population, lens_fraction=lens_fraction)
    plan = Plan(survey, population, Path(folder), count, seed, size, shard_size, layout)
    with (
        held_folder(plan.folder, build_manifest(plan), file_name=plan.form.manifest_name, within=plan.form.folders),
        writable(folder, what="stamps"),
    ):
        _make_missing(plan, workers=workers, progress=progress)
        plan.form.finish(plan.folder, len(plan.shards))
    return plan.folder


def _make_missing(plan: Plan, *, workers: int, progress: bool) -> None:
    """Make the shards that are not there yet."""
    missing = [shard for shard in plan.shards if not plan.form.is_done(plan.folder, shard)]
    ready = plan.count - sum(len(plan.rows(shard)) for shard in missing)
    hidden = not progress or not sys.stderr.isatty()
    workers = max(min(workers, len(missing)), 1)
    with tqdm(total=plan.count, initial=ready, unit="stamp", desc="simulate", disable=hidden) as bar:
        for made in survived(run_tasks(partial(make_shard, plan), missing, workers=workers)):
            bar.update(made)
