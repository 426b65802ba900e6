"""Train and rank many systems on one set of stamps."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lensdetect.challenge.job import Job
from lensdetect.challenge.oracle import manifest_population
from lensdetect.challenge.pictures import save_pictures
from lensdetect.challenge.plan import ChallengePlan, get_challenge_plan
from lensdetect.challenge.report import markdown
from lensdetect.challenge.running import job_folder, prepare, run_in_process
from lensdetect.challenge.scored import Scored, convene, read_scored
from lensdetect.challenge.stamp_sets import Split, StampSet, open_split
from lensdetect.challenge.systems import Entry, parse_entries
from lensdetect.challenge.twins import twin
from lensdetect.errors import InputError
from lensdetect.runs import key_of, lock, remove_litter, write_text, write_whole
from lensdetect.simulation import Population
from lensdetect.survey import Survey

logger = logging.getLogger(__name__)


def challenge(
    data: StampSet | Path | str,
    output: Path | str,
    *,
    systems: Sequence[str] = (),
    plan: ChallengePlan | str = "quick",
    test: StampSet | Path | str | None = None,
    seed: int = 0,
    population: Population | None = None,
) -> pd.DataFrame:
    """Train systems on the same stamps, score the same test set, and write tables and figures.

    Each system runs in a process of its own. What is done stays done: called
    again with the same arguments, it goes on after the last epoch, and tries
    again what failed; systems can be added. Tables and figures are written anew
    after every system. Networks that were published under several names, and
    differ in nothing that is known, are trained once for all of them.

    Parameters
    ----------
    data : StampSet or path
        To train on.
    output : path
        Folder for ``results.csv``, ``results.md``, figures, and ``systems/`` with
        what each has left.
    systems : sequence of str
        As ``parse_entry`` takes them, or "all"; those of the plan by default.
    plan : ChallengePlan or str
        "quick", "full", a file, or a plan.
    test : StampSet or path, optional
        To test on; without one, a part of ``data`` is held out.
    seed : int
        Of splits and trainings.
    population : Population, optional
        Of simulated test stamps, for the oracle; that of their manifest by default.

    Returns
    -------
    DataFrame
        As ``results.csv``: one row a system and seed, the best AUROC first,
        what failed last, with its error.

    Raises
    ------
    InputError
        If the stamps, a system or the plan cannot be used, the output cannot be
        written, or holds another challenge.
    """
    plan = get_challenge_plan(plan) if isinstance(plan, str) else plan
    data, test = _as_set(data), None if test is None else _as_set(test)
    split = open_split(data, test, test_fraction=plan.test_fraction, seed=seed)
    _check_test(split)
    values = None if population is None else population_values(population, split.test.survey)
    entries = parse_entries(
        systems or plan.systems, bands=split.training.survey.band_names, simulated=(test or data).is_simulated
    )
    sha256 = key_of(split.training.sha256(), split.test.sha256())
    jobs = [
        Job(entry, data, test, plan, seed + number, seed, sha256, values if entry.kind == "oracle" else None)
        for number in range(plan.repeats)
        for entry in entries
    ]
    output = Path(output)
    try:
        with lock(output):
            remove_litter(output)
            for job in jobs:
                if job.entry.kind != "committee" and twin(job, jobs) is None:
                    prepare(job_folder(output, job), job)
            return _run_all(jobs, output, split)
    except OSError as error:
        raise InputError(
            f"{output} must be a folder that can be written, got {error.strerror or error}: make room or choose another"
        ) from error


def _as_set(place: StampSet | Path | str) -> StampSet:
    # Whole paths: the processes may be asked to go on from elsewhere.
    return place if isinstance(place, StampSet) else StampSet(str(Path(place).resolve()))


def population_values(population: Population, survey: Survey) -> dict[str, Any]:
    """A population in JSON values, from which the oracle's process makes it again: no code is read from a folder.

    Parameters
    ----------
    population : Population
    survey : Survey
        Of the test stamps.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If it is of another class than the survey's own, or holds what JSON cannot.
    """
    values = json.loads(json.dumps(dataclasses.asdict(population)))
    if manifest_population({"population": values}, survey) != population:
        raise InputError(
            f"the population of a challenge must be one that can be written down, as {survey.name} has it, "
            f"got a {type(population).__name__}: simulate stamps from it, whose manifest the oracle reads"
        )
    return values


def _check_test(split: Split) -> None:
    is_lens = split.test.truth["is_lens"].to_numpy(bool)
    if len(is_lens) == 0 or is_lens.all() or not is_lens.any():
        raise InputError(
            f"the test stamps must hold lenses and others, got {int(is_lens.sum())} lenses among {len(is_lens)}: "
            "give more stamps"
        )


def _run_all(jobs: list[Job], output: Path, split: Split) -> pd.DataFrame:
    is_lens = split.test.truth["is_lens"].to_numpy(bool)
    scored: dict[tuple[str, int], Scored] = {}
    table = pd.DataFrame()
    for number, job in enumerate(jobs, start=1):
        logger.info("%s, seed %d (%d of %d)", job.entry.label, job.seed, number, len(jobs))
        result = _run_one(job, output, is_lens, scored, same_as=twin(job, jobs))
        scored[job.entry.label, job.seed] = result
        if result.error:
            logger.warning("  failed: %s", result.error)
        else:
            logger.info("  AUROC %.4f", result.metrics().auroc)
        table = _write(list(scored.values()), output, split)
    return table


def _run_one(
    job: Job, output: Path, is_lens: np.ndarray, scored: dict[tuple[str, int], Scored], *, same_as: Job | None
) -> Scored:
    entry: Entry = job.entry
    if same_as is not None:
        return dataclasses.replace(scored[same_as.entry.label, job.seed], entry=entry, same_as=same_as.entry.label)
    if entry.kind == "committee":
        return convene(entry, [scored[member, job.seed] for member in entry.members], seed=job.seed)
    folder = job_folder(output, job)
    error = run_in_process(folder)
    if error:
        return Scored(entry, job.seed, is_lens, error=error)
    return read_scored(folder, entry, seed=job.seed, is_lens=is_lens)


def _write(scored: list[Scored], output: Path, split: Split) -> pd.DataFrame:
    """Tables and figures of what there is so far."""
    table = pd.DataFrame([result.row() for result in scored])
    table = table.sort_values("auroc", ascending=False, na_position="last", kind="stable").reset_index(drop=True)
    write_whole(output / "results.csv", lambda file: table.to_csv(file, index=False))
    write_text(output / "results.md", markdown(table, heading=_heading(split)))
    drawn = [result for result in scored if not (result.error or result.same_as)]
    save_pictures(drawn, split.test.truth, output=output)
    return table


def _heading(split: Split) -> str:
    truth, survey = split.test.truth, split.test.survey
    return (
        f"Trained on {len(split.training):,} stamps of {survey.name} (validation among them), tested on "
        f"{len(truth):,}, {int(truth['is_lens'].sum()):,} of them lenses."
    )
