"""The sky of an image, whatever else is in it: its level and its noise, against what its survey can have."""

from __future__ import annotations

import numpy as np

from lensdetect.errors import InputError
from lensdetect.survey import Band, Survey

#: Pixels above this are objects, in sigma.
_CLIP_SIGMA = 2.5

#: Standard deviation of a Gaussian over the root mean square of its values within
#: 2.5 sigma below the middle.
_CLIPPED = 1.0 / np.sqrt(1.0 - 2.0 * 2.5 * np.exp(-0.5 * 2.5**2) / np.sqrt(2.0 * np.pi) / 0.98758)

#: A sky that is as far from 0 as this, in its own sigma, was left in the image.
LEFT_IN_SIGMA = 5.0


def sky_sigma(values: np.ndarray) -> float:
    """Standard deviation of the sky of an image with objects in it; see ``sky_of``.

    Parameters
    ----------
    values : ndarray

    Returns
    -------
    float
    """
    return sky_of(values)[1]


def sky_of(values: np.ndarray) -> tuple[float, float]:
    """Level and standard deviation of the sky of an image with objects in it.

    The middle of the sky is found by clipping, and the spread is taken from
    values below it, where no object's light is.

    Parameters
    ----------
    values : ndarray
        Pixels in flux; NaN is left out.

    Returns
    -------
    tuple of float
        NaN if there are fewer than 100 pixels.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if len(values) < 100:
        return float("nan"), float("nan")
    middle = np.median(values)
    sigma = 1.4826 * np.median(np.abs(values - middle))
    for _ in range(10):
        sky = values[np.abs(values - middle) <= _CLIP_SIGMA * sigma]
        if len(sky) < 50 or sigma == 0.0:
            break
        middle = np.median(sky)
        below = sky[sky <= middle] - middle
        sigma = _CLIPPED * np.sqrt(np.mean(np.square(below)))
    return float(middle), float(sigma)


def check_sigma(
    sigma: float, band: Band, *, survey: Survey, factor: float, what: str = "", scale_arcsec: float | None = None
) -> None:
    """Refuse an image whose noise its declared survey cannot have.

    Parameters
    ----------
    sigma : float
        Measured; NaN, where there was nothing to measure, is let through.
    band : Band
        Its typical noise is compared with it.
    survey : Survey
    factor : float
        How far apart the two may be.
    what : str
        Whose background it is, for the message.
    scale_arcsec : float, optional
        Pixel scale of the image, where that is another than the survey's: larger
        pixels collect more noise.

    Raises
    ------
    InputError
        With both numbers.
    """
    expected = band.noise_sigma * (scale_arcsec or survey.pixel_scale_arcsec) / survey.pixel_scale_arcsec
    if not np.isnan(sigma) and not expected / factor <= sigma <= expected * factor:
        raise InputError(
            f"the background rms of band {band.name}{f' of {what}' if what else ''} must be within a factor "
            f"{factor:g} of the {expected:.3g} of survey {survey.name}, got {sigma:.3g}: declare the survey whose flux "
            "units these are"
        )


def is_left_in(level: float, sigma: float) -> bool:
    """Whether the sky was left in an image: its level is many sigma away from 0.

    Parameters
    ----------
    level, sigma : float
        Of the sky, as ``sky_of`` measures them; NaN is nothing.

    Returns
    -------
    bool
    """
    return abs(level) > LEFT_IN_SIGMA * sigma
