"""Work spread over processes that do not disturb each other or outlive their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from lensdetect.errors import LensdetectError

#: Libraries that would start threads of their own in every worker.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def map_unordered(work: Callable[[int], int], items: Iterable[int], *, workers: int) -> Iterator[int]:
    """Results of a function over items, each as soon as it is there.

    An interrupt lets the items that are being worked on finish, and starts no
    other.

    Parameters
    ----------
    work : callable
        It and its results can be pickled.
    items : iterable of int
    workers : int
        Processes; with 1 the work is done in this one.

    Yields
    ------
    int
        In no certain order.

    Raises
    ------
    LensdetectError
        If a process is killed from outside.
    """
    if workers == 1:
        yield from map(work, items)
        return
    # spawned, not forked: a forked child of a process with TensorFlow's threads can hang
    context = multiprocessing.get_context("spawn")
    with _one_thread_each(), ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise LensdetectError(
                f"all {workers} processes must live to the end, but one was killed (out of memory?): "
                "run the same again to go on, with fewer workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """Leave interrupts to the parent, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that start in here use one thread each: there is a process for every core."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
