"""Cutouts of candidates and of ordinary objects: FITS files with world coordinates, and pictures for the report."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from lensdetect import __version__
from lensdetect.errors import LensdetectError
from lensdetect.images.cutouts import open_tile
from lensdetect.images.index import TileIndex
from lensdetect.images.tiles import Tile
from lensdetect.runs import write_whole
from lensdetect.search.report_pictures import Pictures, sky_axes
from lensdetect.search.slices import Job
from lensdetect.text import for_header

#: Cutouts in memory at a time.
_AT_A_TIME = 100
#: Letters of text that a card of a FITS header holds.
_CARD = 68
#: What a header tells of an object, where its table does.
_CARDS = {
    "RANK": "rank",
    "DRAW": "draw",
    "LOGIT": "logit",
    "PROB": "probability",
    "FLAGS": "flags",
    "SCENE": "scene",
    "NEARMISS": "near_miss",
}


def cut_candidates(
    candidates: pd.DataFrame, index: TileIndex, job: Job, *, folder: Path, pictures: Pictures
) -> list[str]:
    """Cut the candidates out once more and write them, a tile at a time.

    Parameters
    ----------
    candidates : DataFrame
        As ``list_candidates`` gives them, near misses among them.
    index : TileIndex
    job : Job
    folder : Path
        Emptied of older cutouts; gets ``00001_ID.fits`` and so on.
    pictures : Pictures
        Of the report; gets those that it shows, and why others are lost.

    Returns
    -------
    list of str
        Tiles that could not be read again, each with the reason.
    """

    def show(row, pixels: np.ndarray, axes: tuple[float, ...]) -> None:
        pictures.add(row.rank, pixels, axes=axes)

    pictures.lost.update(_write_cutouts(candidates, index, job, folder=folder, number="rank", show=show))
    return [f"cutouts of tile {name}: {reason}" for name, reason in pictures.lost.items()]


def cut_ordinary(ordinary: pd.DataFrame, index: TileIndex, job: Job, *, folder: Path) -> list[str]:
    """Cut ordinary objects out and write them as candidates are written.

    Parameters
    ----------
    ordinary : DataFrame
        As ``draw_ordinary`` gives them.
    index : TileIndex
    job : Job
    folder : Path
        Emptied of older cutouts; gets ``00001_ID.fits`` and so on, numbered by ``draw``.

    Returns
    -------
    list of str
        Tiles that could not be read again, each with the reason.
    """
    lost = _write_cutouts(ordinary, index, job, folder=folder, number="draw")
    return [f"ordinary objects of tile {name}: {reason}" for name, reason in lost.items()]


def _write_cutouts(
    table: pd.DataFrame, index: TileIndex, job: Job, *, folder: Path, number: str, show: Callable | None = None
) -> dict[str, str]:
    """Write cutouts into a folder that is emptied first; why some are lost, by tile."""
    lost: dict[str, str] = {}
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.fits"):
        old.unlink()
    for name, rows in table.groupby("tile", sort=True):
        tile = index[name]
        try:
            axes = sky_axes(tile, rows["ra_deg"].to_numpy(), rows["dec_deg"].to_numpy())
            for (row, pixels, header), directions in zip(_cut(tile, rows, job), axes, strict=True):
                write_whole(
                    folder / cutout_name(getattr(row, number), row.id),
                    lambda file, p=pixels, h=header: _primary(p, h).writeto(file),
                    durable=False,
                )
                if show is not None:
                    show(row, pixels, directions)
        except (LensdetectError, OSError) as error:
            lost[name] = str(error)
    return lost


def cutout_name(number: int, name: str) -> str:
    """File of an object: its place in a list, and what a file name can hold of its id."""
    return f"{number:05d}_{re.sub(r'[^A-Za-z0-9.+-]+', '_', str(name))[:80]}.fits"


def _cut(tile: Tile, rows: pd.DataFrame, job: Job):
    committee = job.committee
    x_pix, y_pix = tile.pixels(rows["ra_deg"].to_numpy(), rows["dec_deg"].to_numpy())
    ratio = tile.properties(job.survey).ratio_to(committee.pixel_scale_arcsec)
    with open_tile(tile, job.survey, scale_arcsec=committee.pixel_scale_arcsec) as images:
        for start in range(0, len(rows), _AT_A_TIME):
            part = slice(start, start + _AT_A_TIME)
            found = images.cut(x_pix[part], y_pix[part], size=committee.size)
            shown = zip(rows[part].itertuples(index=False), found.pixels, x_pix[part], y_pix[part], strict=True)
            for row, pixels, x, y in shown:
                yield row, pixels, cutout_header(tile, x, y, row=row, job=job, ratio=ratio)


def cutout_header(tile: Tile, x_pix: float, y_pix: float, *, row, job: Job, ratio: float) -> fits.Header:
    """Header of a cutout: where it is on the sky, its bands and zero points, and what was found.

    Parameters
    ----------
    tile : Tile
    x_pix, y_pix : float
        Of the object in the tile's frame; the cutout is centred on the nearest pixel.
    row : named tuple
        Of the candidates, or of ordinary objects.
    job : Job
    ratio : float
        Pixels of the cutout in pixels of the tile; 1 where nothing was resampled.

    Returns
    -------
    Header
    """
    wcs = tile.wcs.deepcopy()
    middle = job.committee.size // 2 + 1
    centre = np.floor(np.array([x_pix, y_pix]) + 0.5) + 1.0
    wcs.wcs.crpix = middle + (wcs.wcs.crpix - centre) / ratio
    if wcs.wcs.has_cd():
        wcs.wcs.cd = wcs.wcs.cd * ratio
    else:
        wcs.wcs.cdelt = wcs.wcs.cdelt * ratio
    header = wcs.to_header(relax=ratio == 1.0)
    for number, band in enumerate(job.survey.bands, start=1):
        header[f"BAND{number}"] = (band.name, f"plane {number}")
        header[f"MAGZP{number}"] = (band.zero_point_mag, "AB mag of one flux unit")
    header["OBJECT"] = for_header(row.id, longest=_CARD)
    header["TILE"] = for_header(row.tile, longest=_CARD)
    for card, name in _CARDS.items():
        if hasattr(row, name):
            value = getattr(row, name)
            header[card] = value.item() if isinstance(value, np.generic) else value
    header["CREATOR"] = f"lensdetect {__version__}"
    return header


def _primary(pixels: np.ndarray, header: fits.Header) -> fits.HDUList:
    """Planes in the order of the bands, as viewers of FITS cubes take them."""
    return fits.HDUList([fits.PrimaryHDU(np.ascontiguousarray(np.moveaxis(pixels, -1, 0)), header)])
