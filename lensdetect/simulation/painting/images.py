"""The user's own images: which file holds which band of which object or tile.

What an image is follows from the names of files and folders, the names of
extensions and the headers (``lensdetect.images``); what remains of a file's name
is that of the object, the same in all its bands. Weights, variances and masks say
which pixels are none.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from glob import glob
from pathlib import Path

import numpy as np

from lensdetect.errors import InputError, reading
from lensdetect.images.bounds import TILE_PIXELS
from lensdetect.images.headers import Plane, read_headers
from lensdetect.images.masks import MaskRule, mask_rule
from lensdetect.images.meaning import read_meanings
from lensdetect.images.names import ENDINGS, Label, read_path
from lensdetect.images.pixels import read_part
from lensdetect.survey import Survey

#: For images that were held against the limit when they were found.
_ANY = 1 << 62


@dataclass(frozen=True)
class PlaneAt:
    """Where one two-dimensional image is.

    Parameters
    ----------
    path : str
        FITS file.
    unit : int
        Number of the header-data unit.
    plane : int or None
        Number along the first axis of a cube.
    beside : tuple of (str, PlaneAt)
        Weight, variance, rms and mask that say which of its pixels are none, by kind.
    rule : MaskRule or None
        Of a mask.
    """

    path: str
    unit: int
    plane: int | None = None
    beside: tuple[tuple[str, PlaneAt], ...] = ()
    rule: MaskRule | None = None

    def with_plane(self, number: int) -> PlaneAt:
        """One object of a stack."""
        beside = tuple((kind, dataclasses.replace(place, plane=number)) for kind, place in self.beside)
        return dataclasses.replace(self, plane=number, beside=beside)


@dataclass(frozen=True)
class ImageSet:
    """The images of one object or tile, one a band.

    Parameters
    ----------
    name : str
        What the file names have in common.
    planes : tuple of PlaneAt or None
        In the order of the survey's bands; None is a missing band.
    count : int
        Objects in a stack (cubes with the objects along the first axis), 0 for
        single images.
    """

    name: str
    planes: tuple[PlaneAt | None, ...]
    count: int = 0

    @property
    def path(self) -> str:
        """First of its files: what messages name."""
        return next(plane.path for plane in self.planes if plane is not None)

    def member(self, number: int) -> tuple[PlaneAt | None, ...]:
        """Planes of one object of a stack."""
        return tuple(plane and plane.with_plane(number) for plane in self.planes)


def find_images(
    images: Path | str,
    survey: Survey,
    *,
    plane_bands: Sequence[str] | None = None,
    psf: bool = False,
    max_pixels: int = TILE_PIXELS,
) -> tuple[dict[str, ImageSet], list[tuple[str, str]]]:
    """Find images and what they are of.

    Parameters
    ----------
    images : path
        A file, a folder (searched with all folders in it) or a pattern with ``*``.
    survey : Survey
        Whose bands they are.
    plane_bands : sequence of str, optional
        Bands of the images in a file, in order, where nothing in it tells them.
    psf : bool
        Whether images of PSFs are wanted, and not those of the sky.
    max_pixels : int
        Pixels that an image may have; a file with a larger one is refused.

    Returns
    -------
    sets : dict
        By name, in alphabetical order.
    refused : list of (str, str)
        Files that cannot be used, with the reason.

    Raises
    ------
    InputError
        If there are no FITS files.
    """
    found: dict[str, dict[tuple[str, str], PlaneAt]] = {}
    counts: dict[str, int] = {}
    refused: list[tuple[str, str]] = []
    for path, label in _files(images, survey, psf=psf):
        name = label.tile or path.resolve().parent.name
        try:
            places, count = _places_of(path, label, survey, plane_bands=plane_bands, max_pixels=max_pixels)
            taken = found.setdefault(name, {})
            for key, place in places.items():
                if key in taken:
                    what = f"{'' if key[1] == 'sci' else f'{key[1]} of '}band {key[0]} of {name}"
                    raise InputError(f"{path}: {what} is in {taken[key].path} already")
                taken[key] = place
            if any(kind == "sci" for _, kind in places):
                counts[name] = count
        except InputError as error:
            refused.append((str(path), str(error)))
    sets = {
        name: ImageSet(name, tuple(_with_others(places, band) for band in survey.band_names), counts[name])
        for name, places in sorted(found.items())
        if name in counts
    }
    return sets, refused


def _with_others(places: dict[tuple[str, str], PlaneAt], band: str) -> PlaneAt | None:
    """The image of a band with its weight, variance and mask."""
    if (band, "sci") not in places:
        return None
    others = {kind: places.get((band, kind), places.get(("", kind))) for kind in ("wei", "var", "rms", "msk")}
    beside = tuple((kind, place) for kind, place in others.items() if place is not None)
    return dataclasses.replace(places[band, "sci"], beside=beside)


def _files(images: Path | str, survey: Survey, *, psf: bool) -> list[tuple[Path, Label]]:
    """Files, and what their names say, without those of no use: PSFs, or whatever is none where PSFs are wanted."""
    path = Path(images)
    if path.is_dir():
        candidates: Iterator[Path] = path.rglob("*")
    else:
        candidates = map(Path, [str(path)] if path.is_file() else glob(str(images), recursive=True))
    files = [(file, read_path(file, survey)[0]) for file in sorted(candidates) if file.name.lower().endswith(ENDINGS)]
    of_psf = [(file, label) for file, label in files if label.aside.startswith("psf")]
    wanted = [(file, label) for file, label in files if not label.aside]
    if (psf and of_psf) or not any((label.kind or "sci") == "sci" for _, label in wanted):
        # a folder of PSFs alone is what was asked for, whatever its files are called
        wanted = [(file, dataclasses.replace(label, aside="")) for file, label in of_psf]
    if not wanted:
        passed = "; ".join(f"{file.name}: {label.aside or label.kind}" for file, label in files[:5])
        raise InputError(
            f"images must be FITS files, got none in {images}: {passed or 'give a file, a folder or a pattern with *'}"
        )
    return wanted


def _places_of(
    path: Path, label: Label, survey: Survey, *, plane_bands: Sequence[str] | None, max_pixels: int
) -> tuple[dict[tuple[str, str], PlaneAt], int]:
    """Place of each band and kind, and number of stacked objects of one file."""
    planes = read_headers(path, max_pixels=max_pixels).planes
    if not planes:
        raise InputError(f"{path}: holds no image")
    is_cube = planes[0].plane is not None and len({plane.unit for plane in planes}) == 1
    if label.band and is_cube:
        key = (label.band, label.kind or "sci")
        return {key: _place(path, dataclasses.replace(planes[0], plane=None), key, survey)}, len(planes)
    keys = _keys(path, label, planes, survey, plane_bands=plane_bands)
    return {key: _place(path, plane, key, survey) for key, plane in zip(keys, planes, strict=True) if key}, 0


def _place(path: Path, plane: Plane, key: tuple[str, str], survey: Survey) -> PlaneAt:
    rule = mask_rule(plane.mask_bits, survey, band=key[0]) if key[1] == "msk" else None
    return PlaneAt(str(path), plane.unit, plane.plane, rule=rule)


def _keys(
    path: Path, label: Label, planes: Sequence[Plane], survey: Survey, *, plane_bands: Sequence[str] | None
) -> list[tuple[str, str] | None]:
    """Band and kind of the images in one file: as told, as it says itself, or the survey's own order."""
    if plane_bands is not None:
        bands = [band.name for band in survey.select(plane_bands)]
        if len(bands) == len(planes):
            return [(band, "sci") for band in bands]
    way_out = "name them in order with plane_bands (--plane-bands)"
    try:
        meanings = read_meanings(label, planes, survey)
        if plane_bands is not None or any(one.kind == "sci" and not one.band for one in meanings):
            named = f", and {len(plane_bands)} were named" if plane_bands is not None else ""
            among = ", ".join(survey.band_names)
            raise InputError(f"nothing tells the bands of its {len(planes)} images among {among}{named}")
    except InputError as error:
        raise InputError(f"{path}: {error}: {way_out}") from error
    return [None if one.aside else (one.band, one.kind) for one in meanings]


