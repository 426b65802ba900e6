"""Which kind of input a path is, told by its content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.data.arrays import ArrayStack, from_array, open_hdf5, open_npy, open_npz
from lensdetect.data.challenge import ChallengeStamps, find_public
from lensdetect.data.frame import Frame
from lensdetect.data.images import FitsImages, is_fits_name
from lensdetect.errors import InputError
from lensdetect.stamps import Shards, is_shards

#: First bytes of a file -> what opens it.
_ARRAY_KINDS: dict[bytes, Callable[..., ArrayStack]] = {
    b"\x93NUMPY": open_npy,
    b"PK\x03\x04": open_npz,
    b"\x89HDF\r\n\x1a\n": open_hdf5,
}
#: Files that an error names, at most.
_NAMED = 5
_ARRAY_SUFFIXES = {".npy", ".npz", ".h5", ".hdf5"}
_KINDS = "FITS files, .npy, .npz, HDF5, Public/Band* folders or simulated stamps"


def open_parts(paths: list[Path] | np.ndarray, *, frame: Frame) -> tuple[list, pd.DataFrame | None]:
    """Open inputs of any kind.

    Parameters
    ----------
    paths : list of Path, or ndarray
        The inputs.
    frame : Frame
        Form of the cutouts.

    Returns
    -------
    parts : list
        Readers, each with ``ids``, ``path(row)`` and ``read_into``.
    truth : DataFrame or None
        Truth of all objects, if every input came with it.

    Raises
    ------
    InputError
        If a path does not exist, comes twice, is of no known kind or holds
        nothing.
    """
    if isinstance(paths, np.ndarray):
        return [_not_empty(from_array(paths, path="array", frame=frame))], None
    if not paths:
        raise InputError(f"one path or more must be given, got none: {_KINDS}")
    parts, truths = [], []
    for path in _group(_expand(paths)):
        if isinstance(path, list):
            parts.append(FitsImages(path, frame=frame))
        elif path.is_file():
            parts.append(_open_array(path, frame=frame))
        elif is_shards(path):
            found, truth = open_shards(path, frame=frame)
            parts += found
            truths.append(truth)
            continue
        else:
            parts += [ChallengeStamps(public, frame=frame) for public in find_public(path)]
        truths.append(None)
    for part in parts:
        _not_empty(part)
    whole = all(truth is not None for truth in truths)
    return parts, pd.concat(truths, ignore_index=True) if whole else None


def _not_empty(part):
    aside = getattr(part, "aside", [])
    if not part.ids and aside:
        named = "; ".join(f"{Path(path).name}: {reason}" for path, reason in aside[:_NAMED])
        more = f"; and {len(aside) - _NAMED} more" if len(aside) > _NAMED else ""
        raise InputError(f"images of the sky must be among the files, got {named}{more}")
    if not part.ids:
        raise InputError(f"{part.path(0)} must hold one object or more, got none")
    return part


def _expand(paths: list[Path]) -> list[Path]:
    # Folders of files become their files; challenge and stamp folders stay.
    found = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist: give {_KINDS}")
        if path.is_file() or is_shards(path) or find_public(path):
            found.append(path)
            continue
        files = sorted(file for file in path.rglob("*") if is_fits_name(file) or file.suffix in _ARRAY_SUFFIXES)
        if not files:
            raise InputError(f"{path} holds no images: give {_KINDS}")
        found += files
    seen: set[Path] = set()
    for path in found:
        if path.resolve() in seen:
            raise InputError(f"each input must be given once, got {path} twice")
        seen.add(path.resolve())
    return found


def _group(paths: list[Path]) -> list[Path | list[Path]]:
    # All FITS files are one input, at the place of the first: the bands of an object may be far from one another.
    fits_files = [path for path in paths if path.is_file() and _is_fits(path)]
    others = set(paths) - set(fits_files)
    grouped: list[Path | list[Path]] = []
    for path in paths:
        if path in others:
            grouped.append(path)
        elif path is fits_files[0]:
            grouped.append(fits_files)
    return grouped


def _is_fits(path: Path) -> bool:
    # By name too: a text file named .fits is a bad FITS file among good ones.
    return is_fits_name(path) or _first_bytes(path).startswith(b"SIMPLE  =")


def _first_bytes(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(9)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _open_array(path: Path, *, frame: Frame) -> ArrayStack:
    start = _first_bytes(path)
    for magic, opener in _ARRAY_KINDS.items():
        if start.startswith(magic):
            return opener(path, frame=frame)
    raise InputError(f"{path} begins with {start!r}, which is no kind of image file known here: give {_KINDS}")


def open_shards(folder: Path, *, frame: Frame) -> tuple[list[ArrayStack], pd.DataFrame]:
    """Simulated stamps and their truth.

    Parameters
    ----------
    folder : Path
        A folder that ``lensdetect simulate`` made.
    frame : Frame
        Form of the cutouts. Its bands are looked up by name in the manifest.

    Returns
    -------
    parts : list of ArrayStack
        One a shard.
    truth : DataFrame
        One row a stamp.

    Raises
    ------
    InputError
        If the stamps have another pixel scale or lack a band that is asked for.
    """
    shards = Shards(folder)
    survey = frame.survey
    scale, held = shards.manifest["pixel_scale_arcsec"], tuple(shards.manifest["bands"])
    if not np.isclose(scale, survey.pixel_scale_arcsec, rtol=1e-3):
        raise InputError(
            f'{folder} holds stamps of {scale}"/pixel, survey {survey.name} has {survey.pixel_scale_arcsec}"'
        )
    survey.select(held)
    bands = tuple(band for band in frame.bands if band in held)
    if not bands:
        raise InputError(
            f"{folder} holds bands {', '.join(held)}, none of {', '.join(frame.bands)}: ask for some of them"
        )
    stored = Frame(survey, bands, frame.size, frame.fit)
    stacks, start = [], 0
    for path in shards.paths:
        stack = open_npy(path, frame=stored, stored=held)
        stack.ids = shards.truth["id"].iloc[start : start + len(stack.ids)].tolist()
        start += len(stack.ids)
        stacks.append(stack)
    return stacks, shards.truth
