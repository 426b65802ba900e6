"""The local PSF: the width and the wings of an image of it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

from lensdetect.errors import InputError

#: Points along one side of a pixel, over which the profile is averaged as the detector does.
_POINTS = 3
_LEAST_BETA, _MOST_BETA = 1.2, 12.0


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
