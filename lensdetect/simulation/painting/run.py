"""Paint arcs onto a whole catalogue of real galaxies."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from lensdetect.errors import InputError
from lensdetect.images.bounds import TILE_PIXELS
from lensdetect.images.index import TileIndex, index_tiles
from lensdetect.parallel import run_tasks, survived
from lensdetect.runs import writable, write_whole
from lensdetect.simulation.manifest import held_folder, simulation_code
from lensdetect.simulation.painting.arcs import make_stamp
from lensdetect.simulation.painting.catalogue import read_catalogue
from lensdetect.simulation.painting.jobs import Job, LastTile, PaintPlan
from lensdetect.simulation.painting.psf import LocalPsf, PsfGiven
from lensdetect.simulation.painting.vetting import Vetting, rows_of
from lensdetect.simulation.plan import check_whole
from lensdetect.simulation.population import Population
from lensdetect.simulation.sky.population import SkyPopulation
from lensdetect.stamps import write_shard
from lensdetect.survey import Survey
from lensdetect.text import write_csv

#: In the output: what could not be used, with its reason.
REFUSED_FILE = "refused.csv"


def paint(
    survey: Survey,
    images: Path | str,
    catalogue: Path | str | None,
    folder: Path | str,
    *,
    seed: int,
    lens_fraction: float = 0.5,
    size: int = 101,
    population: Population | None = None,
    psf: PsfGiven = None,
    plane_bands: Sequence[str] | None = None,
    noise_factor: float = 5.0,
    max_pixels: int = TILE_PIXELS,
    workers: int | None = None,
    shard_size: int = 500,
    progress: bool = True,
) -> Path:
    """Paint simulated arcs onto real galaxies; those left unpainted are real negatives.

    Each galaxy is used once. Its stamp depends on the seed, its id and its own
    images alone, so the bytes are the same for any number of workers, and a run
    that was interrupted goes on where it stopped when it is called again. What
    cannot be used is listed in ``refused.csv`` with its reason.

    Parameters
    ----------
    survey : Survey
        That the images are from: bands, zero points, pixel scale.
    images : path
        FITS cutouts of one galaxy each, or tiles with celestial coordinates: a
        folder, a file or a pattern with ``*``. One file a band, or one for all.
        Where their pixel scale is another than the survey's they are resampled,
        flux kept, and where their zero points are, fluxes are converted.
    catalogue : path or None
        a table: ``id`` of each galaxy, and ``file`` (it is in the
        middle) or ``ra_deg`` and ``dec_deg``; more in ``images.columns.ROLES``.
        None uses every cutout.
    folder : path
        Where to write; it is created.
    seed : int
        Zero or positive.
    lens_fraction : float
        Share of galaxies that get arcs.
    size : int
        Side of a stamp in pixels; NaN where an image does not reach.
    population : Population, optional
        Where lenses are drawn from, and the rule of what counts as one; the real
        sky's if not given.
    psf : path or mapping, optional
        Images of the PSF (one file a band for each image by its name, or for
        all), or widths in arcsec by band; the survey's typical one if not given.
    plane_bands : sequence of str, optional
        Bands of the images in a file, in order, where nothing in it tells them.
    noise_factor : float
        An image whose background rms is this factor or more away from its
        survey's is refused.
    max_pixels : int
        Pixels that an image may have; a file with a larger one is refused.
    workers : int, optional
        Processes; by default one a core. With 1 the work is done in this process.
    shard_size : int
        Stamps in one shard.
    progress : bool
        Whether to show a progress bar where standard error is a terminal.

    Returns
    -------
    Path
        The folder: shards, ``manifest.json`` (``count`` stamps made, ``refused``
        ones not) and, where any were, ``refused.csv`` (id, path, reason).

    Raises
    ------
    InputError
        If an argument is out of range, no galaxy at all can be used, the folder
        cannot be written, or it holds another simulation.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    for name, value, low in (
        ("workers", workers, 1),
        ("seed", seed, 0),
        ("size", size, 11),
        ("shard_size", shard_size, 1),
    ):
        check_whole(name, value, low=low)
    if not 0.0 <= lens_fraction <= 1.0:
        raise InputError(f"lens_fraction must be from 0 to 1, got {lens_fraction}: it is a share of the galaxies")
    if not noise_factor > 1.0:
        raise InputError(f"noise_factor must be above 1, got {noise_factor}: it is a ratio of two rms")
    population = dataclasses.replace(population or SkyPopulation(), lens_fraction=lens_fraction)
    plan = PaintPlan(survey, population, Path(folder), seed, size)
    index = index_tiles(images, survey, cutouts=True, plane_bands=plane_bands, max_pixels=max_pixels)
    rows = rows_of(None if catalogue is None else read_catalogue(catalogue), index)
    local = LocalPsf(psf, survey, plane_bands=plane_bands)
    vetting = Vetting(survey, index, rows, size=size, noise_factor=noise_factor, psf=local)
    jobs, refused = _vet(vetting, rows, progress=progress)
    refused += _never_asked(index, vetting.asked)
    if not jobs:
        raise InputError(
            f"no galaxy of {len(rows)} can be used; the first: {refused[0]['reason'] if refused else 'no row'}"
        )
    manifest = _manifest(plan, jobs, refused=refused, shard_size=shard_size, images=images, psf=psf)
    with held_folder(plan.folder, manifest), writable(folder, what="stamps"):
        _write_refused(plan.folder, refused)
        _make_missing(plan, jobs, shard_size=shard_size, workers=workers, progress=progress)
    return plan.folder


