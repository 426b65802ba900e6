"""Tasks in this process, or in processes that may die without harm to the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

#: How often a task is tried again after the process that did it died.
RETRIES = 2
#: Threads of the libraries, which would otherwise take all cores in each worker.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
)  # fmt: skip


@dataclass(frozen=True)
class Died:
    """A task whose process was killed every time.

    Parameters
    ----------
    reason : str
    """

    reason: str


def run_here(work: Callable, tasks: Sequence) -> Iterator[tuple]:
    """Do tasks in this process.

    Parameters
    ----------
    work : callable
        Called with each task.
    tasks : sequence

    Yields
    ------
    tuple
        Task and result.
    """
    for task in tasks:
        yield task, work(task)


def run_in_processes(work: Callable, tasks: Sequence, *, workers: int, retries: int = RETRIES) -> Iterator[tuple]:
    """Do tasks in processes, each of which has one task at a time.

    So it is known which task a process had that is killed (by the operating
    system, for want of memory): that one is tried again in a new process, and
    given up when it has killed ``retries + 1`` of them.

    Parameters
    ----------
    work : callable
        It, the tasks and the results can be pickled; it raises nothing.
    tasks : sequence
    workers : int
        Processes.
    retries : int
        How often a task is tried again.

    Yields
    ------
    tuple
        Task and result, or ``Died``; as each is there.
    """
    waiting, deaths = deque(range(len(tasks))), Counter()
    crew: list[_Worker] = []
    with _threads_each(max(1, (os.cpu_count() or 1) // workers)):
        try:
            while waiting or any(worker.busy for worker in crew):
                _hand_out(waiting, tasks, crew, work=work, workers=workers)
                ready = set(wait([worker.connection for worker in crew if worker.busy]))
                for worker in [worker for worker in crew if worker.connection in ready]:
                    number = worker.task
                    try:
                        yield tasks[number], worker.take()
                    except (EOFError, OSError):
                        deaths[number] += 1
                        reason = worker.bury()
                        crew.remove(worker)
                        if deaths[number] <= retries:
                            waiting.appendleft(number)
                        else:
                            yield tasks[number], Died(f"its worker {reason} {deaths[number]} times")
        finally:
            for worker in crew:
                worker.dismiss()


def _hand_out(waiting: deque[int], tasks: Sequence, crew: list[_Worker], *, work: Callable, workers: int) -> None:
    """Give a task to each worker that has none; start those that are lacking."""
    idle = [worker for worker in crew if not worker.busy]
    while waiting and (idle or len(crew) < workers):
        if not idle:
            idle.append(_Worker(work))
            crew.append(idle[0])
        number = waiting.popleft()
        idle.pop(0).give(number, tasks[number])


class _Worker:
    """A process that waits for tasks at one end of a pipe."""

    def __init__(self, work: Callable):
        # spawned, not forked: a forked child of a process with TensorFlow's threads can hang
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.task: int | None = None
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def busy(self) -> bool:
        return self.task is not None

    def give(self, number: int, task) -> None:
        self.task = number
        try:
            self.connection.send(task)
        except OSError:
            # It died while idle: the pipe is at its end, which take() finds.
            pass

    def take(self):
        result = self.connection.recv()
        self.task = None
        return result

    def bury(self) -> str:
        self.connection.close()
        self._process.join(timeout=10)
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"was killed (signal {-code}, {signal.Signals(-code).name})"
        return f"ended (exit status {code})"

    def dismiss(self) -> None:
        if not self.connection.closed:
            self.connection.close()
        self._process.terminate()
        self._process.join(timeout=10)


def _serve(connection: Connection, work: Callable) -> None:
    # Interrupts are the parent's business; and without a parent there is nobody to work for.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        connection.send(work(task))


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
