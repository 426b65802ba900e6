"""Headers of image files: what is in them, without their pixels."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import struct
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import proj_plane_pixel_scales

from lensdetect.images import apart
from lensdetect.images.bounds import TILE_PIXELS
from lensdetect.images.units import open_units

#: Keywords that may name the band of an image, the most telling first.
_BAND_KEYWORDS = ("BAND", "FILTER", "FILT_ID")

#: Keywords that may say what kind of image it is: of simulated tiles, and of DES.
_KIND_KEYWORDS = ("IMAGETYP", "DES_EXT")

#: Keywords of the zero point: of simulated tiles, DES and Euclid, CFHTLS and KiDS.
_ZERO_POINT_KEYWORDS = ("MAGZP", "MAGZERO", "MZP_AB", "ZEROPNT")

#: Units of flux density whose zero point is a matter of definition (AB: Oke & Gunn 1983, ApJ 266 713).
_UNIT_ZERO_POINTS_MAG = {
    "jy": 8.9, "mjy": 16.4, "ujy": 23.9, "njy": 31.4, "maggy": 0.0, "maggies": 0.0, "nanomaggy": 22.5, "nmgy": 22.5,
    "nanomaggies": 22.5,
}  # fmt: skip

#: Keywords of the bits of a mask: ``MP_SAT = 1`` (Rubin, HSC), ``MBIT_2 = 'SATUR_G'``, ``MSKN02 = 'SATUR_G'``.
_BIT_NUMBER, _BIT_NAME = re.compile(r"MP_(\w+)"), re.compile(r"(?:MBIT_?|MSKN_?)(\d+)")

#: Names of extensions that say nothing.
_NAMELESS = {"PRIMARY", "COMPRESSED_IMAGE"}


@dataclass(frozen=True)
class Plane:
    """One image of a file, as its header describes it.

    Parameters
    ----------
    unit : int
        Number of the header-data unit.
    plane : int or None
        Number along the first axis of a cube.
    shape : tuple of int
        Height and width.
    wcs_header : str
        World coordinates as a FITS header; empty if there are none.
    extension : str
        Name of the extension; empty if it says nothing.
    band_text, kind_text : str
        What the header says of the band, and of the kind of image.
    zero_point_mag : float or None
        AB magnitude of one unit of flux, where the header says it.
    mask_bits : tuple of (str, int)
        Names and numbers of the bits of a mask, where the header says them.
    """

    unit: int
    plane: int | None
    shape: tuple[int, int]
    wcs_header: str
    extension: str
    band_text: str
    zero_point_mag: float | None
    kind_text: str = ""
    mask_bits: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class FileHeaders:
    """What the headers of a file say.

    Parameters
    ----------
    planes : tuple of Plane
        Its images; none in the file of a catalogue.
    offsets_mag : dict of str
        Corrections of zero points, ``DMAG_U`` and the like, by what follows
        ``DMAG_``: what is to be added to magnitudes.
    """

    planes: tuple[Plane, ...]
    offsets_mag: dict[str, float]


def read_headers(path: Path | str, *, max_pixels: int = TILE_PIXELS) -> FileHeaders:
    """Describe a file without reading pixels, in a process of its own.

    Of a file in gzip what lies behind its first image is unpacked only where its
    length says that there is something.

    Parameters
    ----------
    path : path
    max_pixels : int
        Pixels that an image may have.

    Returns
    -------
    FileHeaders

    Raises
    ------
    InputError
        If it is no FITS file, shorter than its headers say, or claims larger images.
    """
    found, _ = apart.call("lensdetect.images.headers:describe", path, max_pixels)
    return FileHeaders(tuple(map(plane_of, found["planes"])), found["offsets_mag"])


def plane_of(stored: dict[str, Any]) -> Plane:
    """A plane from its fields as JSON holds them."""
    # it has lists alone
    bits = tuple((name, bit) for name, bit in stored["mask_bits"])
    return Plane(**{**stored, "shape": tuple(stored["shape"]), "mask_bits": bits})


def describe(path: str, max_pixels: int) -> tuple[dict[str, Any], list]:
    """What ``read_headers`` gives, as dictionaries; called in a process of its own."""
    zipped = path.lower().endswith(".gz")
    planes: list[Plane] = []
    offsets: dict[str, float] = {}
    primary = fits.Header()
    for number, unit in open_units(path, max_pixels=max_pixels):
        found = _planes_of(unit.header, number, primary=primary)
        if number == 0 and not found:
            # keywords of a primary header without an image are those of all images behind it
            primary = unit.header
        planes += found
        offsets |= _zero_point_offsets(unit.header)
        if zipped and number == 0 and found and _ends_with(unit, path):
            break
    return dataclasses.asdict(FileHeaders(tuple(planes), offsets)), []


def _ends_with(unit, path: str) -> bool:
    """Whether a zipped file is over behind its first unit, as the length at its end says."""
    end = unit.fileinfo()["datLoc"] + math.ceil(unit.size / 2880) * 2880
    with open(path, "rb") as file:
        file.seek(-4, os.SEEK_END)
        (length,) = struct.unpack("<I", file.read(4))
    # it is known modulo 2**32
    return length == end % 2**32


def _planes_of(header: fits.Header, unit: int, *, primary: fits.Header) -> list[Plane]:
    # an unpacked image may have kept the keywords of its compression
    packed = str(header.get("XTENSION", "")).strip() == "BINTABLE" and header.get("ZIMAGE", False) is True
    is_image = packed or str(header.get("XTENSION", "IMAGE")).strip() == "IMAGE"
    prefix = "Z" if packed else ""
    axes = [header[f"{prefix}NAXIS{axis}"] for axis in range(1, header.get(f"{prefix}NAXIS", 0) + 1)]
    while len(axes) > 2 and axes[-1] == 1:
        axes.pop()
    if not is_image or len(axes) not in (2, 3) or 0 in axes:
        return []
    extension = str(header.get("EXTNAME", "")).strip()
    common = {
        "shape": (axes[1], axes[0]),
        "wcs_header": wcs_text(header),
        "extension": "" if extension.upper() in _NAMELESS else extension,
        "zero_point_mag": next(filter(_is_number, map(_zero_point, (header, primary))), None),
        "band_text": _first_text(_BAND_KEYWORDS, header) or _first_text(_BAND_KEYWORDS, primary),
        "kind_text": _first_text(_KIND_KEYWORDS, header),
        "mask_bits": _mask_bits(header),
    }
    if len(axes) == 2:
        return [Plane(unit, None, **common)]
    bands = plane_bands(header.get("BANDS"), axes[2]) or [common.pop("band_text")] * axes[2]
    common.pop("band_text", None)
    return [Plane(unit, plane, **common, band_text=bands[plane]) for plane in range(axes[2])]


def plane_bands(value, count: int) -> list[str] | None:
    """Bands of the planes of a cube as ``BANDS`` names them: ``grz``, or with commas or blanks between them.

    Parameters
    ----------
    value
        Of the keyword; None where there is none.
    count : int
        Number of planes.

    Returns
    -------
    list of str or None
        One a plane, or None if that is not what it says.
    """
    text = value.strip() if isinstance(value, str) else ""
    for names in (list(text), re.split(r"[\s,]+", text)):
        if len(names) == count and all(names):
            return names
    return None


def _first_text(keywords: tuple[str, ...], header: fits.Header) -> str:
    return next((str(header[key]).strip() for key in keywords if key in header), "")


def _zero_point(header: fits.Header) -> float | None:
    stated = next((header[key] for key in _ZERO_POINT_KEYWORDS if _is_number(header.get(key))), None)
    if stated is not None:
        return float(stated)
    if _is_number(header.get("FLUXMAG0")) and header["FLUXMAG0"] > 0:
        return 2.5 * math.log10(header["FLUXMAG0"])
    return _UNIT_ZERO_POINTS_MAG.get(str(header.get("BUNIT", "")).strip().lower())


def _mask_bits(header: fits.Header) -> tuple[tuple[str, int], ...]:
    found = []
    for key in header:
        numbered, named = _BIT_NUMBER.fullmatch(key), _BIT_NAME.fullmatch(key)
        if numbered and isinstance(header[key], int) and 0 <= header[key] < 63:
            found.append((numbered[1], int(header[key])))
        elif named and isinstance(header[key], str) and int(named[1]) < 63:
            found.append((header[key].strip(), int(named[1])))
    return tuple(found)


def _zero_point_offsets(header: fits.Header) -> dict[str, float]:
    found = {key[5:]: header[key] for key in header if key.startswith("DMAG_")}
    return {band: float(value) for band, value in found.items() if _is_number(value)}


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def wcs_text(header: fits.Header) -> str:
    """World coordinates of an image as the text of a header; empty where it has no place on the sky."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(header, naxis=2)
            return wcs.to_header_string(relax=True).rstrip() if wcs.has_celestial else ""
        # what wcslib refuses is no place on the sky
        except Exception:
            return ""


@lru_cache(maxsize=2048)
def parse_wcs(header: str) -> WCS:
    """World coordinates from the text of a header.

    Parameters
    ----------
    header : str
        Cards without line breaks.

    Returns
    -------
    WCS
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return WCS(fits.Header.fromstring(header), naxis=2)


@lru_cache(maxsize=2048)
def scale_of(header: str) -> float:
    """Pixel scale from the text of a header.

    Parameters
    ----------
    header : str
        World coordinates, as ``Plane.wcs_header`` has them.

    Returns
    -------
    float
        In arcsec; the geometric mean of both axes.
    """
    return math.sqrt(abs(float(np.prod(proj_plane_pixel_scales(parse_wcs(header)))))) * 3600.0