def _vet(vetting: Vetting, rows: list[dict[str, Any]], *, progress: bool) -> tuple[list[Job], list[dict[str, str]]]:
    """Galaxies that can be used, and the others with the reason."""
    jobs, refused = [], []
    hidden = not progress or not sys.stderr.isatty()
    for number, row in enumerate(tqdm(rows, unit="galaxy", desc="look", disable=hidden)):
        try:
            jobs.append(vetting.job(row, number))
        except InputError as error:
            refused.append({"id": str(row["id"]), "path": str(row.get("file") or ""), "reason": str(error)})
    vetting.close()
    return jobs, refused


def _never_asked(index: TileIndex, asked: set[str]) -> list[dict[str, str]]:
    """Files that cannot be used, and in which no galaxy was looked for."""
    found = [(tile.paths, tile.name, tile.problem) for tile in index.tiles if tile.problem and tile.name not in asked]
    wrong = [(paths[0] if paths else name, problem) for paths, name, problem in found]
    return [{"id": "", "path": path, "reason": reason} for path, reason in [*wrong, *index.unused]]


def _manifest(plan: PaintPlan, jobs: list[Job], *, refused: list, shard_size: int, images, psf) -> dict[str, Any]:
    """Manifest of a painting that is not complete yet, in the words of a simulation's."""
    survey = plan.survey
    manifest = {
        "survey": survey.name,
        "bands": list(survey.band_names),
        "survey_row": dataclasses.asdict(survey),
        "pixel_scale_arcsec": survey.pixel_scale_arcsec,
        "size": int(plan.size),
        "count": len(jobs),
        "refused": len(refused),
        "seed": int(plan.seed),
        "lens_fraction": plan.population.lens_fraction,
        "shard_size": int(shard_size),
        "layout": "shards",
        "population": dataclasses.asdict(plan.population),
        "onto": {
            "images": str(images),
            "psf": psf if psf is None or isinstance(psf, dict) else str(psf),
            # of images in other pixels than the survey's, which were resampled
            "resampled_from_arcsec": _other_scales(jobs, survey),
            # galaxies, where they are cut from and what was measured on them
            "galaxies_sha256": hashlib.sha256(repr([_told(job) for job in jobs]).encode()).hexdigest(),
        },
        "code_version": simulation_code(),
        "complete": False,
    }
    return json.loads(json.dumps(manifest))


def _told(job: Job) -> tuple:
    """What a job depends on, without where the files lie on this machine."""
    where = (job.x_pix, job.y_pix, job.tile.pixel_scale_arcsec)
    return (job.id, where, job.noise_sigma, job.psf, job.mag, job.redshift, job.velocity_dispersion_km_s)


def _other_scales(jobs: list[Job], survey: Survey) -> list[float]:
    scales = {job.tile.properties(survey) for job in jobs}
    others = [one.pixel_scale_arcsec for one in scales if one.ratio_to(survey.pixel_scale_arcsec) != 1.0]
    return sorted({float(f"{scale:.4g}") for scale in others})


def _write_refused(folder: Path, refused: list[dict[str, str]]) -> None:
    path = folder / REFUSED_FILE
    if not refused:
        path.unlink(missing_ok=True)
        return
    # objects: pandas' own text holds no names of files that are not UTF-8
    table = pd.DataFrame(refused, columns=["id", "path", "reason"], dtype=object)
    write_whole(path, lambda file: write_csv(table, file))


def _make_missing(plan: PaintPlan, jobs: list[Job], *, shard_size: int, workers: int, progress: bool) -> None:
    """Make the shards that are not there yet."""
    shards = [
        (number, jobs[start : start + shard_size]) for number, start in enumerate(range(0, len(jobs), shard_size))
    ]
    missing = [(number, part) for number, part in shards if not (plan.folder / f"{number:05d}.parquet").is_file()]
    ready = len(jobs) - sum(len(part) for _, part in missing)
    hidden = not progress or not sys.stderr.isatty()
    with tqdm(total=len(jobs), initial=ready, unit="stamp", desc="paint", disable=hidden) as bar:
        work = partial(_make_shard, plan)
        for made in survived(run_tasks(work, missing, workers=max(min(workers, len(missing)), 1))):
            bar.update(made)


def _make_shard(plan: PaintPlan, shard: tuple[int, list[Job]]) -> int:
    number, jobs = shard
    with LastTile(plan.survey) as tiles:
        write_shard(plan.folder, number, (make_stamp(plan, job, tiles.open(job.tile)) for job in jobs))
    return len(jobs)
