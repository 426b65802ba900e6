"""FITS files of objects: all bands in one, or one file a band, with weights and masks where there are such."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lensdetect.data.frame import Frame, Notes
from lensdetect.data.grouping import FitsObject, group_files
from lensdetect.errors import InputError
from lensdetect.images import headers
from lensdetect.images.fits import Plane, read_planes
from lensdetect.images.masks import mask_rule, no_pixel
from lensdetect.images.meaning import in_turn, is_psf, read_meanings
from lensdetect.images.names import Label, read_words

_SUFFIX = re.compile(r"\.(fits|fit|fts)(\.gz|\.fz)?$", re.IGNORECASE)

_Images = dict[tuple[str, str], np.ndarray]


def is_fits_name(path: Path) -> bool:
    """Whether a file is named as FITS files are."""
    return _SUFFIX.search(path.name) is not None


class FitsImages:
    """Objects as FITS files: cubes, one image extension a band, or one file a band.

    What each image is follows from the name of its file, the names of extensions
    and the headers (``images.meaning``); where these do not tell, images are taken
    in the order of the declared bands, and there must be as many. Pixels of no
    weight, of no finite variance and under fatal bits of a mask are NaN.

    Parameters
    ----------
    files : list of Path
        All of them.
    frame : Frame
        Form of the cutouts.

    Attributes
    ----------
    ids : list of str
        Name of each object.
    frame : Frame
        Form of the cutouts.
    aside : list of (str, str)
        Files of no use, each with the reason.
    """

    def __init__(self, files: list[Path], *, frame: Frame):
        self.frame = frame
        self._objects, self.aside = group_files(files, frame.survey, frame.bands)
        self.ids: list[str] = [one.id for one in self._objects]
        self._first = str(files[0])

    def path(self, row: int) -> str:
        """First file of an object."""
        return self._objects[row].path if self._objects else self._first

    def read_into(self, rows: np.ndarray, block: np.ndarray, *, notes: Notes) -> None:
        """Read some objects; as ``ChallengeStamps.read_into``."""
        for row, number in enumerate(rows):
            one = self._objects[number]
            try:
                images = _read(one, self.frame)
            except InputError as error:
                self.frame.refuse(block, notes, row=row, flag="unreadable", text=str(error))
                continue
            known = self.frame.survey.band_names
            planes = {known.index(band): image for band, image in images.items()}
            for plane, image in planes.items():
                self.frame.place(block, notes, row=row, plane=plane, image=image, path=one.path)
            lacking = [plane for plane in self.frame.planes if plane not in planes]
            self.frame.leave_out(block, notes, row=row, planes=lacking, text=f"no image of {self.frame.names(lacking)}")


def _read(one: FitsObject, frame: Frame) -> dict[str, np.ndarray]:
    """Images of the sky of an object, by band; what is no pixel is NaN."""
    if one.problem:
        raise InputError(one.problem)
    images: _Images = {}
    bits: dict[str, tuple] = {}
    for (band, kind), path in one.files.items():
        for key, pixels, plane in _images_of(path, Label("", band, kind if band else ""), one, frame):
            images[key] = pixels
            if key[1] == "msk":
                bits[key[0]] = _header_bits(path, plane)
    bands = [band for band, kind in images if kind == "sci"]
    return {band: _masked(images, band, bits, frame) for band in bands}


def _images_of(path: str, label: Label, one: FitsObject, frame: Frame):
    planes = read_planes(path, max_pixels=frame.max_pixels)
    if one.member is not None:
        if one.member >= len(planes):
            raise InputError(f"{path}: must hold object {one.member} as the other bands do, got {len(planes)} planes")
        return [((label.band, label.kind or "sci"), planes[one.member].pixels, one.member)]
    found = []
    for place, (key, plane) in enumerate(zip(_keys(path, label, planes, frame), planes, strict=True)):
        if key is not None:
            found.append((key, plane.pixels, place))
    return found


def _keys(path: str, label: Label, planes: Sequence[Plane], frame: Frame) -> list[tuple[str, str] | None]:
    """Band and kind of each image of a file; None for one of no use."""
    said = [headers.Plane(0, None, plane.pixels.shape, "", _name(plane, planes, frame), "", None) for plane in planes]
    if len(planes) == 1 and not label.band:
        return [_only(path, label, said[0], frame)]
    try:
        meanings = read_meanings(label, said, frame.survey, order=frame.bands)
    except InputError as error:
        raise InputError(
            f"{path}: {error}"
            if label.band
            else f"{path}: must hold {len(frame.bands)} images for {', '.join(frame.bands)}, got {_held(said)}: "
            "name each that it holds, in order, with --bands"
        ) from error
    keys = [
        None if one.aside or (one.band and one.band not in frame.bands) else (one.band, one.kind) for one in meanings
    ]
    if not any(key and key[1] == "sci" for key in keys) and (label.kind or "sci") == "sci":
        named = sorted({one.band for one in meanings if one.band}) or [one.aside for one in meanings[:1]]
        raise InputError(f"{path}: its header names {', '.join(named)}, but {', '.join(frame.bands)} was declared")
    return keys


def _name(plane: Plane, planes: Sequence[Plane], frame: Frame) -> str:
    """What the header says of an image; of more images than bands, those without a name may be PSFs."""
    name = " ".join(plane.names)
    return "psf" if not name and len(planes) > len(frame.bands) and is_psf(plane.pixels) else name


def _held(said: Sequence[headers.Plane]) -> str:
    """How many images of the sky there are, and how many PSFs: these need no name."""
    psfs = sum(plane.extension == "psf" for plane in said)
    if not psfs and in_turn([plane.shape for plane in said]) and not any(plane.extension for plane in said):
        psfs = len(said) // 2
    return f"{len(said) - psfs} beside {psfs} of PSFs" if psfs else str(len(said))


def _only(path: str, label: Label, plane: headers.Plane, frame: Frame) -> tuple[str, str]:
    """The one image of a file whose name tells no band."""
    inside = read_words(plane.extension, frame.survey)
    if (inside.kind or "sci") != "sci" or (inside.aside and not inside.aside.startswith("band")):
        raise InputError(f"{path}: must be an image of the sky, its header says {plane.extension}")
    band = inside.band or (frame.bands[0] if len(frame.bands) == 1 and not inside.aside else "")
    if band in frame.bands:
        return band, "sci"
    if band or inside.aside:
        says = band or inside.aside.split(":")[0].removeprefix("band ")
        raise InputError(f"{path}: its header names {says}, but {', '.join(frame.bands)} was declared")
    raise InputError(
        f"{path}: neither its name nor its folder or header tells which of {', '.join(frame.bands)} its image is: "
        "call it object_r.fits or r/object.fits, or name its band alone with --bands"
    )


def _header_bits(path: str, place: int) -> tuple[tuple[str, int], ...]:
    planes = headers.read_headers(path).planes
    return planes[place].mask_bits if place < len(planes) else ()


def _masked(images: _Images, band: str, bits: dict[str, tuple], frame: Frame) -> np.ndarray:
    """An image, NaN where its weight, variance or mask says that there is none."""
    image = images[band, "sci"]
    bad = np.zeros(image.shape, bool)
    for kind in ("wei", "var", "rms", "msk"):
        owner = band if (band, kind) in images else ""
        other = images.get((owner, kind))
        if other is None:
            continue
        if other.shape != image.shape:
            raise InputError(
                f"{kind} of band {band} must be of the size of its image, {image.shape}, got {other.shape}"
            )
        rule = mask_rule(bits[owner], frame.survey, band=band) if kind == "msk" else None
        bad |= no_pixel(kind, other, rule)
    return np.where(bad, np.float32(np.nan), image) if bad.any() else image
