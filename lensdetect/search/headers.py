"""Headers of image files: what is in them, without their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from astropy.io import fits

from lensdetect.images.bounds import TILE_PIXELS
from lensdetect.images.units import open_units, wcs_text

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


def read_headers(path: Path | str, *, max_pixels: int = TILE_PIXELS) -> FileHeaders:
    """Describe a file without reading pixels.

    Of a file in gzip the first image alone is looked at: the next header lies
    behind its pixels.

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
    planes: list[Plane] = []
    offsets: dict[str, float] = {}
    zipped = str(path).lower().endswith(".gz")
    for number, unit in open_units(path, max_pixels=max_pixels):
        planes += _planes_of(unit.header, number)
        offsets |= _zero_point_offsets(unit.header)
        if zipped and planes:
            break
    return FileHeaders(tuple(planes), offsets)


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
        "wcs_header": wcs_text(header),
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
