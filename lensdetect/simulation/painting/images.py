"""The user's own images: which file holds which band of which object or tile.

A file name is read word by word: a word that is the name of a band says which
band it is, ``sci`` is dropped, and files of weights, masks and PSFs are passed
over; what remains of the name is that of the object, the same in all its bands.
Where no name tells a band, the folder does (``r/object.fits``), then the header.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from glob import glob
from pathlib import Path

from lensdetect.errors import InputError, reading
from lensdetect.images import apart
from lensdetect.images.bounds import TILE_PIXELS
from lensdetect.survey import Survey

_ENDINGS = (".fits", ".fit", ".fits.gz", ".fits.fz")
_SCIENCE_WORDS = {"sci"}
_OTHER_WORDS = {"wei", "weight", "wht", "var", "rms", "msk", "mask", "flag", "flags"}
_PSF_WORDS = {"psf"}
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
    """

    path: str
    unit: int
    plane: int | None = None


@dataclass(frozen=True)
class FileImage:
    """One image of a file, as its header describes it.

    Parameters
    ----------
    unit : int
        Number of the header-data unit.
    shape : tuple of int
        Of two axes or more.
    names : list of str
        What may name its band.
    wcs_header : str
        World coordinates as a FITS header; empty if there are none.
    """

    unit: int
    shape: tuple[int, ...]
    names: list[str]
    wcs_header: str


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
        return tuple(plane and PlaneAt(plane.path, plane.unit, number) for plane in self.planes)


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
    planes: dict[str, dict[str, PlaneAt]] = {}
    counts: dict[str, int] = {}
    refused: list[tuple[str, str]] = []
    for path in _files(images, psf=psf):
        try:
            name, found, count = _planes_of(path, survey, plane_bands=plane_bands, max_pixels=max_pixels)
            taken = planes.setdefault(name, {})
            for band, plane in found.items():
                if band in taken:
                    raise InputError(f"{path}: band {band} of {name} is in {taken[band].path} already")
                taken[band] = plane
            counts[name] = count
        except InputError as error:
            refused.append((str(path), str(error)))
    sets = {
        name: ImageSet(name, tuple(found.get(band) for band in survey.band_names), counts[name])
        for name, found in sorted(planes.items())
        if found
    }
    return sets, refused


def _files(images: Path | str, *, psf: bool) -> list[Path]:
    path = Path(images)
    if path.is_dir():
        candidates: Iterator[Path] = path.rglob("*")
    else:
        candidates = map(Path, [str(path)] if path.is_file() else glob(str(images), recursive=True))
    files = sorted(file for file in candidates if file.name.lower().endswith(_ENDINGS))
    wanted = [file for file in files if not _words(file) & _OTHER_WORDS]
    of_psf = [file for file in wanted if any("psf" in word for word in _words(file))]
    if psf:
        wanted = of_psf or wanted
    elif len(of_psf) < len(wanted):
        wanted = [file for file in wanted if file not in set(of_psf)]
    if not wanted:
        raise InputError(f"images must be FITS files, got none in {images}: give a file, a folder or a pattern with *")
    return wanted


def _stem(path: Path) -> str:
    return re.sub(r"\.(fits|fit)(\.gz|\.fz)?$", "", path.name, flags=re.IGNORECASE)


def _words(path: Path) -> set[str]:
    return {word.lower() for word in re.split(r"[_\-. ]", _stem(path))}


def _name_and_band(path: Path, survey: Survey) -> tuple[str, str | None]:
    """What a file name says of object and band."""
    parts = re.split(r"([_\-. ])", _stem(path))  # words at even places, what separates them at odd ones
    by_lower = {band.lower(): band for band in survey.band_names}
    places = [place for place in range(0, len(parts), 2) if parts[place].lower() in by_lower]
    band = by_lower[parts[places[-1]].lower()] if places else None
    dropped = {places[-1]} if places else set()
    dropped |= {place for place in range(0, len(parts), 2) if parts[place].lower() in _SCIENCE_WORDS | _PSF_WORDS}
    kept = [
        (parts[place - 1] if place else "") + parts[place] for place in range(0, len(parts), 2) if place not in dropped
    ]
    name = "".join(kept).strip("_-. ")
    if band is None and path.parent.name.lower() in by_lower:
        band = by_lower[path.parent.name.lower()]
    return name or path.resolve().parent.name, band


