"""Tasks in processes that may die without harm to the others."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

from lensdetect.errors import LensdetectError, reason_of

#: How often a task is tried again after the process that did it died.
RETRIES = 2
#: Threads of the libraries, which would otherwise take all cores in each worker.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)  # fmt: skip
#: Seconds for a process to end when it is asked to.
_GRACE_S = 10.0


@dataclass(frozen=True)
class Died:
    """A task whose process was killed every time.

    Parameters
    ----------
    reason : str
    """

    reason: str


def run_in_processes(work: Callable, tasks: Iterable, *, workers: int, retries: int = RETRIES) -> Iterator[tuple]:
    """Do tasks in processes, each of which has one task at a time.

    So it is known which task a process had that is killed (by the operating
    system, for want of memory): that one is tried again in a new process, and
    given up when it has killed ``retries + 1`` of them.

    Parameters
    ----------
    work, tasks, workers, retries
        As ``run_tasks`` takes them.

    Yields
    ------
    tuple
        Task and result, or ``Died``; as each is there.
    """
    left, again, deaths = enumerate(tasks), deque(), Counter()
    crew: list[_Worker] = []
    try:
        while _hand_out(left, again, crew, work=work, workers=workers):
            ready = set(wait([worker.connection for worker in crew if worker.busy]))
            for worker in [worker for worker in crew if worker.connection in ready]:
                number, task = worker.task
                answer = worker.take()
                if answer is not None:
                    yield task, _unpacked(answer)
                    continue
                deaths[number] += 1
                reason = worker.bury()
                crew.remove(worker)
                if deaths[number] <= retries:
                    again.append((number, task))
                else:
                    yield task, Died(f"its worker {reason} {deaths[number]} times")
    finally:
        for worker in crew:
            worker.ask_to_end()
        for worker in crew:
            worker.bury()


def _hand_out(left: Iterator, again: deque, crew: list[_Worker], *, work: Callable, workers: int) -> bool:
    """Give a task to each worker that has none, start those that are lacking; whether any is at work."""
    idle = [worker for worker in crew if not worker.busy]
    while idle or len(crew) < workers:
        task = again.popleft() if again else next(left, None)
        if task is None:
            break
        if not idle:
            idle.append(_Worker(work, threads=max(1, (os.cpu_count() or 1) // workers)))
            crew.append(idle[0])
        idle.pop(0).give(task)
    return any(worker.busy for worker in crew)


class _Worker:
    """A process that waits for tasks at one end of a pipe."""

    def __init__(self, work: Callable, *, threads: int):
        # spawned, not forked: a forked child of a process with TensorFlow's threads can hang
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.task: tuple | None = None
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        with _threads_each(threads):
            self._process.start()
        theirs.close()

    @property
    def busy(self) -> bool:
        return self.task is not None

    def give(self, task: tuple) -> None:
        self.task = task
        # If it died while idle the pipe is at its end, which take() finds.
        with suppress(ConnectionError):
            self.connection.send(task[1])

    def take(self) -> bytes | None:
        """Its answer; None if it died."""
        self.task = None
        with suppress(EOFError, ConnectionError):
            return self.connection.recv_bytes()
        return None

    def ask_to_end(self) -> None:
        self.connection.close()
        self._process.terminate()

    def bury(self) -> str:
        self.connection.close()
        self._process.join(timeout=_GRACE_S)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        code = self._process.exitcode
        if code < 0:
            return f"was killed (signal {-code}, {signal.Signals(-code).name})"
        return f"ended (exit status {code})"


def _serve(connection: Connection, work: Callable) -> None:
    # Interrupts are the parent's business; and without a parent there is nobody to work for.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # asked to end, it leaves no half-written file behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    with suppress(EOFError, ConnectionError):
        while True:
            connection.send_bytes(_answer(work, connection.recv()))


def _answer(work: Callable, task) -> bytes:
    """Result of a task, or what it raised, which may be that the result cannot be pickled."""
    try:
        return pickle.dumps((work(task), None))
    except Exception as error:
        error.add_note(f"in a process of its own:\n{traceback.format_exc()}")
        return _packed(error)


def _packed(error: Exception) -> bytes:
    try:
        packed = pickle.dumps((None, error))
        pickle.loads(packed)
    # an error of a kind that cannot be pickled says at least what it says
    except Exception:
        return pickle.dumps((None, LensdetectError(reason_of(error))))
    return packed


def _unpacked(answer: bytes):
    result, error = pickle.loads(answer)
    if error is not None:
        raise error
    return result


def _exit_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


@contextmanager
def _threads_each(threads: int) -> Iterator[None]:
    """Let processes that start in here use so many threads each."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
