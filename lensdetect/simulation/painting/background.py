"""The sky's noise in a real image, whatever else is in it."""

from __future__ import annotations

import numpy as np

from lensdetect.errors import InputError
from lensdetect.images.rows import read_part
from lensdetect.simulation.painting.images import PlaneAt
from lensdetect.survey import Band, Survey

#: Pixels above this are objects, in sigma.
_CLIP_SIGMA = 2.5

#: Standard deviation of a Gaussian over the root mean square of its values within
#: 2.5 sigma below the middle.
_CLIPPED = 1.0 / np.sqrt(1.0 - 2.0 * 2.5 * np.exp(-0.5 * 2.5**2) / np.sqrt(2.0 * np.pi) / 0.98758)

#: Images with a longer side are sampled: this many blocks of this side, along each axis.
_WHOLE_PIX, _BLOCKS, _BLOCK_PIX = 1024, 6, 128


def sky_sigma(values: np.ndarray) -> float:
    """Standard deviation of the sky of an image with objects in it.

    The middle of the sky is found by clipping, and the spread is taken from
    values below it, where no object's light is.

    Parameters
    ----------
    values : ndarray
        Pixels in flux; NaN is left out.

    Returns
    -------
    float
        NaN if there are fewer than 100 pixels.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if len(values) < 100:
        return float("nan")
    middle = np.median(values)
    sigma = 1.4826 * np.median(np.abs(values - middle))
    for _ in range(10):
        sky = values[np.abs(values - middle) <= _CLIP_SIGMA * sigma]
        if len(sky) < 50 or sigma == 0.0:
            break
        middle = np.median(sky)
        below = sky[sky <= middle] - middle
        sigma = _CLIPPED * np.sqrt(np.mean(np.square(below)))
    return float(sigma)


def plane_sigma(place: PlaneAt, height: int, width: int) -> float:
    """Sky sigma of one image; of a large one from 36 blocks all over it.

    Parameters
    ----------
    place : PlaneAt
    height, width : int
        Of the image.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if max(height, width) <= _WHOLE_PIX:
        values = read_part(place, slice(0, height), slice(0, width))
    else:
        starts = [np.linspace(0, side - _BLOCK_PIX, _BLOCKS).astype(int) for side in (height, width)]
        values = np.concatenate(
            [
                read_part(place, slice(row, row + _BLOCK_PIX), slice(column, column + _BLOCK_PIX)).ravel()
                for row in starts[0]
                for column in starts[1]
            ]
        )
    return sky_sigma(values[values != 0.0])


def check_sigma(sigma: float, band: Band, *, survey: Survey, factor: float) -> None:
    """Refuse an image whose noise its declared survey cannot have.

    Parameters
    ----------
    sigma : float
        Measured.
    band : Band
        Its typical noise is compared with it.
    survey : Survey
    factor : float
        How far apart the two may be.

    Raises
    ------
    InputError
        With both numbers.
    """
    if not band.noise_sigma / factor <= sigma <= band.noise_sigma * factor:
        raise InputError(
            f"the background rms of band {band.name} must be within a factor {factor:g} of the {band.noise_sigma:.3g} "
            f"of survey {survey.name}, got {sigma:.3g}: declare the survey whose flux units these are"
        )
