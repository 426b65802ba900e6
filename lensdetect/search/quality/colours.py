"""Light of no colour that is on the sky: ghosts, trails, and skies that are off in one band."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lensdetect.search.quality.binning import CELL_PIX, smooth
from lensdetect.search.quality.planes import Planes
from lensdetect.survey import Survey

#: Least magnitude of the first band less that of the second: no galaxy or star is as blue as that below (a hot star,
#: f_nu as nu**2, has g-r of -0.57 but is a point; star-forming galaxies and their lensed images stay above -0.3 in
#: all), and none as red over many pixels as that of a redder band less a bluer one (an old galaxy at redshift 0.6
#: has g-r of 1.9 and r-i of 1.1).
_LEAST_MAG = {
    ("u", "g"): -0.4, ("u", "r"): -0.3, ("g", "r"): -0.4, ("r", "i"): -0.4, ("i", "z"): -0.4,
    ("r", "g"): -2.0, ("i", "r"): -1.2, ("z", "i"): -0.8, ("z", "r"): -1.9, ("y", "z"): -0.6,
}  # fmt: skip

#: What a band may have more than another explains, in sigma of a pixel, over 15 x 15 of them: six times the noise.
#: Where the other band is the noisier, that counts.
_EXCESS_SIGMA, _NOISIEST = 0.46, 2.4

#: Part of the largest excess that has to be within reach of the middle, lest it is of something beside.
_TOUCHING_SHARE = 0.4

#: Brighter places are cores, which differ by the seeing of the bands; brighter cells spoil the places beside them.
_CORE_SIGMA, _BRIGHT_SIGMA = 5.0, 10.0


def odd_light(planes: Planes, survey: Survey) -> tuple[np.ndarray, np.ndarray]:
    """How much light is in one band that no galaxy or star sends without that of another.

    Parameters
    ----------
    planes : Planes
    survey : Survey
        Bands and zero points; bands other than u, g, r, i, z and y are passed over.

    Returns
    -------
    away, anywhere : ndarray
        ``(n,)``: the largest away from bright objects, of which a part has to be within reach of the middle, and
        the largest anywhere, over what is allowed; 0 and infinite where no two bands can be compared, so that
        nothing tells whether the light has a colour.
    """
    anywhere = np.zeros(len(planes.cells), np.float32)
    pairs = _pairs(survey)
    anywhere[(planes.live.sum(axis=1) == 1) | (not pairs)] = np.inf
    level = smooth(planes.cells)
    light = np.maximum(level, 0.0)
    dull = level < _CORE_SIGMA
    known = ~_widened(~planes.known) if len(planes.gaps) else planes.known
    dark = ~_widened(_widened(planes.cells.max(axis=1) > _BRIGHT_SIGMA))
    # a mean of 3 x 3 cells holds what is 1.5 of them away
    near = planes.within_reach(dark, cell_pix=CELL_PIX, beyond_pix=1.5 * CELL_PIX)
    away, close = np.zeros((2, len(planes.cells)), np.float32)
    for band, other, flux_ratio in pairs:
        share = (flux_ratio * planes.sigma[:, other] / planes.sigma[:, band])[:, None, None]
        excess = level[:, band] - share * light[:, other]
        excess /= _EXCESS_SIGMA * np.clip(share, 1.0, _NOISIEST)
        excess *= dull[:, band] & known[:, band] & known[:, other]
        np.maximum(anywhere, excess.max(axis=(1, 2)), out=anywhere)
        excess *= dark
        np.maximum(away, excess.max(axis=(1, 2)), out=away)
        np.maximum(close, excess[:, near].max(axis=1, initial=0.0), out=close)
    return np.minimum(away, close / _TOUCHING_SHARE), anywhere


def _widened(places: np.ndarray) -> np.ndarray:
    """Places and the eight around each."""
    return smooth(places.astype(np.float32)) > 0.0


@lru_cache(maxsize=16)
def _pairs(survey: Survey) -> tuple[tuple[int, int, float], ...]:
    """Number of a band, of another, and the largest flux of the first over that of the second."""
    names = [name.lower() for name in survey.band_names]
    zero_points = [band.zero_point_mag for band in survey.bands]
    pairs = []
    for (one, two), least_mag in _LEAST_MAG.items():
        if one in names and two in names:
            first, second = names.index(one), names.index(two)
            pairs.append((first, second, 10.0 ** (0.4 * (zero_points[first] - zero_points[second] - least_mag))))
    return tuple(pairs)
