"""The user's own images: which file holds which band of which object or tile.

A file name is read word by word: a word that is the name of a band says which
band it is, ``sci`` is dropped, and files of weights, masks and PSFs are passed
over; what remains of the name is that of the object, the same in all its bands.
Where no name tells a band, the folder does (``r/object.fits``), then the header.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from lensdetect.errors import InputError
from lensdetect.survey import Survey

_ENDINGS = (".fits", ".fit", ".fits.gz", ".fits.fz")
_SCIENCE_WORDS = {"sci"}
_OTHER_WORDS = {"wei", "weight", "wht", "var", "rms", "msk", "mask", "flag", "flags"}
_PSF_WORDS = {"psf"}
#: Keywords that may name the band of an image, the most telling first.
_BAND_KEYWORDS = ("BAND", "FILTER", "EXTNAME")


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
    images: Path | str, survey: Survey, *, plane_bands: Sequence[str] | None = None, psf: bool = False
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
            name, found, count = _planes_of(path, survey, plane_bands=plane_bands)
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


def _planes_of(path: Path, survey: Survey, *, plane_bands: Sequence[str] | None) -> tuple[str, dict[str, PlaneAt], int]:
    """Name, plane of each band, and number of stacked objects of one file."""
    name, band = _name_and_band(path, survey)
    with open_fits(path) as units:
        shapes = [(number, unit.shape) for number, unit in enumerate(units) if unit.is_image and len(unit.shape) >= 2]
        labels = [_header_band(units[number].header, survey) for number, _ in shapes]
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


def _header_band(header: fits.Header, survey: Survey) -> str | None:
    by_lower = {band.lower(): band for band in survey.band_names}
    for keyword in _BAND_KEYWORDS:
        for word in re.split(r"[_\-. ]", str(header.get(keyword, ""))):
            if word.lower() in by_lower:
                return by_lower[word.lower()]
    return None


@contextmanager
def open_fits(path: Path | str) -> Iterator[fits.HDUList]:
    """Open a FITS file for reading what is needed of it.

    Parameters
    ----------
    path : path

    Yields
    ------
    HDUList

    Raises
    ------
    InputError
        If it cannot be read, also while it is in use.
    """
    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            warnings.filterwarnings("error", message="File may have been truncated", category=AstropyWarning)
            with fits.open(file, memmap=False, lazy_load_hdus=False) as units:
                yield units
    except InputError:
        raise
    except (OSError, ValueError, TypeError, IndexError, AstropyWarning) as error:
        raise InputError(f"{path}: cut short or not FITS: {' '.join(str(error).split())}") from error


def read_part(place: PlaneAt, rows: slice, columns: slice) -> np.ndarray:
    """A part of an image; only this part is read from a plain file.

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
        If the file cannot be read.
    """
    with open_fits(place.path) as units:
        section = units[place.unit].section
        part = section[rows, columns] if place.plane is None else section[place.plane, rows, columns]
        return np.asarray(part, np.float32)
