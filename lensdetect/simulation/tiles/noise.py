"""Sky noise of a tile in chunks of rows, without seams between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.render.sky import draw_photon_noise, draw_sky

#: Rows of a chunk, and over how many of them one chunk goes over into the next.
CHUNK_ROWS = 256
_CROSS_ROWS = 16

#: Weights of the next and of the last chunk: their squares sum to 1, so that sigma is kept.
_PHASE = (np.arange(_CROSS_ROWS, dtype=np.float32) + 0.5) * np.float32(0.5 * math.pi / _CROSS_ROWS)
_RISING, _FALLING = np.sin(_PHASE)[:, None, None], np.cos(_PHASE)[:, None, None]


def stream_sky(
    width: int, conditions: Conditions, *, rng_of: Callable[[int], np.random.Generator]
) -> Iterator[np.ndarray]:
    """Sky noise, chunk after chunk, as high as one asks for.

    Parameters
    ----------
    width : int
        In pixels.
    conditions : Conditions
        Sigma of each band, and the correlation.
    rng_of : callable
        Generator of each chunk, by its number.

    Yields
    ------
    ndarray
        float32 ``(CHUNK_ROWS, width, band)``.
    """
    number, last = 0, None
    while True:
        drawn = draw_sky((CHUNK_ROWS + _CROSS_ROWS, width), conditions, rng=rng_of(number))
        if last is not None:
            drawn[:_CROSS_ROWS] = drawn[:_CROSS_ROWS] * _RISING + last * _FALLING
        last = drawn[CHUNK_ROWS:].copy()
        yield drawn[:CHUNK_ROWS]
        number += 1


def add_noise(
    pixels: np.ndarray,
    sky: Iterator[np.ndarray],
    *,
    share: np.ndarray,
    conditions: Conditions,
    rng_of: Callable[[int], np.random.Generator],
) -> None:
    """Add photon noise and sky to some rows of a tile, a chunk at a time.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(rows, width, band)``, noiseless; changed in place. Its rows
        are whole chunks but for the last ones of a tile.
    sky : iterator of ndarray
        Of ``stream_sky``.
    share : ndarray
        float32, of the same shape: part of the exposures that a pixel has; the fewer, the more noise.
    conditions : Conditions
        Flux of a photon.
    rng_of : callable
        Generator of the photon noise of each chunk, by its first row in ``pixels``.
    """
    for first in range(0, len(pixels), CHUNK_ROWS):
        view = pixels[first : first + CHUNK_ROWS]
        noise = next(sky)[: len(view)]
        if conditions.photon_flux:
            noise = noise + draw_photon_noise(view, conditions, rng=rng_of(first))
        here = share[first : first + CHUNK_ROWS]
        noise /= np.sqrt(np.where(here > 0.0, here, np.float32(1.0)))
        view += noise
