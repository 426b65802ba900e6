"""Rectangles of one band of a tile that are covered less, not at all, or wrongly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.tiles.layout import Tile
from lensdetect.simulation.tiles.rates import TileRates

#: Mask value of a bad pixel (KiDS-ESO DR1, "Masking of bright stars and defects").
BAD_PIXEL = 64

#: Widths drawn of gaps without exposures, of strips with fewer of them, and of blank ones, in arcsec.
_GAP_ARCSEC, _SHALLOW_ARCSEC, _BLANK_ARCSEC = (0.8, 6.0), (10.0, 120.0), (4.0, 60.0)

#: Largest part of a tile's side that a strip takes.
_WIDEST = 0.2

#: Part of the exposures that shallow strips have.
_SHALLOW_SHARE = (0.3, 0.8)


@dataclass(frozen=True)
class Region:
    """A rectangle of one band.

    Parameters
    ----------
    kind : str
        dead, shallow, blank or bad_column.
    band : int
        Number of the band.
    rows, columns : tuple of int
        First pixel and the one after the last.
    share : float
        Part of the exposures that cover it; 0 gives weight 0.
    offset_sigma : float
        What is added, in sky sigma.
    zero : bool
        Whether its pixels are exactly 0.
    """

    kind: str
    band: int
    rows: tuple[int, int]
    columns: tuple[int, int]
    share: float = 1.0
    offset_sigma: float = 0.0
    zero: bool = False

    def inside(self, array: np.ndarray, first_row: int) -> np.ndarray:
        """Its part, perhaps empty, of rows of a tile ``(rows, width, band)`` from some row on; a view."""
        low, high = (min(max(row - first_row, 0), len(array)) for row in self.rows)
        return array[low:high, self.columns[0] : self.columns[1], self.band]


def draw_regions(rates: TileRates, tile: Tile, *, bands: int, rng: np.random.Generator) -> tuple[Region, ...]:
    """Draw what a tile's bands do not cover, or wrongly.

    Parameters
    ----------
    rates : TileRates
    tile : Tile
    bands : int
        How many bands.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Region
    """
    regions = list(_draw_border(rates, tile, bands=bands, rng=rng))
    for _ in range(rng.poisson(rates.shallow_strips)):
        strip = _draw_strip(tile, _SHALLOW_ARCSEC, rng=rng)
        regions.append(Region("shallow", int(rng.integers(bands)), *strip, share=rng.uniform(*_SHALLOW_SHARE)))
    for _ in range(rng.poisson(rates.dead_strips)):
        strip = _draw_strip(tile, _GAP_ARCSEC, rng=rng)
        regions.append(Region("dead", int(rng.integers(bands)), *strip, share=0.0, zero=True))
    if rng.random() < rates.blank_strip:
        strip = _draw_strip(tile, _BLANK_ARCSEC, rng=rng)
        regions.append(Region("blank", int(rng.integers(bands)), *strip, zero=True))
    for _ in range(rng.poisson(rates.bad_columns)):
        regions.append(_draw_bad_column(rates, tile, bands=bands, rng=rng))
    return tuple(regions)


def _draw_border(rates: TileRates, tile: Tile, *, bands: int, rng):
    """The dithered edges: each band is pointed a little differently."""
    for band in range(bands):
        for side, (low, high) in enumerate(rng.integers(0, rates.dead_border_pix + 1, (2, 2))):
            length = (tile.height, tile.width)[side]
            for span in ((0, int(low)), (length - int(high), length)):
                if span[0] < span[1]:
                    whole = ((0, tile.height), (0, tile.width))
                    rows, columns = (span, whole[1]) if side == 0 else (whole[0], span)
                    yield Region("dead", band, rows, columns, share=0.0, zero=True)


def _draw_strip(tile: Tile, range_arcsec: tuple[float, float], *, rng) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns of a strip across the whole tile."""
    low, high = (math.log(value / tile.pixel_scale_arcsec) for value in range_arcsec)
    along_x = rng.random() < 0.5
    length = tile.height if along_x else tile.width
    wide = min(max(round(math.exp(rng.uniform(low, high))), 1), round(_WIDEST * length))
    first = int(rng.integers(0, length - wide))
    span = first, first + wide
    return (span, (0, tile.width)) if along_x else ((0, tile.height), span)


def _draw_bad_column(rates: TileRates, tile: Tile, *, bands: int, rng) -> Region:
    """One to three columns, or in some cases rows, bright, dark or dead from some pixel on."""
    is_row = rng.random() < 0.3
    across, along = (tile.height, tile.width) if is_row else (tile.width, tile.height)
    first = int(rng.integers(0, across - 3))
    span = first, first + int(rng.integers(1, 4))
    run = (0 if rng.random() < 0.5 else int(rng.integers(0, along // 2))), along
    dead = rng.random() < 0.25
    return Region(
        "bad_column",
        int(rng.integers(bands)),
        *((span, run) if is_row else (run, span)),
        share=0.0 if rng.random() < rates.known_share else 1.0,
        offset_sigma=0.0 if dead else float(rng.choice((-1.0, 1.0))) * math.exp(rng.uniform(0.7, 3.4)),
        zero=bool(dead),
    )


def cover(regions: tuple[Region, ...], shape: tuple[int, int, int], *, first_row: int) -> np.ndarray:
    """Part of the exposures that each pixel of some rows has.

    Parameters
    ----------
    regions : tuple of Region
    shape : tuple of int
        Rows, width and bands.
    first_row : int
        Of the tile.

    Returns
    -------
    ndarray
        float32 of that shape; 1 but in regions.
    """
    share = np.ones(shape, np.float32)
    for region in regions:
        here = region.inside(share, first_row)
        here *= np.float32(region.share)
    return share


def spoil(
    regions: tuple[Region, ...], pixels: np.ndarray, *, mask: np.ndarray, noise_sigma: np.ndarray, first_row: int
) -> None:
    """Put the faults of regions into pixels and mask, in place.

    Parameters
    ----------
    regions : tuple of Region
    pixels : ndarray
        float32 ``(rows, width, band)``, with noise.
    mask : ndarray
        uint8 of the same shape.
    noise_sigma : ndarray
        ``(band,)``.
    first_row : int
        Of the tile.
    """
    for region in sorted(regions, key=lambda region: region.zero):
        here = region.inside(pixels, first_row)
        here += np.float32(region.offset_sigma * noise_sigma[region.band])
        if region.zero:
            here[...] = 0.0
        if region.share == 0.0:
            known = region.inside(mask, first_row)
            known |= np.uint8(BAD_PIXEL)
