"""Where tiles are: their centres, names and world coordinates."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS

from lensdetect.errors import InputError
from lensdetect.survey import Survey

#: By how many pixels neighbours overlap, and the largest part of a tile's shorter side.
_OVERLAP_PIX, _OVERLAP_SHARE = 500, 0.2

#: Most digits after the point in the names of tiles: a third of an arcsec.
_MOST_DECIMALS = 4

#: Farther from the equator rows of tiles would fan out.
_LARGEST_DEC_DEG = 80.0


@dataclass(frozen=True)
class Tile:
    """One pointing of a survey, north up and east to the left.

    Parameters
    ----------
    number : int
        From 0.
    name : str
    ra_deg, dec_deg : float
        Middle, where the tangent plane touches the sky.
    height, width : int
        In pixels.
    pixel_scale_arcsec : float
    """

    number: int
    name: str
    ra_deg: float
    dec_deg: float
    height: int
    width: int
    pixel_scale_arcsec: float

    @functools.cached_property
    def wcs(self) -> WCS:
        """World coordinates in the gnomonic (TAN) projection."""
        wcs = WCS(naxis=2)
        step_deg = self.pixel_scale_arcsec / 3600.0
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.cunit = ["deg", "deg"]
        wcs.wcs.crval = [self.ra_deg, self.dec_deg]
        wcs.wcs.crpix = [0.5 * (self.width + 1), 0.5 * (self.height + 1)]
        wcs.wcs.cd = [[-step_deg, 0.0], [0.0, step_deg]]
        wcs.wcs.radesys, wcs.wcs.equinox = "FK5", 2000.0
        wcs.wcs.set()
        return wcs

    def pixels(self, ra_deg: np.ndarray, dec_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixel positions x and y, 0 in the middle of the first pixel."""
        x, y = self.wcs.wcs_world2pix(np.ravel(ra_deg), np.ravel(dec_deg), 0)
        return x, y

    def sky(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Right ascension and declination in degrees of pixel positions."""
        ra_deg, dec_deg = self.wcs.wcs_pix2world(np.ravel(x), np.ravel(y), 0)
        return ra_deg, dec_deg

    def outline(self, margin_pix: float) -> tuple[np.ndarray, np.ndarray]:
        """Right ascension, within 180 degrees of the middle, and declination of points around the tile."""
        x, y = (np.linspace(-margin_pix - 0.5, side - 0.5 + margin_pix, 33) for side in (self.width, self.height))
        ends = np.full(33, 1.0)
        ra_deg, dec_deg = self.sky(
            np.concatenate([x, x, x[0] * ends, x[-1] * ends]), np.concatenate([y[0] * ends, y[-1] * ends, y, y])
        )
        return self.ra_deg + (ra_deg - self.ra_deg + 180.0) % 360.0 - 180.0, dec_deg


def tile_centres(
    count: int, survey: Survey, *, shape_pix: tuple[int, int], centre_deg: tuple[float, float]
) -> list[tuple[float, float]]:
    """Middles of tiles in rows that overlap, about a position.

    Parameters
    ----------
    count : int
    survey : Survey
        Pixel scale.
    shape_pix : tuple of int
        Height and width of a tile.
    centre_deg : tuple of float
        Right ascension and declination of the middle of all.

    Returns
    -------
    list of tuple of float
        Right ascension and declination in degrees, row by row from the south, east first.

    Raises
    ------
    InputError
        If a row comes too near to a pole.
    """
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    overlap = min(_OVERLAP_PIX, round(_OVERLAP_SHARE * min(shape_pix)))
    up, across = ((side - overlap) * survey.pixel_scale_arcsec / 3600.0 for side in shape_pix)
    centres = []
    for number in range(count):
        row, column = divmod(number, columns)
        dec = centre_deg[1] + (row - 0.5 * (rows - 1)) * up
        if not abs(dec) <= _LARGEST_DEC_DEG:
            raise InputError(
                f"tiles must lie within {_LARGEST_DEC_DEG:g} degrees of the equator, got one at {dec:.1f}: "
                "move the centre, or make fewer tiles"
            )
        # where the row is nearest to the equator, a degree of right ascension is longest
        nearest = max(abs(dec) - 0.5 * up, 0.0)
        step = across / math.cos(math.radians(nearest))
        centres.append(((centre_deg[0] - (column - 0.5 * (columns - 1)) * step) % 360.0, dec))
    return centres


def name_finely(survey: Survey, centres_deg: list[tuple[float, float]]) -> Survey:
    """A survey whose file names have as many decimals as it takes to tell its tiles apart.

    Small tiles lie nearer together than the tenth of a degree that names of
    real ones are rounded to.

    Parameters
    ----------
    survey : Survey
    centres_deg : list of tuple of float
        Right ascension and declination of the tiles.

    Returns
    -------
    Survey

    Raises
    ------
    InputError
        If the survey has no name for its tiles.
    """
    if "{band}" not in survey.tile_pattern or "{kind}" not in survey.tile_pattern:
        raise InputError(
            f"survey {survey.name} must state a tile_pattern with {{band}} and {{kind}} to make tiles, "
            f"got {survey.tile_pattern!r}: add one to the survey"
        )
    for decimals in range(_MOST_DECIMALS + 1):
        finer = _with_decimals(survey, decimals)
        if len({tile_name(finer, *centre) for centre in centres_deg}) == len(centres_deg):
            return finer
    raise InputError(
        f"the tile_pattern of survey {survey.name} must name {len(centres_deg)} tiles differently, "
        f"got {survey.tile_pattern!r}: put {{ra:.1f}} and {{dec:.1f}} in it"
    )


def _with_decimals(survey: Survey, decimals: int) -> Survey:
    def widen(pattern: str) -> str:
        return re.sub(
            r"\{(ra|dec):\.(\d)f\}", lambda found: f"{{{found[1]}:.{max(int(found[2]), decimals)}f}}", pattern
        )

    columns = survey.catalogue
    if columns is not None:
        columns = dataclasses.replace(columns, file_pattern=widen(columns.file_pattern))
    return dataclasses.replace(survey, tile_pattern=widen(survey.tile_pattern), catalogue=columns)


def tile_name(survey: Survey, ra_deg: float, dec_deg: float) -> str:
    """Name of a tile: the survey's, and the position as its file names have it."""
    digits = re.search(r"\{ra:\.(\d)f\}", survey.tile_pattern)
    decimals = int(digits[1]) if digits else 1
    return f"{survey.name.upper()}_{ra_deg:.{decimals}f}_{dec_deg:.{decimals}f}"
