"""Where the pixels of an image are, in arcsec; what glitches are painted by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lensdetect.survey import Survey

#: Rows that are painted at once: a whole tile's positions would not fit in memory.
_BLOCK_ROWS = 512


def axis_arcsec(count: int, survey: Survey) -> np.ndarray:
    """Pixel centres along one side, in arcsec from the middle of the image."""
    return (np.arange(count) - 0.5 * (count - 1)) * survey.pixel_scale_arcsec


def window(
    pixels: np.ndarray, survey: Survey, *, x_arcsec: float, y_arcsec: float, reach_arcsec: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Part of an image around a position.

    Parameters
    ----------
    pixels : ndarray
        ``(height, width, band)``.
    survey : Survey
    x_arcsec, y_arcsec : float
        The position, from the middle of the image; it may lie beyond its edge.
    reach_arcsec : float
        Half the side of the part.

    Returns
    -------
    tuple of ndarray
        A view of the image, ``(rows, columns, band)``, perhaps empty, and the
        distances of its pixels from the position along x, ``(1, columns)``, and
        along y, ``(rows, 1)``, in arcsec.
    """
    dx = axis_arcsec(pixels.shape[1], survey) - x_arcsec
    dy = axis_arcsec(pixels.shape[0], survey) - y_arcsec
    columns, rows = np.abs(dx) <= reach_arcsec, np.abs(dy) <= reach_arcsec
    view = pixels[_span(rows), _span(columns)]
    return view, dx[None, columns], dy[rows, None]


def _span(chosen: np.ndarray) -> slice:
    """Slice of the pixels that are chosen, which follow each other."""
    first = int(np.argmax(chosen))
    return slice(first, first + int(chosen.sum()))


def row_blocks(pixels: np.ndarray, survey: Survey) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """An image in blocks of whole rows.

    Parameters
    ----------
    pixels : ndarray
        ``(height, width, band)``.
    survey : Survey

    Yields
    ------
    tuple of ndarray
        A view, and x ``(1, width)`` and y ``(rows, 1)`` of its pixels, in
        arcsec from the middle of the image.
    """
    x, y = axis_arcsec(pixels.shape[1], survey), axis_arcsec(pixels.shape[0], survey)
    for first in range(0, pixels.shape[0], _BLOCK_ROWS):
        rows = slice(first, first + _BLOCK_ROWS)
        yield pixels[rows], x[None, :], y[rows, None]


def in_some_bands(survey: Survey, value: float, *, bands: int, rng: np.random.Generator) -> tuple[float, ...]:
    """A value in so many bands drawn by lot, 0 in the others.

    Parameters
    ----------
    survey : Survey
    value : float
    bands : int
        How many bands; all of them where the survey has fewer.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of float
        ``(band,)``.
    """
    count = len(survey.bands)
    hit = rng.permutation(count) < bands
    return tuple(value if one else 0.0 for one in hit)
