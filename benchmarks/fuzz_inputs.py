"""What ``benchmarks/fuzz.py`` tries: a reader, its good files, and how one input is made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import fuzz_changes
import numpy as np


@dataclass(frozen=True)
class Reader:
    """One reader of the package.

    Parameters
    ----------
    file : str
        Name of the file that is changed.
    seeds : callable
        Gives contents of good files.
    read : callable
        Called with the path of the file.
    expected : callable or None
        The same by another library.
    mutate : callable
        Called with content and random numbers; returns changed content.
    beside : callable or None
        Called with a folder, writes the files that stay good.
    """

    file: str
    seeds: Callable[[], list[bytes]]
    read: Callable[[Path], object]
    expected: Callable[[Path], object] | None = None
    mutate: Callable[[bytes, np.random.Generator], bytes] = field(
        default=lambda data, rng: fuzz_changes.mutate_bytes(data, rng)
    )
    beside: Callable[[Path], None] | None = None


def put(reader: Reader, folder: Path, seeds: list[bytes], *, number: int, seed: int) -> Path:
    """Write one input; the same number and seed give the same bytes."""
    rng = np.random.default_rng([seed, number])
    if reader.beside is not None and not any(folder.iterdir()):
        reader.beside(folder)
    data = seeds[number % len(seeds)]
    # the first inputs are the good files as they are, and what was found before
    for _ in range(0 if number < len(seeds) else rng.integers(1, 4)):
        data = reader.mutate(data, rng)
    path = folder / reader.file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def same(found, expected) -> bool:
    """Whether two readings agree bit for bit."""
    if isinstance(found, list | tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, np.ndarray):
        alike = found.shape == expected.shape and found.dtype == expected.dtype
        return alike and np.ascontiguousarray(found).tobytes() == np.ascontiguousarray(expected).tobytes()
    return found == expected
