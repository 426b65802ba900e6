"""What is known of a tile before any of its pixels is read."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from astropy.wcs import WCS

from lensdetect.images.headers import parse_wcs
from lensdetect.images.pixels import Image
from lensdetect.images.properties import ImageProperties
from lensdetect.survey import Survey


@dataclass(frozen=True)
class Tile:
    """A survey image in all its bands, with its place on the sky.

    Its frame, which positions in pixels refer to, is that of the reference
    band or, without that, of the first band there is.

    Parameters
    ----------
    name : str
        What the names of its files have in common; no two tiles share it.
    images : dict
        ``Image`` by (band, kind); kinds are those of ``images.kinds``.
    shape : tuple of int
        Height and width of the frame in pixels; (0, 0) if not known.
    wcs_header : str
        World coordinates as a FITS header without line breaks; empty if there are none.
    corners_deg : tuple of (float, float)
        Right ascension and declination of the four corners, around the frame.
    pixel_scale_arcsec : float
    zero_point_offset_mag : dict of str
        Band -> what is to be added to magnitudes that the survey's zero point
        gives in this tile: the difference of a zero point in the header, and
        ``DMAG_*``. Bands that need nothing are left out.
    missing_bands : tuple of str
        Bands of the survey without an image: planes of NaN stand for them.
    problem : str
        Why the tile cannot be used; empty if it can.
    """

    name: str
    images: dict[tuple[str, str], Image]
    shape: tuple[int, int] = (0, 0)
    wcs_header: str = ""
    corners_deg: tuple[tuple[float, float], ...] = ()
    pixel_scale_arcsec: float = float("nan")
    zero_point_offset_mag: dict[str, float] = field(default_factory=dict)
    missing_bands: tuple[str, ...] = ()
    problem: str = ""

    @property
    def wcs(self) -> WCS:
        """World coordinates of the frame."""
        return parse_wcs(self.wcs_header)

    @property
    def paths(self) -> tuple[str, ...]:
        """Its files, each once, by name."""
        return tuple(sorted({image.path for image in self.images.values()}))

    def properties(self, survey: Survey) -> ImageProperties:
        """What its numbers mean, in all bands of a survey.

        Parameters
        ----------
        survey : Survey
            That it is of.

        Returns
        -------
        ImageProperties
        """
        zero_points = tuple(
            band.zero_point_mag + self.zero_point_offset_mag.get(band.name, 0.0) for band in survey.bands
        )
        return ImageProperties(survey.band_names, zero_points, self.pixel_scale_arcsec, self.shape)

    def pixels(self, ra_deg: np.ndarray, dec_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions in pixels, 0 in the middle of the first pixel.

        Parameters
        ----------
        ra_deg, dec_deg : ndarray
            ``(n,)``.

        Returns
        -------
        tuple of ndarray
            x and y, float64 ``(n,)``; NaN where the projection has none.
        """
        ra_deg, dec_deg = np.ravel(ra_deg).astype(float), np.ravel(dec_deg).astype(float)
        x, y = np.full((2, len(ra_deg)), np.nan)
        known = np.isfinite(ra_deg) & np.isfinite(dec_deg) & (np.abs(dec_deg) <= 90.0)
        if known.any():
            wcs = self.wcs
            # distortions are undone step by step, which takes long; most coadds have none
            undo = wcs.wcs_world2pix if not wcs.has_distortion else wcs.all_world2pix
            how = {} if not wcs.has_distortion else {"quiet": True}
            x[known], y[known] = undo(ra_deg[known], dec_deg[known], 0, **how)
        return x, y

    def sky(self, x_pix: np.ndarray, y_pix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Right ascension and declination in degrees of positions in pixels.

        Parameters
        ----------
        x_pix, y_pix : ndarray
            ``(n,)``.

        Returns
        -------
        tuple of ndarray
            float64 ``(n,)``.
        """
        ra_deg, dec_deg = self.wcs.all_pix2world(np.ravel(x_pix).astype(float), np.ravel(y_pix).astype(float), 0)
        return ra_deg, dec_deg
