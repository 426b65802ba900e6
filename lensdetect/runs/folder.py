"""The folder of a run: whose it is, so that only the same run goes on in it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lensdetect.errors import InputError
from lensdetect.runs.locking import lock
from lensdetect.runs.writing import PARTIAL_PATTERN, read_json, remove, writable, write_json


@contextmanager
def open_run(
    folder: Path | str,
    manifest: dict[str, Any],
    *,
    file_name: str,
    work: str,
    free: Collection[str] = (),
    within: Collection[str] = (),
    beside: Collection[str] = (),
) -> Iterator[dict[str, Any]]:
    """Hold the folder of a run: new, empty, or begun for the same.

    The manifest is the first file that is written, so that a run which is
    stopped anywhere, or finds the disk full, leaves a folder that can go on.

    Parameters
    ----------
    folder : path
        Is created if need be, and locked until the block ends.
    manifest : dict
        All that decides what the run makes, in plain values. One that is there
        has to say the same, and stays.
    file_name : str
        Of the manifest.
    work : str
        What kind of run it is, for messages: "search", "simulation".
    free : collection of str
        Names in the manifest that may differ; what is there stays.
    within : collection of str
        Folders in it, also as patterns with ``*``, from which half-written files
        of killed processes are removed as well.
    beside : collection of str
        Names of what may be in the folder before the run begins.

    Yields
    ------
    dict
        What the manifest in the folder says.

    Raises
    ------
    InputError
        If another run holds the folder, it holds something else, or it cannot
        be written; the message names the first difference with both values.
    """
    folder, manifest = Path(folder), json.loads(json.dumps(manifest))
    with lock(folder) as held:
        with writable(folder, what=f"a {work}", remedy="make room or choose another folder"):
            if held:
                remove_litter(folder, within=within)
            found = _begin_or_check(folder, manifest, file_name=file_name, work=work, free=free, beside=beside)
        yield found


def _begin_or_check(
    folder: Path, manifest: dict, *, file_name: str, work: str, free: Collection[str], beside: Collection[str]
) -> dict:
    path = folder / file_name
    if path.exists():
        found = read_json(path, remedy=f"choose another folder, or remove {folder} and run the same again")
        check_same(found, manifest, folder=folder, work=work, free=free)
        return found
    if taken := _first_file(folder, beside=beside):
        raise InputError(
            f"{folder} must be empty or hold this {work}, got {taken} and no {file_name}: choose another folder"
        )
    write_json(path, manifest, sort_keys=True)
    return manifest


def _first_file(folder: Path, *, beside: Collection[str]) -> str:
    """Name of what takes a folder; hidden files and empty folders do not."""
    for entry in sorted(folder.iterdir()):
        counts = not entry.name.startswith(".") and entry.name not in beside
        if counts and not (entry.is_dir() and not any(entry.iterdir())):
            return entry.name
    return ""


def check_same(
    found: dict[str, Any], wanted: dict[str, Any], *, folder: Path, work: str, free: Collection[str] = ()
) -> None:
    """Check that a folder was begun for the same as is asked for now.

    Parameters
    ----------
    found, wanted : dict
        What its manifest says, and what it shall say; dictionaries in them too.
    folder : Path
    work : str
        As ``open_run`` takes it.
    free : collection of str
        Outermost names that may differ.

    Raises
    ------
    InputError
        If they differ; the message names the first difference with both values.
    """
    kept, asked = ({key: value for key, value in one.items() if key not in free} for one in (found, wanted))
    there, here = _flat(kept), _flat(asked)
    for name, value in here.items():
        if name not in there or there[name] != value:
            raise InputError(
                f"{folder} holds another {work}: {name} is {_short(there.get(name))} there and {_short(value)} here: "
                f"choose another folder, or ask for the same {work} to finish it"
            )


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        name = f"{prefix}{key}"
        flat.update(_flat(value, f"{name}.") if isinstance(value, dict) else {name: value})
    return flat


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def remove_litter(folder: Path, *, within: Collection[str] = ()) -> None:
    """Remove what processes that were killed had not written to the end; only for who holds the lock.

    Parameters
    ----------
    folder : Path
    within : collection of str
        Folders in it, also as patterns with ``*``, that are looked through as well.
    """
    for place in ("", *(f"{name}/" for name in within)):
        for left in list(folder.glob(f"{place}{PARTIAL_PATTERN}")):
            remove(left)
