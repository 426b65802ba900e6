"""Galaxies of a small g, r, i image: found, measured, and told from stars."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import ndimage

from lensdetect.images.background import sky_sigma

#: Smoothing before pixels are compared with the sky, in pixels; the threshold in sigma of the smoothed sky.
_SMOOTH_PIX, _THRESHOLD_SIGMA = 1.5, 3.0

#: Of two peaks nearer than this the fainter is a part of the brighter, in pixels.
_APART_PIX = 12

#: Radius of the area above half the peak in r: what is smaller is a star, in pixels of CFHTLS (seeing 0.7 arcsec).
_STAR_PIX = 2.4

#: What is nearer than this to a lost core is a part of that star, in pixels.
_HALO_PIX = 10

#: Brighter than this in i and in a picture whose stars are clipped: a star.
_BRIGHTEST_I_MAG = 15.5


def find_galaxies(image: np.ndarray, *, zero_point_mag: float, faintest_i_mag: float) -> pd.DataFrame:
    """Galaxies of an image.

    Parameters
    ----------
    image : ndarray
        ``(height, width, 3)`` in g, r, i; NaN where there is no pixel.
    zero_point_mag : float
    faintest_i_mag : float
        Isophotal magnitude in i.

    Returns
    -------
    DataFrame
        ``x``, ``y`` of the peak, ``i_mag``, ``half_peak_pix`` (radius of the area brighter than half the
        peak in r).
    """
    lost = np.isnan(image).any(axis=-1)
    r, i = (np.where(lost, np.nanmax(image[..., place]), image[..., place]) for place in (1, 2))
    near_lost = ndimage.binary_dilation(lost, iterations=_HALO_PIX)
    smooth = ndimage.gaussian_filter(0.5 * (r + i), _SMOOTH_PIX)
    segments = _segments(smooth)
    rows = []
    for number, box in enumerate(ndimage.find_objects(segments), start=1):
        own = None if box is None else segments[box] == number
        # what has lost its core in the picture is a star, or its magnitude is not known
        if own is not None and not near_lost[box][own].any():
            corner = [part.start for part in box]
            rows.append(_measured(own, smooth[box], r[box], i[box], corner, zero_point_mag))
    table = pd.DataFrame(rows, columns=["x", "y", "i_mag", "half_peak_pix"])
    bright = table["i_mag"].between(_BRIGHTEST_I_MAG, faintest_i_mag)
    return table[bright & (table["half_peak_pix"] > _STAR_PIX)].reset_index(drop=True)


def _segments(smooth: np.ndarray) -> np.ndarray:
    """Number of the object that each pixel belongs to; 0 is sky."""
    sky = np.median(smooth[smooth < np.percentile(smooth, 70)])
    above = smooth - sky > _THRESHOLD_SIGMA * sky_sigma(smooth)
    window = np.hypot(*np.mgrid[-_APART_PIX : _APART_PIX + 1, -_APART_PIX : _APART_PIX + 1]) <= _APART_PIX
    peaks = above & (smooth == ndimage.maximum_filter(smooth, footprint=window))
    markers, _ = ndimage.label(peaks, structure=np.ones((3, 3)))
    depth = np.zeros(smooth.shape, np.uint16)
    levels = np.geomspace(1e-3, max(float(smooth.max()), 1.0), 60_000)
    depth[above] = 65_000 - np.digitize(smooth[above], levels)
    flood = ndimage.watershed_ift(depth, np.where(above, markers, -1).astype(np.int32))
    return np.where(above, flood, 0).clip(0)


def _measured(own, smooth, r, i, corner: list[int], zero_point_mag: float) -> tuple[float, float, float, float]:
    """x, y, i_mag and half-peak radius of one object in its box."""
    y, x = np.nonzero(own)
    light, flux = np.maximum(r[own], 0.0), float(i[own].sum())
    if light.sum() <= 0.0 or flux <= 0.0:
        return (np.nan,) * 4
    peak = int(np.argmax(smooth[own]))
    half_peak_pix = float(np.sqrt(np.sum(light > 0.5 * np.sort(light)[-5:].mean()) / np.pi))
    return float(x[peak] + corner[1]), float(y[peak] + corner[0]), zero_point_mag - 2.5 * np.log10(flux), half_peak_pix
