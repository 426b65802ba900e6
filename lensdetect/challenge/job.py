"""One system in a process of its own: its peak memory is its own, and its crash too."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lensdetect.challenge.costs import Costs, write_costs
from lensdetect.challenge.plan import ChallengePlan, plan_from_values
from lensdetect.challenge.stamp_sets import Split, StampSet, open_split
from lensdetect.challenge.systems import Entry
from lensdetect.runs import code_key, lock, read_json, remove_litter, write_text, write_whole

#: Seconds between two looks at the clock and at the parent.
_BEAT_S = 0.5
#: The code that decides what a system of each kind comes to.
_SHARED_CODE = ("challenge/job", "challenge/stamp_sets", "data", "stamps", "survey", "training")
_CODE = {
    "network": (*_SHARED_CODE, "challenge/networks", "metrics", "network"),
    "classical": (*_SHARED_CODE, "challenge/features", "classical"),
    "oracle": (*_SHARED_CODE, "challenge/oracle", "simulation"),
}


@dataclass(frozen=True)
class Job:
    """What one process has to do; written as ``job.json``.

    Parameters
    ----------
    entry : Entry
        Which system.
    data : StampSet
        To train on.
    test : StampSet or None
        To test on.
    plan : ChallengePlan
        How long.
    seed : int
        Of split and training.
    split_seed : int
        Of the test stamps that are held out where there is no test set: the
        same for all repeats.
    sha256 : str
        Of the stamps to train on and to test on.
    population : dict or None
        Of simulated test stamps, for the oracle, in JSON values; that of their
        manifest if None.
    """

    entry: Entry
    data: StampSet
    test: StampSet | None
    plan: ChallengePlan
    seed: int
    split_seed: int
    sha256: str = ""
    population: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Job in JSON values, with the version of the code that does it."""
        code = code_key(*_CODE[self.entry.kind])
        return json.loads(json.dumps(dataclasses.asdict(self) | {"code": code}))


def job_from_dict(values: dict[str, Any]) -> Job:
    """Job from what ``Job.as_dict`` made."""
    entry = values["entry"]
    entry = Entry(**entry | {"bands": tuple(entry["bands"]), "members": tuple(entry["members"])})
    test = values["test"] and StampSet(**values["test"])
    return Job(
        *(entry, StampSet(**values["data"]), test, plan_from_values(values["plan"])),
        **{name: values[name] for name in ("seed", "split_seed", "sha256", "population")},
    )


def is_done(folder: Path) -> bool:
    """Whether a job's scores and costs are there."""
    return (folder / "costs.json").is_file()


def run_job(folder: Path) -> None:
    """Do a job, or go on with it: leaves ``scores.npz`` and then ``costs.json``.

    Parameters
    ----------
    folder : Path
        With ``job.json``.
    """
    with lock(folder):
        remove_litter(folder)
        with _Clock(folder / "wall_s.txt") as clock:
            job = job_from_dict(read_json(folder / "job.json", remedy="choose another output"))
            split = open_split(
                job.data, job.test, test_fraction=job.plan.test_fraction, seed=job.split_seed, bands=job.entry.bands
            )
            found = _RUNNERS[job.entry.kind](job, split, folder)
            costs = found.pop("costs")
            write_whole(folder / "scores.npz", lambda file: np.savez(file, **found))
            write_costs(folder / "costs.json", costs, wall_s=clock.seconds())


def _run_network(job: Job, split: Split, folder: Path) -> dict[str, Any]:
    from lensdetect.challenge.networks import run_network

    return run_network(job.entry.name, split, folder, plan=job.plan, seed=job.seed)


def _run_classical(job: Job, split: Split, folder: Path) -> dict[str, Any]:
    from lensdetect.challenge.features import run_classical

    return run_classical(job.entry.name, split, folder, plan=job.plan, seed=job.seed)


def _run_oracle(job: Job, split: Split, folder: Path) -> dict[str, Any]:
    from lensdetect.challenge.oracle import manifest_population, oracle_scores

    chosen, whole = split.test, (job.test or job.data).open()[1]
    population = None if job.population is None else manifest_population({"population": job.population}, whole)
    began = time.perf_counter()
    scores = oracle_scores(
        chosen.whole, chosen.rows, survey=whole, seed=job.seed, bands=job.entry.bands, population=population
    )
    costs = Costs(scoring_stamps_per_s=len(scores) / (time.perf_counter() - began))
    return {"test": scores, "costs": costs}


_RUNNERS = {"network": _run_network, "classical": _run_classical, "oracle": _run_oracle}


class _Clock:
    """Time that all processes have spent on a job; ends the process when its parent has gone."""

    def __init__(self, path: Path):
        self._path, self._began = path, time.monotonic()
        self._before = float(path.read_text()) if path.is_file() else 0.0
        self._parent, self._ended = os.getppid(), threading.Event()

    def __enter__(self) -> _Clock:
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self._ended.set()

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_S):
            if os.getppid() != self._parent:
                os._exit(1)
            # On a full disk the clock stands still and the job ends by itself; the parent is looked for as before.
            with contextlib.suppress(OSError):
                write_text(self._path, f"{self.seconds():.1f}", durable=False)
