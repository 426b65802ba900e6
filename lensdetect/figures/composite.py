"""Colour composites of cutouts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lensdetect.errors import InputError

# Brightness is linear up to about this many sigma of the sky and logarithmic
# beyond, so faint arcs and a bright deflector fit in one picture.
_SOFTENING_SIGMA = 3.0
# Flux that is drawn black: the sky's own noise just shows.
_BLACK_SIGMA = -1.0
# Faintest brightness drawn white: blank sky is not stretched into noise.
_FAINTEST_WHITE_SIGMA = 35.0
_WHITE_QUANTILE = 0.998
# Weight of a band in the picture. On one zero point they make a galaxy with
# g - r = 0.52, r - i = 0.41 and i - z = 0.29 mag (a spiral) grey, an elliptical
# orange and a young arc blue.
_WEIGHTS = {"g": 1.61, "r": 1.0, "i": 0.686, "z": 0.525}
_BEST_BANDS = ("g", "r", "i")
#: Colour of a pixel that no picture can be made of.
MASKED_RGB = (64, 64, 64)


def lupton_rgb(cutouts, *, bands: Sequence[str], noise_sigma: Sequence[float] | None = None) -> np.ndarray:
    """Colour pictures of cutouts, in the manner of Lupton+ 2004 (PASP 116, 133).

    An asinh of the mean of three bands sets the brightness and the ratio of
    the bands the colour, so a bright centre keeps its colour. Red, green and
    blue are i, r, g where a cutout has them; else the three reddest bands it
    has, without u where two others are there (galaxies are too faint in it to
    colour a picture); of two bands the bluer is blue, the redder red and their
    mean green; one is grey. A band without a finite pixel counts as absent.
    White is the brightest part of the inner half of each cutout.

    Parameters
    ----------
    cutouts : array_like
        ``(n, height, width, band)`` in flux, all bands on one zero point; a
        masked pixel is NaN and comes out in a dark grey.
    bands : sequence of str
        Names along the last axis, from blue to red.
    noise_sigma : sequence of float, optional
        Standard deviation of the sky in each band, in the same flux units. If
        not given, it is estimated from each cutout.

    Returns
    -------
    ndarray
        uint8 ``(n, height, width, 3)``.

    Raises
    ------
    InputError
        If bands or noise do not go with the last axis of the cutouts.
    """
    cutouts = np.asarray(cutouts, dtype=np.float64)
    if cutouts.ndim != 4 or cutouts.shape[-1] != len(bands):
        raise InputError(
            f"cutouts must be (n, height, width, {len(bands)}) for bands {', '.join(bands)}, got {cutouts.shape}"
        )
    if noise_sigma is not None and (len(noise_sigma) != len(bands) or not np.all(np.asarray(noise_sigma) > 0)):
        raise InputError(f"noise_sigma must be {len(bands)} positive numbers, one a band, got {list(noise_sigma)}")
    pictures = [_composite(cutout, tuple(bands), noise_sigma) for cutout in cutouts]
    return np.stack(pictures) if pictures else np.empty((*cutouts.shape[:3], 3), np.uint8)


def _composite(cutout: np.ndarray, bands: tuple[str, ...], noise_sigma: Sequence[float] | None) -> np.ndarray:
    """Picture ``(height, width, 3)`` of one cutout ``(height, width, band)``."""
    present = [place for place in range(len(bands)) if np.isfinite(cutout[..., place]).any()]
    if not present:
        return np.full((*cutout.shape[:2], 3), MASKED_RGB, np.uint8)
    cutout = cutout[..., present]
    sigma = _sky_sigma(cutout) if noise_sigma is None else np.asarray(noise_sigma, dtype=np.float64)[present]
    colours = _in_sigma(cutout, tuple(bands[place] for place in present), sigma)
    masked = ~np.isfinite(colours).all(axis=-1)
    picture = np.round(255 * _stretched(np.where(masked[..., None], 0.0, colours))).astype(np.uint8)
    picture[masked] = MASKED_RGB
    return picture


def _sky_sigma(cutout: np.ndarray) -> np.ndarray:
    """Robust noise of each band: 1.4826 times the median deviation, which objects hardly touch."""
    middle = np.nanmedian(cutout, axis=(0, 1))
    sigma = 1.4826 * np.nanmedian(np.abs(cutout - middle), axis=(0, 1))
    return np.where(sigma > 0, sigma, 1.0)


def _in_sigma(cutout: np.ndarray, bands: tuple[str, ...], sigma: np.ndarray) -> np.ndarray:
    """Red, green and blue ``(height, width, 3)``, in units of their mean noise."""
    places = _chosen(bands)
    known = all(bands[place] in _WEIGHTS for place in places)
    weights = np.array([_WEIGHTS[bands[place]] if known else 1 / sigma[place] for place in places])
    scaled = cutout[..., places] * weights / np.mean(weights * sigma[places])
    blue, red = scaled[..., 0], scaled[..., -1]
    green = scaled[..., 1] if len(places) == 3 else (blue + red) / 2
    return np.stack([red, green, blue], axis=-1)


def _chosen(bands: tuple[str, ...]) -> list[int]:
    """Places of the one to three bands that make the picture, from blue to red."""
    if set(_BEST_BANDS) <= set(bands):
        return [bands.index(name) for name in _BEST_BANDS]
    places = list(range(len(bands)))
    without_u = [place for place in places if bands[place] != "u"]
    return (without_u if len(without_u) > 1 else places)[-3:]


def _stretched(colours: np.ndarray) -> np.ndarray:
    """Colours between 0 and 1 from colours in sigma; their ratios stay."""
    height, width = colours.shape[:2]
    lifted = colours - _BLACK_SIGMA
    brightness = np.maximum(lifted.mean(axis=-1, keepdims=True), 1e-6)
    inner = brightness[height // 4 : height - height // 4, width // 4 : width - width // 4]
    white = max(_FAINTEST_WHITE_SIGMA, float(np.quantile(inner, _WHITE_QUANTILE)))
    shown = np.arcsinh(brightness / _SOFTENING_SIGMA) / np.arcsinh(white / _SOFTENING_SIGMA)
    out = np.maximum(lifted, 0.0) * shown / brightness
    return out / np.maximum(out.max(axis=-1, keepdims=True), 1.0)
