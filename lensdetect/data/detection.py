"""Which kind of input a path is, told by its content."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.data.arrays import ArrayStack, BadFile, from_array, open_hdf5, open_npy, open_npz
from lensdetect.data.challenge import ChallengeStamps, find_public
from lensdetect.data.frame import Frame
from lensdetect.data.images import FitsImages, is_fits_name
from lensdetect.errors import InputError, reading
from lensdetect.images.bounds import open_file
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
        elif _is_one(path):
            parts.append(_open_or_refuse(path, frame=frame))
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
    bad = [part.reason for part in parts if isinstance(part, BadFile)]
    if len(bad) == len(parts):
        raise InputError(bad[0] + (f" (and {len(bad) - 1} more inputs, none of which can be read)" if bad[1:] else ""))
    whole = all(truth is not None for truth in truths)
    return parts, pd.concat(truths, ignore_index=True) if whole else None


def _is_one(path: Path) -> bool:
    # A file, or what is named as one is: a pipe or a link to nothing among good files is a bad file.
    return not path.is_dir() or (path.suffix in _ARRAY_SUFFIXES and not (is_shards(path) or find_public(path)))


def _open_or_refuse(path: Path, *, frame: Frame) -> ArrayStack | BadFile:
    # The border of one item: whatever it makes a library raise is its reason.
    try:
        with reading(path, what="an array of images"):
            return _not_empty(_open_array(path, frame=frame))
    except InputError as error:
        return BadFile(path, str(error), frame=frame)


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
        if not path.exists() and not (path.is_symlink() and _is_named_as_images(path)):
            raise InputError(f"{path} does not exist: give {_KINDS}")
        if not path.is_dir() or is_shards(path) or find_public(path):
            found.append(path)
            continue
        files = sorted(file for file in path.rglob("*") if _is_named_as_images(file))
        if not files:
            raise InputError(f"{path} holds no images: give {_KINDS}")
        found += files
    seen: set[Path] = set()
    for path in found:
        if path.resolve() in seen:
            raise InputError(f"each input must be given once, got {path} twice")
        seen.add(path.resolve())
    return found


def _is_named_as_images(path: Path) -> bool:
    return is_fits_name(path) or path.suffix in _ARRAY_SUFFIXES


def _group(paths: list[Path]) -> list[Path | list[Path]]:
    # All FITS files are one input, at the place of the first: the bands of an object may be far from one another.
    fits_files = [path for path in paths if _is_fits(path)]
    others = set(paths) - set(fits_files)
    grouped: list[Path | list[Path]] = []
    for path in paths:
        if path in others:
            grouped.append(path)
        elif path is fits_files[0]:
            grouped.append(fits_files)
    return grouped


def _is_fits(path: Path) -> bool:
    # By name too: a text file or a folder named .fits is a bad FITS file among good ones.
    if is_fits_name(path):
        return not (path.is_dir() and (is_shards(path) or find_public(path)))
    return path.is_file() and _first_bytes(path).startswith(b"SIMPLE  =")


def _first_bytes(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(9)


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
    stored = dataclasses.replace(frame, bands=bands)
    stacks, start = [], 0
    for path in shards.paths:
        stack = open_npy(path, frame=stored, stored=held)
        stack.ids = shards.truth["id"].iloc[start : start + len(stack.ids)].tolist()
        start += len(stack.ids)
        stacks.append(stack)
    return stacks, shards.truth
