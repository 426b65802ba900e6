"""Headers of image files: what is in them, without their pixels."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS, FITSFixedWarning

from lensdetect.errors import InputError

#: Keywords that may name the band of an image, the most telling first.
_BAND_KEYWORDS = ("BAND", "FILTER", "FILT_ID")

#: Keywords of the zero point: of simulated tiles, DES, CFHTLS and KiDS.
_ZERO_POINT_KEYWORDS = ("MAGZP", "MAGZERO", "MZP_AB", "ZEROPNT")


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
        Name of the extension.
    band_text : str
        What the header says of the band.
    zero_point_mag : float or None
        AB magnitude of one unit of flux, where the header says it.
    """

    unit: int
    plane: int | None
    shape: tuple[int, int]
    wcs_header: str
    extension: str
    band_text: str
    zero_point_mag: float | None


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


def read_headers(path: Path | str) -> FileHeaders:
    """Describe a file without reading pixels.

    Of a file in gzip the first image alone is looked at: the next header lies
    behind its pixels.

    Parameters
    ----------
    path : path

    Returns
    -------
    FileHeaders

    Raises
    ------
    InputError
        If it is no FITS file, or shorter than its headers say.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            # compressed images are tables; their cards say all that is wanted
            with fits.open(path, memmap=True, lazy_load_hdus=True, disable_image_compression=True) as units:
                return _describe(units, Path(path))
    except InputError:
        raise
    except (OSError, ValueError, TypeError, KeyError, EOFError) as error:
        raise InputError(f"{path}: cut short or not FITS: {' '.join(str(error).split())}") from error


def _describe(units: fits.HDUList, path: Path) -> FileHeaders:
    zipped = path.name.lower().endswith(".gz")
    planes: list[Plane] = []
    offsets: dict[str, float] = {}
    for number, unit in enumerate(units):
        if not zipped:
            _check_length(unit, path)
        planes += _planes_of(unit.header, number)
        offsets |= _zero_point_offsets(unit.header)
        if zipped and planes:
            break
    return FileHeaders(tuple(planes), offsets)


def _check_length(unit, path: Path) -> None:
    needed = unit.fileinfo()["datLoc"] + unit.size
    held = os.path.getsize(path)
    if held < needed:
        raise InputError(f"{path}: cut short: its headers ask for {needed} bytes, got {held}: fetch it again")


def _planes_of(header: fits.Header, unit: int) -> list[Plane]:
    prefix = "Z" if header.get("ZIMAGE", False) else ""
    is_image = prefix or str(header.get("XTENSION", "IMAGE")).strip() == "IMAGE"
    axes = [header[f"{prefix}NAXIS{axis}"] for axis in range(1, header.get(f"{prefix}NAXIS", 0) + 1)]
    while len(axes) > 2 and axes[-1] == 1:
        axes.pop()
    if not is_image or len(axes) not in (2, 3) or 0 in axes:
        return []
    common = {
        "shape": (axes[1], axes[0]),
        "wcs_header": _wcs_text(header),
        "extension": str(header.get("EXTNAME", "")),
        "zero_point_mag": next(
            (float(header[key]) for key in _ZERO_POINT_KEYWORDS if _is_number(header.get(key))), None
        ),
        "band_text": next((str(header[key]) for key in _BAND_KEYWORDS if key in header), ""),
    }
    return [Plane(unit, plane, **common) for plane in (range(axes[2]) if len(axes) == 3 else (None,))]


def _zero_point_offsets(header: fits.Header) -> dict[str, float]:
    found = {key[5:]: header[key] for key in header if key.startswith("DMAG_")}
    return {band: float(value) for band, value in found.items() if _is_number(value)}


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _wcs_text(header: fits.Header) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(header, naxis=2)
            return wcs.to_header_string(relax=True).rstrip() if wcs.has_celestial else ""
        # what wcslib refuses is no place on the sky
        except Exception:
            return ""
