"""The form that every cutout is brought into, and the notes on what was wrong.

Readers work on blocks of planes, ``(n, band, height, width)``: the order in which
image files hold their pixels. ``lensdetect.data.reading`` turns a finished block
into cutouts ``(n, height, width, band)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError, unknown_name
from lensdetect.flags import FLAGS, REFUSED
from lensdetect.images.bounds import CUTOUT_PIXELS
from lensdetect.survey import Survey

#: The ways to bring images of another size to the wanted one.
FITS_TO_SIZE = ("crop", "pad", "both")


class Notes:
    """Flags and reasons of the cutouts of one block.

    Parameters
    ----------
    count : int
        Number of cutouts.
    num_bands : int
        Number of planes of each.

    Attributes
    ----------
    flags : ndarray
        int64 ``(count,)``, bits of ``lensdetect.flags``.
    outside : ndarray
        int64 ``(count, num_bands)``: pixels for which no image was given. They
        are NaN, but not masked.
    """

    def __init__(self, count: int, num_bands: int):
        self.flags = np.zeros(count, np.int64)
        self.outside = np.zeros((count, num_bands), np.int64)
        self._texts: dict[int, list[str]] = {}

    def add(self, row: int, flag: str, *, text: str) -> None:
        """Set a flag of one cutout and say why; the same text is kept once."""
        self.flags[row] |= FLAGS[flag].value
        texts = self._texts.setdefault(int(row), [])
        if text not in texts:
            texts.append(text)

    def take_over(self, alone: Notes, *, row: int) -> None:
        """Notes of an object that was read alone, as those of one row."""
        self.flags[row], self.outside[row] = alone.flags[0], alone.outside[0]
        self._texts[int(row)] = list(alone._texts.get(0, []))

    @property
    def refused(self) -> np.ndarray:
        """Which cutouts get no score: bool ``(count,)``."""
        return (self.flags & REFUSED) != 0

    def reasons(self) -> list[str]:
        """One text for each cutout, empty where all is well."""
        return ["; ".join(self._texts.get(row, ())) for row in range(len(self.flags))]


@dataclass(frozen=True)
class Frame:
    """The form of every cutout that a reader gives.

    Parameters
    ----------
    survey : Survey
        Names and order of the planes, and the value that marks masked pixels.
    bands : tuple of str
        Bands that the images hold, in the order of their planes.
    size : int
        Height and width, in pixels.
    fit : str or None
        One of ``FITS_TO_SIZE``, or None to refuse images of another size.
    max_pixels : int
        Pixels that the images in one file may have.

    Raises
    ------
    InputError
        If a band is unknown or named twice, the size is no whole number from 1
        on, or ``fit`` is unknown.
    """

    survey: Survey
    bands: tuple[str, ...]
    size: int
    fit: str | None
    max_pixels: int = CUTOUT_PIXELS

    def __post_init__(self):
        """Check every value."""
        self.survey.select(self.bands)
        if not self.bands or len(set(self.bands)) < len(self.bands):
            raise InputError(f"bands must be one or more, each named once, got {', '.join(self.bands) or 'none'}")
        if self.size != int(self.size) or self.size < 1:
            raise InputError(f"the cutout size must be a whole number of pixels from 1 on, got {self.size}")
        if self.fit is not None and self.fit not in FITS_TO_SIZE:
            raise unknown_name("way to fit images", self.fit, FITS_TO_SIZE)

    @property
    def planes(self) -> list[int]:
        """Plane of each of ``bands`` in a block."""
        return [self.survey.band_names.index(band) for band in self.bands]

    @property
    def absent(self) -> list[int]:
        """Planes of a block for which no band was declared."""
        given = set(self.planes)
        return [plane for plane in range(len(self.survey.bands)) if plane not in given]

    def names(self, planes) -> str:
        """Names of some planes, for people: ``band u`` or ``bands u, g``."""
        names = [self.survey.band_names[plane] for plane in planes]
        return f"band{'s' * (len(names) > 1)} {', '.join(names)}"

    def leave_out(self, block: np.ndarray, notes: Notes, *, row: int, planes: list[int], text: str) -> None:
        """Put NaN for bands that one object lacks, and flag it.

        Parameters
        ----------
        block : ndarray
            float32 ``(n, band, size, size)``, changed in place.
        notes : Notes
            Notes on the block.
        row : int
            The object.
        planes : list of int
            Planes that it lacks.
        text : str
            What is said of it.
        """
        if planes:
            block[row, planes] = np.nan
            notes.outside[row, planes] = self.size**2
            notes.add(row, "missing_band", text=text)

    def refuse(self, block: np.ndarray, notes: Notes, *, row: int, flag: str, text: str) -> None:
        """Make one object NaN and flag it as refused."""
        block[row] = np.nan
        notes.add(row, flag, text=text)

    def place(self, block: np.ndarray, notes: Notes, *, row: int, plane: int, image: np.ndarray, path: str) -> None:
        """Put one image into its plane; crop, pad or refuse one of another size.

        Pixel ``length // 2`` of each axis is taken as the centre.

        Parameters
        ----------
        block : ndarray
            float32 ``(n, band, size, size)``, changed in place.
        notes : Notes
            Notes on the block.
        row, plane : int
            Where to put the image.
        image : ndarray
            ``(height, width)``.
        path : str
            File of the image, for the reason.
        """
        target = block[row, plane]
        if image.shape == target.shape:
            target[...] = image
            return
        target[...] = np.nan
        height, width = image.shape
        held, wanted = f"{height} x {width} pixels", f"{self.size} x {self.size}"
        if not self._fits(image.shape):
            notes.add(row, "wrong_shape", text=f"{path}: {held}, {wanted} are needed{self._way_out(image.shape)}")
            return
        (rows_to, rows_from), (columns_to, columns_from) = (_overlap(length, self.size) for length in image.shape)
        target[rows_to, columns_to] = image[rows_from, columns_from]
        notes.outside[row, plane] = target.size - target[rows_to, columns_to].size
        for word, does in (("cropped", max(image.shape) > self.size), ("padded", min(image.shape) < self.size)):
            if does:
                notes.add(row, word, text=f"{held} {word} to {wanted}")

    def _fits(self, shape: tuple[int, int]) -> bool:
        if self.fit == "crop":
            return min(shape) >= self.size
        return self.fit == "both" or (self.fit == "pad" and max(shape) <= self.size)

    def _way_out(self, shape: tuple[int, int]) -> str:
        if min(shape) >= self.size:
            return ": cut its centre out with --fit crop"
        return ": surround it with NaN with --fit pad" if max(shape) <= self.size else ""


def _overlap(length: int, size: int) -> tuple[slice, slice]:
    # Where pixels go and where they come from, on one axis.
    shared = min(length, size)
    to, origin = max(size // 2 - length // 2, 0), max(length // 2 - size // 2, 0)
    return slice(to, to + shared), slice(origin, origin + shared)
