"""FITS files that hold one object each, all its bands together."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from lensdetect.data.frame import Frame, Notes
from lensdetect.errors import InputError
from lensdetect.images.fits import Plane, read_planes

_SUFFIX = re.compile(r"\.(fits|fit|fts)(\.gz|\.fz)?$", re.IGNORECASE)


def is_fits_name(path: Path) -> bool:
    """Whether a file is named as FITS files are."""
    return _SUFFIX.search(path.name) is not None


class FitsImages:
    """Objects as FITS files: cubes, one image extension a band, or one band alone.

    Bands are told by the headers (BAND, FILTER or EXTNAME) where these name each
    image differently; otherwise images are taken in the order of the declared
    bands, and there must be as many.

    Parameters
    ----------
    files : list of Path
        One file an object.
    frame : Frame
        Form of the cutouts.

    Attributes
    ----------
    ids : list of str
        Names of the files without their suffix.
    frame : Frame
        Form of the cutouts.
    """

    def __init__(self, files: list[Path], *, frame: Frame):
        self.frame = frame
        self._files = [str(file) for file in files]
        self.ids: list[str] = [_SUFFIX.sub("", file.name) for file in files]

    def path(self, row: int) -> str:
        """File of an object."""
        return self._files[row]

    def read_into(self, rows: np.ndarray, block: np.ndarray, *, notes: Notes) -> None:
        """Read some objects; as ``ChallengeStamps.read_into``."""
        for row, number in enumerate(rows):
            path = self._files[number]
            try:
                images = _by_plane(path, read_planes(path, max_pixels=self.frame.max_pixels), frame=self.frame)
            except InputError as error:
                self.frame.refuse(block, notes, row=row, flag="unreadable", text=str(error))
                continue
            for plane, image in images.items():
                self.frame.place(block, notes, row=row, plane=plane, image=image, path=path)
            lacking = [plane for plane in self.frame.planes if plane not in images]
            self.frame.leave_out(block, notes, row=row, planes=lacking, text=f"no image of {self.frame.names(lacking)}")


def _by_plane(path: str, images: list[Plane], *, frame: Frame) -> dict[int, np.ndarray]:
    known = frame.survey.band_names
    named = [_band(image.names, known) for image in images]
    if None in named or len(set(named)) < len(named):
        if len(images) != len(frame.bands):
            raise InputError(
                f"{path}: must hold {len(frame.bands)} images for {', '.join(frame.bands)}, got {len(images)}: "
                "say what they are with --bands"
            )
        named = list(frame.bands)
    elif not set(named) <= set(frame.bands):
        raise InputError(f"{path}: its header names {', '.join(named)}, but {', '.join(frame.bands)} was declared")
    return {known.index(band): image.pixels for band, image in zip(named, images, strict=True)}


def _band(texts: tuple[str, ...], known: tuple[str, ...]) -> str | None:
    # "r.MP9601", "i DECam SDSS", "SCI_G": the first word that is the name of a band.
    for text in texts:
        for word in re.split(r"[^A-Za-z0-9]+", text):
            for candidate in (word, word.lower()):
                if candidate in known:
                    return candidate
    return None
