"""Reading in a process of its own, which may die or hang without harm to the run.

The decompressors of FITS and HDF5 are C libraries that a hostile or damaged file
can bring down or send round for ever. Processes that live long - one for each
thread that asks - run a function of the package on a file and hand back its
arrays; one that dies or takes too long is replaced, and its file is refused with
that reason. What comes back is JSON and plain bytes: nothing that could run here.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from lensdetect.errors import InputError, LensdetectError, reason_of

#: Seconds that a file may take: a hundred times what the largest image of an object needs.
LIMIT_S = 60.0

#: Address space of a reader; what a file needs more is a claim that cannot be true.
_MEMORY_BYTES = 8 << 30

#: Seconds in which a reader must have started, on a machine with other work.
_START_S = 120.0

#: Seconds beyond its own limit after which a reader is ended from outside.
_GRACE_S = 5.0

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# the libraries are loaded before it is ready: that takes no time of the first file
_SOURCE = (
    "import sys; sys.path[:] = {path!r}; import lensdetect.images.pixels, lensdetect.images.headers; "
    "from lensdetect.images.apart import serve; serve({number})"
)

_idle: list[_Reader] = []
#: Whether this process is one that reads for another.
_serving = False
_lock = threading.Lock()


def call(task: str, path, *args, limit_s: float | None = None) -> tuple[Any, list[np.ndarray]]:
    """Run a function of the package on a file, in another process.

    May be called from several threads at once.

    Parameters
    ----------
    task : str
        Module and name, ``lensdetect.images.decoding:decode_planes``. Called with
        path and arguments, it returns what JSON can hold, and a list of arrays.
    path : path
        The file; what messages name.
    *args
        What JSON can hold.
    limit_s : float, optional
        Seconds that it may take; ``LIMIT_S`` if not given.

    Returns
    -------
    value : object
    arrays : list of ndarray

    Raises
    ------
    InputError
        What the function raises, or that the process died or took too long.
    """
    with _lock:
        reader = _idle.pop() if _idle else None
    reader = reader or _Reader()
    try:
        found = reader.run(task, str(path), args, LIMIT_S if limit_s is None else limit_s)
    except BaseException:
        # it has died, or may yet answer what nobody waits for any more
        if not reader.is_ready:
            reader.end()
        else:
            _put_back(reader)
        raise
    _put_back(reader)
    return found


def is_expendable() -> bool:
    """Whether this process may die on a file: it reads for another, or is a worker whose death is seen to."""
    return _serving or multiprocessing.parent_process() is not None


def _put_back(reader: _Reader) -> None:
    with _lock:
        _idle.append(reader)


class _Reader:
    """A process that waits for tasks at one end of a socket."""

    def __init__(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            source = _SOURCE.format(path=sys.path, number=theirs.fileno())
            # not by multiprocessing, which would run the user's script again; a library's last words are not shown
            self._process = subprocess.Popen(
                [sys.executable, "-c", source],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | _ONE_THREAD,
            )
            self._connection = Connection(ours.detach())
        self.is_ready = False
        with contextlib.suppress(EOFError, OSError):
            self.is_ready = self._connection.poll(_START_S) and self._connection.recv_bytes() == b"ready"
        if not self.is_ready:
            self.end()
            raise LensdetectError("a process that reads files could not be started: look for free memory")

    def run(self, task: str, path: str, args: tuple, limit_s: float) -> tuple[Any, list[np.ndarray]]:
        self.is_ready = False
        try:
            self._connection.send_bytes(json.dumps([task, path, args, limit_s]).encode())
            if not self._connection.poll(limit_s + _GRACE_S):
                raise InputError(_slow(path, limit_s))
            answer = json.loads(self._connection.recv_bytes())
            arrays = [self._receive(*form) for form in answer["arrays"]]
        except (EOFError, OSError):
            raise InputError(self._last_words(path, limit_s)) from None
        self.is_ready = True
        if answer["error"]:
            raise InputError(answer["error"])
        return answer["value"], arrays

    def _receive(self, dtype: str, shape: list[int]) -> np.ndarray:
        array = np.empty(shape, dtype)
        if array.nbytes:
            self._connection.recv_bytes_into(array.reshape(-1).view(np.uint8).data)
        return array

    def _last_words(self, path: str, limit_s: float) -> str:
        code = self.end()
        if code == -signal.SIGALRM:
            return _slow(path, limit_s)
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return f"{path}: damaged or made to harm: the process that read it died ({how})"

    def end(self) -> int:
        if not self._connection.closed:
            self._connection.close()
        try:
            return self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _slow(path: str, limit_s: float) -> str:
    return f"{path}: damaged or made to harm: reading it took longer than {limit_s:g} s"


@atexit.register
def end_readers() -> None:
    """End the processes that wait; new ones are started when they are needed."""
    with _lock:
        waiting, _idle[:] = _idle[:], []
    for reader in waiting:
        reader.end()


# a forked child must not talk over the sockets of its parent
os.register_at_fork(after_in_child=_idle.clear)


def serve(number: int) -> None:
    """Do tasks until nobody is left to ask; what the process of a reader runs.

    Parameters
    ----------
    number : int
        File descriptor of its end of the socket.
    """
    global _serving
    _serving = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # ends the process also within a C library that never returns, and when the parent is gone
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES if most < 0 else min(most, _MEMORY_BYTES), most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection = Connection(number)
    connection.send_bytes(b"ready")
    with contextlib.suppress(EOFError, OSError):
        while True:
            _answer(connection, *json.loads(connection.recv_bytes()))


def _answer(connection: Connection, task: str, path: str, args: list, limit_s: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    value, arrays, error = None, [], ""
    try:
        module, name = task.split(":")
        value, arrays = getattr(importlib.import_module(module), name)(path, *args)
    except LensdetectError as refusal:
        error = str(refusal)
    # the border of one file: whatever it made somebody raise is its reason
    except Exception as unforeseen:
        error = f"{path}: cannot be read: {reason_of(unforeseen)}"
    signal.setitimer(signal.ITIMER_REAL, 0)
    arrays = [np.ascontiguousarray(array) for array in arrays]
    forms = [(array.dtype.str, array.shape) for array in arrays]
    connection.send_bytes(json.dumps({"error": error, "value": value, "arrays": forms}).encode())
    for array in arrays:
        if array.nbytes:
            connection.send_bytes(array.reshape(-1).view(np.uint8).data)
