"""The local PSF: the width and the wings of an image of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from lensdetect.errors import InputError, unknown_name
from lensdetect.images.index import TileIndex, index_tiles
from lensdetect.images.pixels import Image, Rows
from lensdetect.images.tiles import Tile
from lensdetect.survey import Band, Survey

PsfGiven = Path | str | Mapping[str, float] | None

#: Points along one side of a pixel, over which the profile is averaged as the detector does.
_POINTS = 3
_LEAST_BETA, _MOST_BETA = 1.2, 12.0


class LocalPsf:
    """PSFs as they were given: images, or widths, or nothing.

    Parameters
    ----------
    psf : path, mapping or None
        Images of PSFs (one file a band for each image by its name, or for all),
        or widths in arcsec by band; the survey's typical one if None.
    survey : Survey
    plane_bands : sequence of str, optional
        As ``index_tiles`` takes them.

    Raises
    ------
    InputError
        If a width is none, a band is unknown, or an image cannot be used.
    """

    def __init__(self, psf: PsfGiven, survey: Survey, *, plane_bands: Sequence[str] | None = None):
        self._widths: Mapping[str, float] = psf if isinstance(psf, Mapping) else {}
        self._sets: dict[str, list[Tile]] = {}
        self._fits: dict[tuple[Image, float], tuple[float, float]] = {}
        for band, fwhm in self._widths.items():
            if band not in survey.band_names:
                raise unknown_name(f"band of survey {survey.name}", band, survey.band_names)
            if not 0.0 < fwhm < 20.0:
                raise InputError(f"the width of the PSF in {band} must be from 0 to 20 arcsec, got {fwhm}")
        if psf is not None and not isinstance(psf, Mapping):
            self._sets = _sets_of(index_tiles(psf, survey, cutouts=True, plane_bands=plane_bands, of_psf=True))

    def of(self, band: Band, name: str, *, member: int | None, tile: Tile) -> tuple[float, float]:
        """Width and index of the PSF of an image.

        Parameters
        ----------
        band : Band
        name : str
            Of the image, or of its stack.
        member : int or None
            Number in a stack.
        tile : Tile
            The image; that of its PSF has pixels as large.

        Returns
        -------
        tuple of float
            Full width at half maximum in arcsec, and Moffat index.

        Raises
        ------
        InputError
            If the image of the PSF cannot be read, or shows none.
        """
        found = self._sets.get(_plain(name)) or self._sets.get("") or []
        chosen = found[member if member is not None and member < len(found) else 0] if found else None
        image = chosen.images.get((band.name, "sci")) if chosen else None
        if image is None:
            return self._widths.get(band.name, band.psf_fwhm_arcsec), band.psf_beta
        key = image, tile.pixel_scale_arcsec
        if key not in self._fits:
            self._fits[key] = _fit(*key)
        return self._fits[key]


def _sets_of(index: TileIndex) -> dict[str, list[Tile]]:
    """Images of PSFs by plain name; a single one is that of all images."""
    wrong = [(tile.paths[0], tile.problem) for tile in index.tiles if tile.problem] + index.unused
    if wrong:
        raise InputError(f"images of PSFs must be usable, got {wrong[0][0]}: {wrong[0][1]}")
    stacks = {name: [index[f"{name}-{number}"] for number in range(count)] for name, count in index.stacks.items()}
    inside = {tile.name for tiles in stacks.values() for tile in tiles}
    sets = stacks | {tile.name: [tile] for tile in index.tiles if tile.name not in inside}
    by_name = {_plain(name): tiles for name, tiles in sets.items()}
    return by_name | ({"": next(iter(sets.values()))} if len(sets) == 1 else {})


def _plain(name: str) -> str:
    """A name without what tells PSF from image."""
    return re.sub(r"psf|sci|[^a-z0-9.+-]", "", name.lower())


def _fit(image: Image, pixel_scale_arcsec: float) -> tuple[float, float]:
    with closing(Rows(image)) as rows:
        pixels = np.asarray(rows.read(0, rows.shape[0]), np.float32)
    try:
        return fit_psf(pixels, pixel_scale_arcsec)
    except InputError as error:
        raise InputError(f"{image.path}: {error}") from error


def fit_psf(image: np.ndarray, pixel_scale_arcsec: float) -> tuple[float, float]:
    """Round Moffat profile nearest to the image of a PSF.

    Height, centre, width, index and a constant are fitted by least squares to
    the profile averaged over each pixel.

    Parameters
    ----------
    image : ndarray
        ``(height, width)``, the PSF near its middle, in any unit.
    pixel_scale_arcsec : float
        Side of one pixel.

    Returns
    -------
    fwhm_arcsec : float
        Before the pixels: convolved with a pixel it gives the image.
    beta : float
        Index of the Moffat profile.

    Raises
    ------
    InputError
        If the image is smaller than 5 pixels, holds pixels that are not finite,
        or has no peak.
    """
    image = np.asarray(image, float)
    if image.ndim != 2 or min(image.shape) < 5 or not np.isfinite(image).all() or not image.max() > np.median(image):
        raise InputError(
            f"the image of a PSF must be 5 x 5 finite pixels or more with a peak, got {image.shape} from "
            f"{np.nanmin(image):g} to {np.nanmax(image):g}: cut it out around a star"
        )
    image = image / image.max()
    row, column = np.unravel_index(image.argmax(), image.shape)
    sub = (np.arange(_POINTS) + 0.5) / _POINTS - 0.5
    y = (np.arange(image.shape[0])[:, None] + sub)[:, None, :, None]
    x = (np.arange(image.shape[1])[:, None] + sub)[:, None, :]

    def residual(p: np.ndarray) -> np.ndarray:
        height, x0, y0, log_fwhm, beta, constant = p
        scale_squared = np.exp(2.0 * log_fwhm) / (4.0 * (2.0 ** (1.0 / beta) - 1.0))
        profile = (1.0 + ((x - x0) ** 2 + (y - y0) ** 2) / scale_squared) ** -beta
        return (height * profile.mean(axis=(-2, -1)) + constant - image).ravel()

    width = np.sqrt(max((image > 0.5).sum(), 1) * 4.0 / np.pi)
    start = [1.0, column, row, np.log(width), 2.5, 0.0]
    low = [0.3, column - 2, row - 2, np.log(0.3), _LEAST_BETA, -0.05]
    high = [5.0, column + 2, row + 2, np.log(max(image.shape)), _MOST_BETA, 0.05]
    best = least_squares(residual, start, bounds=(low, high)).x
    return float(np.exp(best[3]) * pixel_scale_arcsec), float(best[4])
