"""Networks that were published under several names."""

from __future__ import annotations

from collections.abc import Sequence

from lensdetect.challenge.job import Job
from lensdetect.network import DETECTORS


def twin(job: Job, jobs: Sequence[Job]) -> Job | None:
    """The first of some jobs that would do the very same training, if that is not the job itself.

    Lens Detectors 13, 14, 15 and 21 have one architecture, for example; with the
    same stamps, recipe and seed they are one detector.

    Parameters
    ----------
    job : Job
    jobs : sequence of Job
        With the job among them.

    Returns
    -------
    Job or None
        None if the job has to be done, as it does for all that is no network.
    """
    if job.entry.kind != "network":
        return None
    first = next(other for other in jobs if other.entry.kind == "network" and _training(other) == _training(job))
    return None if first.entry == job.entry else first


def _training(job: Job) -> tuple:
    """All that decides what a network becomes."""
    plan = job.plan.training_plan(job.entry.name, bands=())
    return DETECTORS[job.entry.name], job.entry.bands, plan, job.seed
