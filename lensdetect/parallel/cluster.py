"""Tasks on the workers of a Dask scheduler."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import islice

from lensdetect.errors import InputError, one_line
from lensdetect.parallel.processes import Died

logger = logging.getLogger(__name__)

_CONNECT_S = 15
#: How long a scheduler may be without any worker: a queue of batch jobs is better waited for elsewhere.
_WORKERS_S = 300
#: Between two looks for results, and for workers.
_POLL_S, _LOOK_S = 0.05, 5.0
#: Tasks that the scheduler has, for each thread of its workers, and at least: none of them waits for the next.
_PER_THREAD, _LEAST = 3, 16


def run_on_cluster(work: Callable, tasks: Iterable, *, scheduler: str) -> Iterator[tuple]:
    """Do tasks on the workers of a Dask scheduler.

    The scheduler itself tries a task again whose worker dies, as often as its
    setting ``distributed.scheduler.allowed-failures`` says (3 times by default).
    What is at work when the results are given up is done to its end, as Dask
    cannot end a task.

    Parameters
    ----------
    work, tasks, scheduler
        As ``run_tasks`` takes them.

    Yields
    ------
    tuple
        Task and result, or ``Died``; as each is there.

    Raises
    ------
    InputError
        If there is no scheduler at the address, it is lost, or it has no
        workers for 5 minutes.
    """
    # Dask takes half a second to import, which nobody else should wait for.
    from distributed import Client, KilledWorker, as_completed

    where = {"scheduler_file": scheduler} if scheduler.endswith(".json") else {"address": scheduler}
    try:
        client = Client(**where, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"a Dask scheduler must answer at {scheduler}, got none within {_CONNECT_S} s "
            f"({one_line(error)}): start one, or leave --scheduler out"
        ) from error
    with _without_tracebacks(), client:
        done, crew = as_completed(loop=client.loop), _Crew(client, scheduler)
        left, begun = iter(tasks), {}
        while True:
            for task in islice(left, max(crew.room - len(begun), 0)):
                future = client.submit(work, task, pure=False)
                begun[future.key] = task
                done.add(future)
            if not begun:
                return
            crew.wait_for(done)
            future = next(done)
            try:
                result = future.result()
            except KilledWorker as error:
                result = Died(f"its worker was killed each time: {one_line(error)}")
            except (CancelledError, OSError) as error:
                # or it is what the work raises
                if future.status == "error":
                    raise
                raise _lost(scheduler, error) from error
            yield begun.pop(future.key), result


@contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Keep Dask from printing how it lost its scheduler: that is said in one line of ours."""
    talker = logging.getLogger("distributed.client")
    level = talker.level
    talker.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        talker.setLevel(level)


class _Crew:
    """The workers of a scheduler, waited for, but not for ever; and how many tasks there is room for."""

    def __init__(self, client, scheduler: str):
        self._client, self._scheduler = client, scheduler
        self._seen_s = time.monotonic()
        self._told = False
        self._look()

    def wait_for(self, done) -> None:
        """Wait until there is a result; look from time to time whether anybody is at work."""
        while True:
            if time.monotonic() - self._looked_s >= _LOOK_S:
                self._look()
            if done.has_ready():
                return
            time.sleep(_POLL_S)

    def _look(self) -> None:
        self._looked_s = time.monotonic()
        try:
            threads = self._client.nthreads()
        except (CancelledError, OSError, TimeoutError) as error:
            raise _lost(self._scheduler, error) from error
        self.room = max(_PER_THREAD * sum(threads.values()), _LEAST)
        if threads:
            self._seen_s, self._told = time.monotonic(), False
        elif time.monotonic() - self._seen_s > _WORKERS_S:
            raise InputError(
                f"the Dask scheduler at {self._scheduler} must have workers, got none for {_WORKERS_S} s: "
                "start some and give the same command to go on"
            )
        elif not self._told:
            logger.warning("the Dask scheduler at %s has no workers: waiting %d s for one", self._scheduler, _WORKERS_S)
            self._told = True


def _lost(scheduler: str, error: BaseException) -> InputError:
    return InputError(
        f"the Dask scheduler at {scheduler} must stay until the end, and was lost ({one_line(error)}): "
        "start one and give the same command to go on"
    )
