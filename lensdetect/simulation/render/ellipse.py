"""The one convention for ellipses: axis ratio q and radius R have the area of a circle of radius R."""

from __future__ import annotations

import math

import numpy as np


def ellipse_axes(
    x_arcsec: np.ndarray, y_arcsec: np.ndarray, *, axis_ratio: float, angle_rad: float
) -> tuple[np.ndarray, np.ndarray]:
    """Offsets from a centre along and across the major axis, stretched so that ellipses become circles.

    Parameters
    ----------
    x_arcsec, y_arcsec : ndarray
        Offsets; they broadcast.
    axis_ratio : float
        Minor over major axis.
    angle_rad : float
        Direction of the major axis, from x towards y.

    Returns
    -------
    tuple of ndarray
        Of the kind of the input; areas are kept.
    """
    narrow, wide = math.sqrt(axis_ratio), 1.0 / math.sqrt(axis_ratio)
    cosine, sine = math.cos(angle_rad), math.sin(angle_rad)
    along = x_arcsec * (cosine * narrow) + y_arcsec * (sine * narrow)
    across = y_arcsec * (cosine * wide) - x_arcsec * (sine * wide)
    return along, across
