"""What the numbers of some images mean: bands, zero points, pixel scale, size, unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.survey import Survey

#: Largest relative difference of two pixel scales that count as the same: less
#: than what the spread of PSF widths within a survey does to an arc.
PIXEL_SCALE_TOLERANCE = 0.02


@dataclass(frozen=True)
class ImageProperties:
    """Found once, by whoever opens images, and handed down to whoever needs it.

    Parameters
    ----------
    bands : tuple of str
        In the order of the planes.
    zero_points_mag : tuple of float
        AB magnitude of one unit of flux in each band.
    pixel_scale_arcsec : float
    shape : tuple of int or None
        Height and width in pixels; None where it does not matter.
    """

    bands: tuple[str, ...]
    zero_points_mag: tuple[float, ...]
    pixel_scale_arcsec: float
    shape: tuple[int, int] | None = None

    @classmethod
    def of(
        cls, survey: Survey, *, bands: Sequence[str] | None = None, shape: tuple[int, int] | None = None
    ) -> ImageProperties:
        """Properties of images in a survey's own form.

        Parameters
        ----------
        survey : Survey
        bands : sequence of str, optional
            Some of its bands, in any order; all of them if not given.
        shape : tuple of int, optional

        Returns
        -------
        ImageProperties
        """
        rows = survey.select(survey.band_names if bands is None else bands)
        zero_points = tuple(band.zero_point_mag for band in rows)
        return cls(tuple(band.name for band in rows), zero_points, survey.pixel_scale_arcsec, shape)

    @property
    def unit(self) -> str:
        """Unit of flux, for people."""
        rows = zip(self.bands, self.zero_points_mag, strict=True)
        return f"AB zero point {', '.join(f'{band} {zero_point:g}' for band, zero_point in rows)}"

    def ratio_to(self, pixel_scale_arcsec: float) -> float:
        """Another pixel scale over this one; 1 where they agree so well that nothing needs to be resampled.

        Parameters
        ----------
        pixel_scale_arcsec : float

        Returns
        -------
        float
        """
        ratio = pixel_scale_arcsec / self.pixel_scale_arcsec
        return 1.0 if abs(1.0 / ratio - 1.0) <= PIXEL_SCALE_TOLERANCE else ratio

    def flux_factors(self, zero_points_mag: Sequence[float]) -> np.ndarray:
        """What flux is to be multiplied by to be in the unit of other zero points.

        Parameters
        ----------
        zero_points_mag : sequence of float
            AB magnitude of one of the new units, in each of ``bands``.

        Returns
        -------
        ndarray
            float32 ``(band,)``: 10^(0.4 (new - old)), as a magnitude is the same under both
            (Pogson 1856).

        Raises
        ------
        InputError
            If a zero point is not finite.
        """
        old, new = np.array(self.zero_points_mag, float), np.array(zero_points_mag, float)
        if not np.isfinite(old).all():
            raise InputError(
                f"zero points must be finite numbers, one for each of {', '.join(self.bands)}, got {old.tolist()}"
            )
        return (10.0 ** (0.4 * (new - old))).astype(np.float32)
