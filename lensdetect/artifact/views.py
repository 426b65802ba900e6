"""The eight views of a cutout: a lens that is turned or mirrored is a lens."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral

import numpy as np

from lensdetect.errors import InputError

#: How many views a score may be the mean of: the cutout as it is, or all symmetries of the square.
VIEWS = (1, 8)


def check_views(views: int) -> None:
    """Refuse a number of views of which the mean is no score.

    Parameters
    ----------
    views : int

    Raises
    ------
    InputError
        If it is neither 1 nor 8.
    """
    if not isinstance(views, Integral) or isinstance(views, bool) or views not in VIEWS:
        raise InputError(
            f"views must be 1 (cutouts as they are) or 8 (four turns, each with and without a mirror), got {views!r}: "
            "choose one of the two"
        )


def views_of(cutouts: np.ndarray, views: int) -> Iterator[np.ndarray]:
    """The first views of cutouts, one after the other.

    Parameters
    ----------
    cutouts : ndarray
        ``(n, size, size, band)``.
    views : int
        1 or 8.

    Yields
    ------
    ndarray
        Of the same shape, contiguous: the cutouts as they are, turned by 90, 180 and 270 degrees, and
        the four of these mirrored.
    """
    for view in range(views):
        turned = np.rot90(cutouts, view % 4, axes=(1, 2))
        yield np.ascontiguousarray(turned[:, :, ::-1] if view >= 4 else turned)


def titled(detector: str, views: int) -> str:
    """What a detector is called in tables and reports, with its views if there are several."""
    return detector if views == 1 else f"{detector}, mean of {views} views"
