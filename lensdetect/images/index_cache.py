"""Headers that were read before, kept in a file of JSON."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from lensdetect.errors import InputError
from lensdetect.images.bounds import TILE_PIXELS
from lensdetect.images.headers import FileHeaders, plane_of, read_headers
from lensdetect.runs import has_settled, stat_key, write_whole

#: Of the form of the file; another one is read again from the images.
_VERSION = 4


class HeaderCache:
    """Headers of files, opened only where the system says that they have changed: by size, times or place on the disk.

    Parameters
    ----------
    path : path or None
        The file; None keeps nothing.
    max_pixels : int
        Pixels that an image may have.

    Attributes
    ----------
    files_read : int
        How many files had to be opened.
    """

    def __init__(self, path: Path | str | None, *, max_pixels: int = TILE_PIXELS):
        self.max_pixels = max_pixels
        self.path = None if path is None else Path(path)
        self.files_read = 0
        self._known = self._load()
        self._used: dict[str, dict] = {}

    def _load(self) -> dict[str, dict]:
        if self.path is None or not self.path.is_file():
            return {}
        try:
            table = json.loads(self.path.read_text())
            return table["files"] if table["version"] == _VERSION else {}
        # a cache that cannot be read is made anew
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def headers(self, path: Path) -> FileHeaders:
        """Headers of a file.

        Parameters
        ----------
        path : Path

        Returns
        -------
        FileHeaders

        Raises
        ------
        InputError
            If it cannot be read.
        """
        name = str(path.resolve())
        stat = stat_key(path)
        record = self._known.get(name)
        if record is None or record["stat"] != [*stat]:
            record = {"stat": [*stat], **self._read(path)}
        if has_settled(stat):
            self._used[name] = record
        if record["problem"]:
            raise InputError(record["problem"])
        return FileHeaders(tuple(map(plane_of, record["planes"])), record["offsets_mag"])

    def _read(self, path: Path) -> dict:
        self.files_read += 1
        try:
            return {"problem": "", **dataclasses.asdict(read_headers(path, max_pixels=self.max_pixels))}
        except InputError as error:
            return {"problem": str(error), "planes": [], "offsets_mag": {}}

    def save(self) -> None:
        """Write what was asked for; nothing where nothing is kept or all was known.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        if self.path is None or self._used == self._known:
            return
        text = json.dumps({"version": _VERSION, "files": self._used})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, lambda file: file.write(text.encode()), durable=False)
        except OSError as error:
            raise InputError(
                f"the index of tiles must be writable to {self.path}, got {error.strerror}: choose another place"
            ) from error
