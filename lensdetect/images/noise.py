"""The background of a tile against that of its survey: a check of the units of flux."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lensdetect.errors import InputError
from lensdetect.images.background import check_sigma, is_left_in, sky_of
from lensdetect.images.pixels import Rows
from lensdetect.images.tiles import Tile
from lensdetect.survey import Band, Survey

#: A sample of a tile: this many blocks of this side along each axis.
_BLOCKS, _BLOCK_PIX = 6, 128

#: About so many values of it are measured: enough for one part in a hundred.
_VALUES = 20_000


def check_noise(rows: Rows, band: Band, *, survey: Survey, tile: Tile, gain: float, factor: float) -> float:
    """Measure the background rms of one band, and refuse it where the survey cannot have it.

    Parameters
    ----------
    rows : Rows
        The science image.
    band : Band
        With the survey's rms.
    survey : Survey
    tile : Tile
        Its pixel scale; larger pixels collect more noise.
    gain : float
        Survey flux of one unit of the image.
    factor : float
        How far apart the two may be.

    Returns
    -------
    float
        In survey flux and pixels of the tile.

    Raises
    ------
    InputError
        With both numbers.
    """
    values = np.concatenate([block.ravel() for block in _sample(rows)])
    values = values[:: max(1, len(values) // _VALUES)].astype(np.float64)
    if survey.masked_value is not None:
        values = values[values != survey.masked_value]
    level, sigma = sky_of(values[values != 0.0] if rows.is_float else values)
    sigma *= gain
    what = f"tile {tile.name}"
    check_sigma(sigma, band, survey=survey, factor=factor, what=what, scale_arcsec=tile.pixel_scale_arcsec)
    if is_left_in(gain * level, sigma):
        raise InputError(
            f"the sky of band {band.name} of {what} must be near 0, got {gain * level:.3g}, {gain * level / sigma:.1f} "
            "times its rms: subtract the sky"
        )
    return sigma


def _sample(rows: Rows) -> Iterator[np.ndarray]:
    """Blocks all over an image; all of a small one."""
    height, width = rows.image.shape
    if max(height, width) <= _BLOCKS * _BLOCK_PIX:
        yield rows.read(0, height)
        return
    columns = np.linspace(0, max(width - _BLOCK_PIX, 0), _BLOCKS).astype(int)
    for row in np.linspace(0, max(height - _BLOCK_PIX, 0), _BLOCKS).astype(int):
        strip = rows.read(int(row), int(min(row + _BLOCK_PIX, height)))
        for column in columns:
            yield strip[:, column : column + _BLOCK_PIX].copy()
