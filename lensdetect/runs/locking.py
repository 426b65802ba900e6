"""One run a folder: a lock that ends with its process, however that ends."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lensdetect.errors import InputError
from lensdetect.runs.writing import writable

try:
    import fcntl
except ImportError:  # there is none on Windows
    fcntl = None

logger = logging.getLogger(__name__)

#: In the folder as long as it is held; who holds it is written there.
LOCK_NAME = ".lock"
#: How often the holder is looked for that has locked and not yet said who it is, with 0.05 s between.
_LOOKS = 10


@contextmanager
def lock(folder: Path | str) -> Iterator[bool]:
    """Hold a folder as long as the block lasts; nobody else can then.

    The system itself takes the lock away when the process ends, also by
    ``kill -9``. Worker processes need none: who holds it is the run that they
    work for. Where the file system knows no locks (some network folders), a
    warning says so and the block runs without.

    Parameters
    ----------
    folder : path
        Is created if need be.

    Yields
    ------
    bool
        Whether the folder is locked.

    Raises
    ------
    InputError
        If another run holds it (the message says which), or it cannot be written.
    """
    folder = Path(folder)
    with writable(folder, remedy="choose another folder"):
        folder.mkdir(parents=True, exist_ok=True)
    file, held = _take(folder)
    with file:
        try:
            if held:
                _say_who(file)
            yield held
        finally:
            # while it is held, so that nobody has a lock on what is removed
            with contextlib.suppress(OSError):
                (folder / LOCK_NAME).unlink()


def _take(folder: Path) -> tuple[BinaryIO, bool]:
    """The open file of the lock, and whether it is locked."""
    while True:
        with writable(folder, remedy="choose another folder"):
            file = open(folder / LOCK_NAME, "a+b")  # noqa: SIM115, it is held open
        try:
            held = _lock(file, folder)
        except BaseException:
            file.close()
            raise
        if not held or _is_there(file, folder / LOCK_NAME):
            return file, held
        # its holder removed it in between: who opens it now has another file
        file.close()


def _is_there(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _lock(file: BinaryIO, folder: Path) -> bool:
    if fcntl is None:
        return _without(folder, "this operating system has none")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise InputError(
                f"{folder} must have one run at a time, and {_holder(file)} is at work there: "
                "wait until that has ended, or choose another folder"
            ) from None
        return _without(folder, error.strerror or str(error))
    return True


def _without(folder: Path, why: str) -> bool:
    logger.warning("%s cannot be locked (%s): take care that no second run is started there", folder, why)
    return False


def _say_who(file: BinaryIO) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    who = {"process": os.getpid(), "host": socket.gethostname(), "since": since, "command": command}
    try:
        file.truncate(0)
        file.write(json.dumps(who).encode())
        file.flush()
    except OSError as error:
        # it is held without as well, so a full disk ends nothing here
        logger.debug("who holds %s could not be written: %s", file.name, error)


def _holder(file: BinaryIO) -> str:
    for _ in range(_LOOKS):
        try:
            file.seek(0)
            who = json.loads(file.read())
            return f"process {who['process']} on {who['host']} since {who['since']} ({who['command']})"
        except (OSError, ValueError, KeyError, TypeError):
            time.sleep(0.05)
    return "another process, which does not say who it is,"
