"""Images of a tile on disk: row after row into FITS files that appear when they are whole."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
from astropy.io import fits

from lensdetect.runs import writing
from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.tiles.layout import Tile
from lensdetect.survey import Survey

#: Size of the blocks that FITS files consist of.
_BLOCK_BYTES = 2880

#: FITS's number and the type on disk of each kind of image: science, weight, mask.
#: Bits of masks that tiles have, by the names of KiDS: see ``stars`` and ``regions`` beside this.
_MASK_BITS = {"READOUT_SPIKE": 0, "SATURATION_CORE": 1, "PRIMARY_HALO": 3, "BAD_PIXEL": 6}

_TYPES = {"sci": (-32, ">f4"), "wei": (-32, ">f4"), "msk": (8, "u1")}

KINDS: tuple[str, ...] = tuple(_TYPES)


def image_header(
    tile: Tile, survey: Survey, *, band: str, kind: str, conditions: Conditions, correction_mag: float
) -> fits.Header:
    """Header of one image.

    Parameters
    ----------
    tile : Tile
    survey : Survey
    band : str
    kind : str
        A key of ``KINDS``.
    conditions : Conditions
        Of the tile.
    correction_mag : float
        What is to be added to magnitudes of this image.

    Returns
    -------
    astropy.io.fits.Header
    """
    number = survey.band_names.index(band)
    cards = [
        ("SIMPLE", True, "conforms to FITS standard"),
        ("BITPIX", _TYPES[kind][0], "bits of a pixel"),
        ("NAXIS", 2, ""),
        ("NAXIS1", tile.width, ""),
        ("NAXIS2", tile.height, ""),
        ("OBJECT", tile.name, "tile"),
        ("SURVEY", survey.name, ""),
        ("FILTER", band, ""),
        ("IMAGETYP", {"sci": "science", "wei": "weight", "msk": "mask"}[kind], ""),
        ("SIMULATD", True, "made by lensdetect"),
    ]
    if kind == "sci":
        cards += [
            ("MAGZP", survey.bands[number].zero_point_mag, "[mag] AB magnitude of one flux unit"),
            (f"DMAG_{band.upper()}"[:8], round(correction_mag, 6), "[mag] to add to magnitudes of this image"),
            ("PSF_FWHM", conditions.psf_fwhm_arcsec[number], "[arcsec] width of the PSF"),
            ("SKYSIGMA", conditions.noise_sigma[number], "sky sigma in a pixel"),
        ]
    if kind == "msk":
        # as Rubin names bits, so that masks of any survey are understood
        cards += [(f"HIERARCH MP_{name}", bit, "bit of the mask") for name, bit in _MASK_BITS.items()]
    header = fits.Header(cards)
    header.extend(tile.wcs.to_header(), unique=True)
    return header


class TileImages:
    """Files of one tile, written row by row; they get their names in the end, all together.

    Use it as a context: what was not finished is removed.

    Parameters
    ----------
    headers : dict of Path to (str, Header)
        Kind and header of each file.
    """

    def __init__(self, headers: dict[Path, tuple[str, fits.Header]]):
        self._headers = headers
        self._partial = {path: writing.partial_path(path) for path in headers}
        self._stack = ExitStack()

    def __enter__(self) -> TileImages:
        """Open all files under names of their own."""
        self._files = {}
        try:
            for path, (kind, header) in self._headers.items():
                file = self._stack.enter_context(open(self._partial[path], "wb"))
                file.write(header.tostring().encode("ascii"))
                self._files[path] = (file, _TYPES[kind][1])
        except OSError:
            self.__exit__()
            raise
        return self

    def append(self, path: Path, rows: np.ndarray) -> None:
        """Add rows ``(rows, width)`` to one of the files."""
        file, dtype = self._files[path]
        file.write(np.ascontiguousarray(rows, dtype).data)

    def finish(self) -> None:
        """Fill up the last blocks and put the files in place."""
        for file, _ in self._files.values():
            file.write(b"\0" * (-file.tell() % _BLOCK_BYTES))
            file.close()
        # what says that they are there is written later, and flushed
        writing.sync_all()
        for path in self._files:
            writing.commit(self._partial[path], path)

    def __exit__(self, *_) -> None:
        """Close, and remove what was not finished."""
        try:
            self._stack.close()
        finally:
            for partial in self._partial.values():
                partial.unlink(missing_ok=True)
