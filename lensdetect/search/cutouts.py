"""Cutouts of one tile, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.search.tiles import Tile
from lensdetect.survey import Survey


@dataclass(frozen=True)
class Cutouts:
    """Cutouts around some positions, in the order asked for.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(n, size, size, band)`` in survey flux; NaN is no pixel.
    flags : ndarray
        int64 ``(n,)``: edge, masked, missing_band, blank and what ``flag_quality`` suspects.
    reasons : list of str
        Empty, or why there is no score (of those with a flag in ``REFUSED``).
    """

    pixels: np.ndarray
    flags: np.ndarray
    reasons: list[str]

    def __len__(self) -> int:
        """Number of cutouts."""
        return len(self.pixels)


class OpenTile:
    """A tile whose pixels can be read; to be used in a ``with``.

    Parameters
    ----------
    tile : Tile
    survey : Survey
    scale_arcsec : float, optional
        Pixel scale of the cutouts; that of the survey if not given.
    noise_factor : float
        By which the background rms may differ from the survey's.

    Attributes
    ----------
    noise_sigma : ndarray
        float ``(band,)``: background rms measured, in survey flux; NaN for missing bands.

    Raises
    ------
    InputError
        If it has a problem, cannot be read, or its background is implausible:
        the tile is then to be given up, with this reason.
    """

    def cut(self, x_pix: np.ndarray, y_pix: np.ndarray, *, size: int = 101, quality: bool = True) -> Cutouts:
        """Cut around positions.

        Parameters
        ----------
        x_pix, y_pix : ndarray
            ``(n,)`` in the tile's frame, in any order; a cutout is centred on the nearest whole pixel.
        size : int
            Side in pixels of the result.
        quality : bool
            Whether glitches are looked for, too.

        Returns
        -------
        Cutouts

        Raises
        ------
        InputError
            If pixels cannot be read.
        """
        raise NotImplementedError

    def __enter__(self) -> OpenTile:
        """Itself."""
        return self

    def __exit__(self, *error) -> None:
        """Close the files."""


def open_tile(
    tile: Tile, survey: Survey, *, scale_arcsec: float | None = None, noise_factor: float = 5.0
) -> OpenTile:
    """Open a tile for cutting; see ``OpenTile``.

    Parameters
    ----------
    tile : Tile
    survey : Survey
    scale_arcsec : float, optional
        Pixel scale of the cutouts, that of the detector; that of the survey if not given.
    noise_factor : float
        By which the background rms of a band may differ from the survey's.

    Returns
    -------
    OpenTile
    """
    return OpenTile(tile, survey, scale_arcsec=scale_arcsec, noise_factor=noise_factor)
