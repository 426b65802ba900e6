"""Work that threads do ahead, while its results are waited for elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def ahead(
    work: Callable[[_Task], _Result], tasks: Iterable[_Task], *, threads: int = 1, depth: int | None = None
) -> Iterator[_Result]:
    """Results of some work in the order of its tasks, the next few of which are done meanwhile.

    Parameters
    ----------
    work : callable
        Called with each task, in as many threads at once. What it raises is
        raised here, in its turn.
    tasks : iterable
        Taken one by one.
    threads : int
    depth : int, optional
        Tasks that are begun beside the one asked for, at most; as many as there
        are threads if not given.

    Yields
    ------
    object
        When it is closed, it waits for what is at work: files must not be closed
        under its hands.
    """
    depth = threads if depth is None else depth
    pool = ThreadPoolExecutor(threads, thread_name_prefix="ahead")
    begun: deque[Future] = deque()
    try:
        for task in tasks:
            begun.append(pool.submit(work, task))
            if len(begun) > depth:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
