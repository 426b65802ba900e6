"""Files and folders that are on disk whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lensdetect.errors import InputError

#: How names of what is not whole yet begin and end; each writer has one of its own.
PARTIAL_PATTERN = ".*.partial"
#: What file systems answer that cannot flush a folder, or anything.
_CANNOT_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM}


def partial_path(path: Path) -> Path:
    """Where a file or folder is until it is whole: beside its place, under a name that no other writer has."""
    # containers give all processes the same few numbers, so the number of a process alone tells no two writers apart
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(3)}.partial")


def commit(partial: Path, path: Path) -> None:
    """Put what is written whole in its place.

    All that lensdetect writes comes to be on disk by this one step, so that a
    test can let the n-th of them fail, or kill the process there.

    Parameters
    ----------
    partial : Path
        File or folder, complete.
    path : Path
        Where it shall be; a file there is replaced.
    """
    os.replace(partial, path)


def write_whole(path: Path | str, write: Callable, *, durable: bool = True) -> None:
    """Write a file whole or not at all.

    Parameters
    ----------
    path : path
        Where the file shall be.
    write : callable
        Called with an open binary file; what it wrote is renamed into place
        when it returns, and removed if it raises.
    durable : bool
        Whether the file shall outlive a power cut as well: it is flushed to the
        disk before it counts. That takes milliseconds, many times as long as to
        write a small file, so leave it out where thousands are written that can
        be made again, or are flushed together by ``sync``.
    """
    path = Path(path)
    partial = partial_path(path)
    try:
        with open(partial, "wb") as file:
            write(file)
            if durable:
                file.flush()
                _flush(file.fileno())
        commit(partial, path)
        if durable:
            _sync_each([path.parent])
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path | str, text: str, *, durable: bool = True) -> None:
    """Write a text in UTF-8, whole or not at all.

    Parameters
    ----------
    path : path
    text : str
    durable : bool
        As ``write_whole`` takes it.
    """
    write_whole(path, lambda file: file.write(text.encode()), durable=durable)


def write_json(path: Path | str, values: Any, *, sort_keys: bool = False, durable: bool = True) -> None:
    """Write plain values as JSON, whole or not at all.

    Parameters
    ----------
    path : path
    values : object
        What JSON can hold.
    sort_keys : bool
        Whether names are sorted.
    durable : bool
        As ``write_whole`` takes it.
    """
    write_text(path, json.dumps(values, indent=2, sort_keys=sort_keys) + "\n", durable=durable)


def read_json(path: Path | str, *, remedy: str) -> dict[str, Any]:
    """Read what ``write_json`` wrote of a dictionary.

    Parameters
    ----------
    path : path
    remedy : str
        What to do where it is damaged, for the message.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If it cannot be read, is no JSON or no dictionary.
    """
    try:
        values = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path} must be a file that can be read, got {error.strerror or error}: {remedy}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} must be JSON as lensdetect wrote it, got {error}: {remedy}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path} must hold names with values as lensdetect wrote it, got {values!r:.60}: {remedy}")
    return values


def write_folder(folder: Path | str, write: Callable[[Path], Any], *, replace: bool = False) -> Any:
    """Write a folder whole or not at all, and so that it outlives a power cut.

    Parameters
    ----------
    folder : path
        Where it shall be: new, or empty.
    write : callable
        Called with an empty folder beside, which is renamed into place when it
        returns, and removed if it raises.
    replace : bool
        Whether a folder that is there gives way; it stays if anything fails.

    Returns
    -------
    object
        What ``write`` returned.

    Raises
    ------
    OSError
        If it cannot be written, or the place is taken.
    """
    folder = Path(folder)
    # the leading dot keeps servers that watch the parent from loading it half written
    partial, old = partial_path(folder), partial_path(folder)
    try:
        partial.mkdir(parents=True)
        result = write(partial)
        _sync_each([*partial.rglob("*"), partial])
        if replace and folder.exists():
            os.rename(folder, old)
        try:
            commit(partial, folder)
        except BaseException:
            if old.exists():
                os.rename(old, folder)
            raise
        _sync_each([folder.parent])
    finally:
        for left in (partial, old):
            shutil.rmtree(left, ignore_errors=True)
    return result


def sync_all() -> None:
    """Flush all that was written without ``durable``, before what says that it is there: once for all files."""
    if hasattr(os, "sync"):  # there is none on Windows
        os.sync()


def _sync_each(paths: Iterable[Path]) -> None:
    """Flush files and folders; a folder stands for the names in it."""
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            # Windows opens no folder
            if error.errno in _CANNOT_SYNC:
                continue
            raise
        try:
            _flush(descriptor)
        finally:
            os.close(descriptor)


def _flush(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


@contextmanager
def writable(where: Path | str, *, what: str = "results", remedy: str | None = None) -> Iterator[None]:
    """Say in one line what the system says when it cannot write.

    Parameters
    ----------
    where : path
        Where is written to.
    what : str
        What is written, in the plural.
    remedy : str, optional
        The way out.

    Yields
    ------
    None

    Raises
    ------
    InputError
        Instead of ``OSError``.
    """
    try:
        yield
    except OSError as error:
        way_out = remedy or "make room or choose another folder, then run the same again"
        raise InputError(f"{what} must be writable to {where}, got {error.strerror or error}: {way_out}") from error


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it; what is not there is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
