"""What the image of a galaxy tells of it: brightness in each band, and shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.survey import Survey, mag_from_flux

#: Aperture in which galaxies are measured and compared, radius in arcsec.
APERTURE_ARCSEC = 2.0

#: Magnitudes are taken from fluxes above this many sigma.
_LEAST_SNR = 5.0

#: Standard deviation of the weight under which the shape is measured, in PSF widths.
_WEIGHT_FWHM = 1.0

_FWHM_PER_SIGMA = math.sqrt(8.0 * math.log(2.0))


@dataclass(frozen=True)
class Shape:
    """Ellipse of a galaxy's light.

    Parameters
    ----------
    axis_ratio : float
        Minor over major axis; 1 where it is too faint or too small to tell.
    angle_rad : float
        Direction of the major axis, from x towards y.
    """

    axis_ratio: float
    angle_rad: float


def _offsets(size: int, position: tuple[float, float], survey: Survey) -> tuple[np.ndarray, np.ndarray]:
    """Position of pixels from the galaxy, in arcsec."""
    axis = (np.arange(size) - 0.5 * (size - 1)) * survey.pixel_scale_arcsec
    return axis - position[0], (axis - position[1])[:, None]


def aperture_mags(
    pixels: np.ndarray, survey: Survey, *, position_arcsec: tuple[float, float], noise_sigma: tuple[float, ...]
) -> np.ndarray:
    """Magnitudes of what is within 2 arcsec of the galaxy's centre.

    Parameters
    ----------
    pixels : ndarray
        ``(size, size, band)``, in flux.
    survey : Survey
    position_arcsec : tuple of float
        Of the galaxy, from the middle.
    noise_sigma : tuple of float
        Sky sigma of each band.

    Returns
    -------
    ndarray
        ``(band,)``, NaN where it is fainter than 5 sigma or more than a fifth
        of the aperture is masked.
    """
    x, y = _offsets(len(pixels), position_arcsec, survey)
    inside = pixels[np.hypot(x, y) < APERTURE_ARCSEC].astype(float)
    seen = np.isfinite(inside)
    flux = np.nansum(inside, axis=0) / np.maximum(seen.mean(axis=0), 0.2)
    clear = (flux > _LEAST_SNR * np.asarray(noise_sigma) * math.sqrt(len(inside))) & (seen.mean(axis=0) > 0.8)
    zero_points = np.array([band.zero_point_mag for band in survey.bands])
    return mag_from_flux(np.where(clear, flux, np.nan), zero_points)


def light_shape(
    plane: np.ndarray, survey: Survey, *, position_arcsec: tuple[float, float], noise_sigma: float, fwhm_arcsec: float
) -> Shape:
    """Ellipse of the light within about one PSF of the centre.

    Second moments under a round Gaussian weight; the weight and the PSF are
    taken out again as if all three were Gaussians: covariances of products add
    inversely, those of convolutions directly.

    Parameters
    ----------
    plane : ndarray
        ``(size, size)``, one band.
    survey : Survey
    position_arcsec : tuple of float
        Of the galaxy, from the middle.
    noise_sigma : float
        Sky sigma.
    fwhm_arcsec : float
        Of the PSF.

    Returns
    -------
    Shape
    """
    x, y = _offsets(len(plane), position_arcsec, survey)
    width = _WEIGHT_FWHM * max(fwhm_arcsec, 3.0 * survey.pixel_scale_arcsec)
    weight = np.exp(-0.5 * (x**2 + y**2) / width**2)
    light = np.where(np.isfinite(plane), plane, 0.0) * weight
    total = float(light.sum())
    if total < 20.0 * noise_sigma * math.sqrt(float((weight**2).sum())):
        return Shape(1.0, 0.0)
    moments = np.array([[(light * x * x).sum(), (light * x * y).sum()], [0.0, (light * y * y).sum()]]) / total
    moments[1, 0] = moments[0, 1]
    psf = (fwhm_arcsec / _FWHM_PER_SIGMA) ** 2 * np.eye(2)
    try:
        covariance = np.linalg.inv(np.linalg.inv(moments) - np.eye(2) / width**2) - psf
    except np.linalg.LinAlgError:
        return Shape(1.0, 0.0)
    (minor, major), axes = np.linalg.eigh(covariance)
    if not (np.isfinite(covariance).all() and 0.0 < minor <= major):
        return Shape(1.0, 0.0)
    return Shape(math.sqrt(minor / major), math.atan2(axes[1, 1], axes[0, 1]) % math.pi)
