"""What each image of a file is: file name, names of extensions and headers together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.images.headers import Plane
from lensdetect.images.kinds import kind_of
from lensdetect.images.names import Label, read_words
from lensdetect.survey import Survey

#: By how much the sum of the image of a PSF may miss 1, and how far below 0 it goes, as part of its peak.
_PSF_SUM, _PSF_BELOW = 0.05, 0.02


@dataclass(frozen=True)
class Meaning:
    """What one image of a file is.

    Parameters
    ----------
    band : str
        Empty for one that belongs to all bands, as a mask may.
    kind : str
        One of ``KINDS``; empty for one that is left aside.
    aside : str
        Why it is left aside: it is none of the sky, or of another band. Empty if it is used.
    """

    band: str
    kind: str
    aside: str = ""


def read_meanings(
    label: Label, planes: Sequence[Plane], survey: Survey, *, order: Sequence[str] | None = None
) -> list[Meaning]:
    """Tell what the images of a file are.

    The name of an extension outranks the name of the file, and both outrank the
    keywords of the header, except that of a file with one image its name is
    believed. What is said twice must be said alike. An extension whose name is
    that of no known kind or band is never an image of the sky.

    Parameters
    ----------
    label : Label
        Of the file.
    planes : sequence of Plane
        Its images.
    survey : Survey
    order : sequence of str, optional
        Bands of images of which nothing tells them; the survey's own order if not given.

    Returns
    -------
    list of Meaning
        One an image.

    Raises
    ------
    InputError
        If nothing tells, or it is said twice and differently; without the name of the file.
    """
    if label.aside:
        return [Meaning("", "", label.aside)] * len(planes)
    if len(planes) == 1:
        return [_single(label, planes[0], survey)]
    found = [_one_of_several(label, plane, survey) for plane in planes]
    found = _in_turn(found, planes)
    return found if _is_told(found) else _by_order(found, label, survey, order or survey.file_band_order)


def _single(label: Label, plane: Plane, survey: Survey) -> Meaning:
    inside = read_words(plane.extension, survey)
    header = read_words(plane.band_text, survey)
    if inside.aside and not label.band:
        return Meaning("", "", inside.aside)
    kind = label.kind or inside.kind or _header_kind(plane) or "sci"
    band = _agreed({"its name": label.band, "its extension": inside.band, "its header": header.band})
    if not band and header.aside:
        return Meaning("", "", header.aside)
    if not band and plane.extension and not inside.kind:
        return Meaning("", "", f"extension {plane.extension}: no known kind of image")
    return Meaning(band, kind)


def _agreed(bands: dict[str, str]) -> str:
    """The band that those say which say any."""
    said = {who: band for who, band in bands.items() if band}
    if len(set(said.values())) > 1:
        words = " and ".join(f"{who} says band {band}" for who, band in said.items())
        raise InputError(f"{words}: correct one of them")
    return next(iter(said.values()), "")


def _one_of_several(label: Label, plane: Plane, survey: Survey) -> Meaning:
    inside, header = read_words(plane.extension, survey), read_words(plane.band_text, survey)
    if inside.aside:
        return Meaning("", "", inside.aside)
    if plane.extension and not (inside.band or inside.kind):
        return Meaning("", "", f"extension {plane.extension}: no known kind of image")
    band = label.band or inside.band or header.band
    if not band and header.aside:
        return Meaning("", "", header.aside)
    return Meaning(band, inside.kind or label.kind or _header_kind(plane) or "sci")


def _header_kind(plane: Plane) -> str:
    return next(filter(None, map(kind_of, plane.kind_text.split())), "")


def _in_turn(found: list[Meaning], planes: Sequence[Plane]) -> list[Meaning]:
    """Without the PSFs of a file that holds images and PSFs in turn and names none (as HSC delivers cutouts)."""
    if any(plane.extension for plane in planes) or not in_turn([plane.shape for plane in planes]):
        return found
    return [one if place % 2 == 0 else Meaning("", "", "psf: no image of the sky") for place, one in enumerate(found)]


def is_psf(pixels: np.ndarray) -> bool:
    """Whether an image is that of a PSF, and none of the sky: of sum 1, nowhere below 0, with its peak in the middle.

    Parameters
    ----------
    pixels : ndarray
        ``(height, width)``.

    Returns
    -------
    bool
    """
    if not np.isfinite(pixels).all() or abs(float(pixels.sum(dtype=float)) - 1.0) > _PSF_SUM:
        return False
    peak = np.array(np.unravel_index(pixels.argmax(), pixels.shape))
    in_middle = bool((np.abs(peak - 0.5 * (np.array(pixels.shape) - 1)) <= 1.5).all())
    return in_middle and float(pixels.min()) > -_PSF_BELOW * float(pixels.max())


def in_turn(shapes: Sequence[tuple[int, int]]) -> bool:
    """Whether shapes are those of images and PSFs in turn: all images alike, each PSF smaller.

    Parameters
    ----------
    shapes : sequence of (int, int)

    Returns
    -------
    bool
    """
    images, psfs = shapes[::2], shapes[1::2]
    alike = len(images) == len(psfs) > 0 and len(set(images)) == 1
    return alike and all(psf[0] < images[0][0] and psf[1] < images[0][1] for psf in psfs)


def _is_told(found: list[Meaning]) -> bool:
    """Whether each image is one band and kind of its own; an image of the sky must have a band."""
    used = [(one.band, one.kind) for one in found if not one.aside]
    return len(set(used)) == len(used) and all(band or kind != "sci" for band, kind in used)


def _by_order(found: list[Meaning], label: Label, survey: Survey, order: Sequence[str]) -> list[Meaning]:
    """Bands of images of which nothing tells them: in the order of the survey's own files."""
    used = [one for one in found if not one.aside]
    if label.band or len(used) != len(order) or len({one.kind for one in used}) > 1:
        twice = [" ".join(key) for key, count in Counter((one.band, one.kind) for one in used).items() if count > 1]
        what = f"nothing tells the bands of its {len(used)} images among {', '.join(survey.band_names)}"
        raise InputError(f"{', '.join(twice)} is in it twice" if label.band and twice else what)
    bands = iter(order)
    return [one if one.aside else Meaning(next(bands), one.kind) for one in found]
