"""Keys: digests of all that a kept result follows from. Where one differs, the result is made again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from lensdetect.runs.writing import write_json

#: A file up to this size is read whole.
_WHOLE_BYTES = 16 * 2**20
#: Of a larger one so many blocks of this size, from the first bytes to the last.
_BLOCKS, _BLOCK_BYTES = 32, 2**14
#: FITS: headers are made of records of 2880 bytes with cards of 80.
_RECORD_BYTES, _CARD_BYTES = 2880, 80
#: What is looked at of headers at most; more is no header.
_MOST_RECORDS, _MOST_UNITS = 1000, 200

#: The largest step of a file system's clock.
_STEP_NS = 2_000_000_000

_PACKAGE = Path(__file__).resolve().parents[1]


def key_of(*values: Any) -> str:
    """Digest of plain values.

    Parameters
    ----------
    *values : object
        What JSON can hold; the order of names in a dictionary does not matter.

    Returns
    -------
    str
        SHA-256 in hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def stat_key(path: Path | str) -> tuple[int, int, int, int]:
    """What tells without reading that a file is the one it was: size, both times, place on the disk.

    The time of the last change of anything (``ctime``) is among it, which no
    program can set back, as ``cp -p``, ``rsync -t`` and ``touch`` do with the
    other one.

    Parameters
    ----------
    path : path

    Returns
    -------
    tuple of int
        Bytes, mtime in ns, ctime in ns, inode.

    Raises
    ------
    OSError
        If there is no such file.
    """
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def content_key(path: Path | str, *, whole: bool = False) -> str:
    """Digest of what a file holds, whatever its name.

    Up to 16 MiB all of it is read. Of a larger file (a tile of a survey has
    gigabytes) it is the size, all headers if it is FITS, and 32 blocks of
    16 KiB from its beginning to its end, which another exposure, calibration
    or compression cannot leave alike; and its modification time, since a few
    pixels that are changed in place may lie between the blocks. It is read once
    in a process, unless the system says that the file has changed.

    Parameters
    ----------
    path : path
    whole : bool
        Whether to read all of it, however large; the time is then left out.

    Returns
    -------
    str
        SHA-256 in hexadecimal digits.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    stat = stat_key(path)
    compute = _kept_key if has_settled(stat) else _content_key
    return compute(os.path.realpath(path), whole, stat)


def has_settled(stat: tuple[int, int, int, int]) -> bool:
    """Whether a file changed so long ago that its next change will have another time.

    Clocks of file systems move in steps, some of them of a second or two.

    Parameters
    ----------
    stat : tuple of int
        From ``stat_key``.

    Returns
    -------
    bool
    """
    return time.time_ns() - max(stat[1], stat[2]) > _STEP_NS


@lru_cache(maxsize=100_000)
def _kept_key(path: str, whole: bool, stat: tuple[int, int, int, int]) -> str:
    return _content_key(path, whole, stat)


class KeptKeys:
    """Keys of files, kept in a file of JSON, so that a run which goes on reads only what has changed.

    Parameters
    ----------
    path : path
        The file; one that is damaged is made anew.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self._known = self._load()
        self._used: dict[str, list] = {}

    def _load(self) -> dict[str, list]:
        try:
            found = json.loads(self.path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def __call__(self, path: Path | str) -> str:
        """Key of a file, as ``content_key`` makes it.

        Parameters
        ----------
        path : path

        Returns
        -------
        str

        Raises
        ------
        OSError
            If it cannot be read.
        """
        name, stat = str(path), stat_key(path)
        record = self._known.get(name)
        if not (isinstance(record, list) and record[:-1] == [*stat]):
            record = [*stat, content_key(path)]
        if has_settled(stat):
            self._used[name] = record
        return record[-1]

    def save(self) -> None:
        """Write the keys that were asked for.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        if self._used != self._known:
            write_json(self.path, self._used, durable=False)


def _content_key(path: str, whole: bool, stat: tuple[int, int, int, int]) -> str:
    size, mtime_ns = stat[:2]
    with open(path, "rb") as file:
        if whole or size <= _WHOLE_BYTES:
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256(f"{size} {mtime_ns}".encode())
        for header in _fits_headers(file, size):
            digest.update(header)
        for number in range(_BLOCKS):
            file.seek(number * (size - _BLOCK_BYTES) // (_BLOCKS - 1))
            digest.update(file.read(_BLOCK_BYTES))
    return digest.hexdigest()


def _fits_headers(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Headers of all units of a FITS file; none of another file. What they claim is believed only as far as it fits."""
    start = 0
    for _ in range(_MOST_UNITS):
        file.seek(start)
        header = _read_header(file)
        if not header:
            return
        yield header
        start += len(header) + _data_bytes(header)
        if start >= size:
            return


def _read_header(file: BinaryIO) -> bytes:
    records = []
    for _ in range(_MOST_RECORDS):
        record = file.read(_RECORD_BYTES)
        if len(record) < _RECORD_BYTES or (not records and record[:8] not in (b"SIMPLE  ", b"XTENSION")):
            return b""
        records.append(record)
        if any(record[at : at + 8] == b"END     " for at in range(0, _RECORD_BYTES, _CARD_BYTES)):
            return b"".join(records)
    return b""


def _data_bytes(header: bytes) -> int:
    """Bytes of the data that follow a header, in whole records."""
    values = {}
    for at in range(0, len(header), _CARD_BYTES):
        card = header[at : at + _CARD_BYTES]
        if card[8:10] == b"= ":
            values.setdefault(card[:8].rstrip(), card[10:].split(b"/")[0].strip())

    def number(name: bytes, default: int) -> int:
        text = values.get(name, b"")
        return int(text) if text.lstrip(b"-").isdigit() and len(text) < 20 else default

    elements = 1 if number(b"NAXIS", 0) > 0 else 0
    for axis in range(1, min(number(b"NAXIS", 0), 999) + 1):
        elements *= max(0, number(b"NAXIS%d" % axis, 0))
    elements = max(1, number(b"GCOUNT", 1)) * (max(0, number(b"PCOUNT", 0)) + elements)
    length = abs(number(b"BITPIX", 8)) // 8 * elements
    return -(-length // _RECORD_BYTES) * _RECORD_BYTES


def code_key(*rooms: str) -> str:
    """Version of the code that a result follows from.

    It is the version of the package with a digest of its own sources, so that
    also in a checkout, where code changes and the version does not, results of
    other code are told apart. An installed package of one version has one
    digest. Versions of other packages are not in it.

    Parameters
    ----------
    *rooms : str
        Modules and packages of lensdetect whose sources count: "artifact",
        "network"; all of lensdetect if none is given.

    Returns
    -------
    str
        Such as ``0.1.0+3f786850e387``.

    Raises
    ------
    ValueError
        If there is no such room: a name here is the programmer's.
    """
    return _code_key(tuple(sorted(rooms)))


@lru_cache
def _code_key(rooms: tuple[str, ...]) -> str:
    from lensdetect import __version__

    digest = hashlib.sha256()
    for path in _sources(rooms):
        digest.update(f"{path.relative_to(_PACKAGE).as_posix()} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def _sources(rooms: tuple[str, ...]) -> list[Path]:
    found = []
    for room in rooms or (".",):
        module, folder = _PACKAGE / f"{room}.py", _PACKAGE / room
        here = [module] if module.is_file() else sorted(folder.rglob("*.py"))
        if not here:
            raise ValueError(f"code_key takes modules and packages of lensdetect, got {room}")
        found += here
    return found
