"""Tasks, wherever they are done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from lensdetect.errors import InputError, LensdetectError
from lensdetect.parallel.cluster import run_on_cluster
from lensdetect.parallel.processes import RETRIES, Died, run_in_processes

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def run_tasks(
    work: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    retries: int = RETRIES,
) -> Iterator[tuple[_Task, _Result | Died]]:
    """Do tasks here, in processes, or on the workers of a Dask scheduler.

    Parameters
    ----------
    work : callable
        Called with each task. It, the tasks and the results can be pickled,
        unless all is done in this process.
    tasks : iterable
        Taken one by one, as there is room for them.
    workers : int, optional
        Processes, by default one a core; 1 is this process itself, in which
        tasks are done in their order when the next result is asked for.
    scheduler : str, optional
        Address such as ``tcp://10.0.0.1:8786``, or path of the scheduler file, of
        a Dask scheduler whose workers are used instead.
    retries : int
        How often a task is tried again whose process died; a cluster goes by its
        own setting, ``distributed.scheduler.allowed-failures``.

    Returns
    -------
    iterator of tuple
        Task and result, or ``Died``; as each is there. Closed before its end, it
        ends what is at work.

    Raises
    ------
    InputError
        If there are to be fewer than one worker; no scheduler answers, it is
        lost, or has no workers for 5 minutes.
    Exception
        What the work raises, at the result of its task.
    """
    if scheduler is not None:
        return run_on_cluster(work, tasks, scheduler=scheduler)
    workers = (os.cpu_count() or 1) if workers is None else workers
    if workers < 1:
        raise InputError(f"workers must be 1 or more, got {workers}: 1 is this process itself")
    return _run_here(work, tasks) if workers == 1 else run_in_processes(work, tasks, workers=workers, retries=retries)


def _run_here(work: Callable, tasks: Iterable) -> Iterator[tuple]:
    for task in tasks:
        yield task, work(task)


def survived(done: Iterable[tuple[_Task, _Result | Died]]) -> Iterator[_Result]:
    """Results of work of which no task may be lost.

    Parameters
    ----------
    done : iterable of tuple
        From ``run_tasks``.

    Yields
    ------
    object
        Results, as each is there.

    Raises
    ------
    LensdetectError
        If a task killed its processes.
    """
    for _, result in done:
        if isinstance(result, Died):
            raise LensdetectError(
                f"a task must live to its end, but {result.reason} (out of memory?): "
                "run the same again to go on, with fewer workers"
            )
        yield result
