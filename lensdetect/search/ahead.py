"""Work that is done ahead, while its results are waited for elsewhere."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

_T = TypeVar("_T")


def ahead(items: Iterator[_T], *, depth: int = 2) -> Iterator[_T]:
    """The same items, of which the next few are made in a thread meanwhile.

    Parameters
    ----------
    items : iterator
        An error that it raises is raised here, in its turn.
    depth : int
        How many may be ready.

    Yields
    ------
    object
        In the same order.
    """
    ready: queue.Queue = queue.Queue(maxsize=depth)
    stop = threading.Event()
    thread = threading.Thread(target=_make, args=(items, ready, stop), daemon=True)
    thread.start()
    try:
        while True:
            item, error, more = ready.get()
            if error is not None:
                raise error
            if not more:
                return
            yield item
    finally:
        stop.set()
        # It may be waiting for a place: files must not be closed under its hands.
        while thread.is_alive():
            _drain(ready)
            thread.join(timeout=0.05)


def _make(items: Iterator, ready: queue.Queue, stop: threading.Event) -> None:
    try:
        for item in items:
            if stop.is_set():
                return
            ready.put((item, None, True))
        ready.put((None, None, False))
    except BaseException as error:
        ready.put((None, error, False))


def _drain(ready: queue.Queue) -> None:
    try:
        while True:
            ready.get_nowait()
    except queue.Empty:
        return