def image_at(place: PlaneAt) -> Plane:
    """What the header of an image says that was found before.

    Parameters
    ----------
    place : PlaneAt

    Returns
    -------
    Plane

    Raises
    ------
    InputError
        If the file cannot be read, or has changed.
    """
    with reading(place.path, what="FITS"):
        stat = os.stat(place.path)
    for plane in _described(place.path, stat.st_size, stat.st_mtime_ns):
        if plane.unit == place.unit:
            return plane
    raise InputError(f"{place.path}: must hold an image in unit {place.unit} as before: it was changed, run again")


@lru_cache(maxsize=64)
def _described(path: str, *version: int) -> tuple[Plane, ...]:
    # Asked for again for each galaxy in a tile.
    return read_headers(path, max_pixels=_ANY).planes


def read_pixels(place: PlaneAt, rows: slice, columns: slice) -> np.ndarray:
    """A part of an image, NaN where what is beside it says that there is no pixel.

    Parameters
    ----------
    place : PlaneAt
    rows, columns : slice
        Inside the image.

    Returns
    -------
    ndarray
        float32 ``(height, width)``.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    part = read_part(place, rows, columns)
    for kind, other in place.beside:
        if image_at(other).shape != image_at(place).shape:
            raise InputError(f"{other.path}: must be of the size of {place.path}, which it belongs to")
        part[_is_none(kind, read_part(other, rows, columns), other.rule)] = np.nan
    return part


def _is_none(kind: str, said: np.ndarray, rule: MaskRule | None) -> np.ndarray:
    """Where a weight, a variance or a mask says that there is no pixel."""
    if kind == "msk":
        return rule.bad(np.nan_to_num(said).astype(np.int64))
    return ~(said > 0.0) if kind == "wei" else ~((said > 0.0) & (said < np.inf))