def _planes_of(
    path: Path, survey: Survey, *, plane_bands: Sequence[str] | None, max_pixels: int
) -> tuple[str, dict[str, PlaneAt], int]:
    """Name, plane of each band, and number of stacked objects of one file."""
    name, band = _name_and_band(path, survey)
    images = describe(str(path), max_pixels=max_pixels)
    shapes = [(image.unit, image.shape) for image in images]
    labels = [_header_band(image.names, survey) for image in images]
    if not shapes:
        raise InputError(f"{path}: holds no image")
    unit, shape = shapes[0]
    if len(shape) > 3:
        raise InputError(f"{path}: an image must have 2 or 3 axes, got {shape}: write one file an object")
    if band is not None and len(shapes) == 1:
        return name, {band: PlaneAt(str(path), unit, None)}, shape[0] if len(shape) == 3 else 0
    places = [PlaneAt(str(path), number) for number, _ in shapes]
    if len(shape) == 3:
        places, labels = [PlaneAt(str(path), unit, plane) for plane in range(shape[0])], [None] * shape[0]
    return name, _label(path, places, labels, survey=survey, plane_bands=plane_bands), 0


def _label(path: Path, places: list, labels: list, *, survey: Survey, plane_bands) -> dict[str, PlaneAt]:
    """Bands of the images in one file: as told, as its headers say, or the survey's own order."""
    if plane_bands is not None:
        bands = [band.name for band in survey.select(plane_bands)]
    elif None not in labels and len(set(labels)) == len(labels):
        bands = labels
    elif len(places) == len(survey.bands):
        bands = list(survey.file_band_order)
    else:
        bands = []
    if len(bands) != len(places):
        raise InputError(
            f"{path}: nothing tells the bands of its {len(places)} images among {', '.join(survey.band_names)}"
            f"{f', and {len(bands)} were named' if bands else ''}: name them in order with plane_bands (--plane-bands)"
        )
    return dict(zip(bands, places, strict=True))


def _header_band(names: list[str], survey: Survey) -> str | None:
    by_lower = {band.lower(): band for band in survey.band_names}
    for name in names:
        for word in re.split(r"[_\-. ]", name):
            if word.lower() in by_lower:
                return by_lower[word.lower()]
    return None


def describe(path: str, *, max_pixels: int = TILE_PIXELS) -> tuple[FileImage, ...]:
    """What the headers of a file say of its images.

    Parameters
    ----------
    path : str
    max_pixels : int
        Pixels that each may have.

    Returns
    -------
    tuple of FileImage

    Raises
    ------
    InputError
        If it cannot be read, or claims larger images.
    """
    with reading(path, what="FITS"):
        stat = os.stat(path)
    return _described(path, max_pixels, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _described(path: str, max_pixels: int, *version: int) -> tuple[FileImage, ...]:
    # Asked for again for each galaxy in a tile.
    found, _ = apart.call("lensdetect.images.decoding:describe_images", path, max_pixels)
    return tuple(FileImage(**{**image, "shape": tuple(image["shape"])}) for image in found)


def image_at(place: PlaneAt) -> FileImage:
    """What the header of an image says that was found before.

    Parameters
    ----------
    place : PlaneAt

    Returns
    -------
    FileImage

    Raises
    ------
    InputError
        If the file cannot be read, or has changed.
    """
    for image in describe(place.path, max_pixels=_ANY):
        if image.unit == place.unit:
            return image
    raise InputError(f"{place.path}: must hold an image in unit {place.unit} as before: it was changed, run again")
