"""Pictures of a report: packed cutouts beside the page, each in a script that the page loads when it is seen.

A page that is opened from a disk may load scripts from beside it, and nothing
else. A file is named by what it holds, so the files of an older report stay
good until a newer one is in its place.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lensdetect.images.tiles import Tile
from lensdetect.pages import pack_cutout
from lensdetect.runs import write_whole

#: Folder of the pictures, beside the page.
FOLDER = "report"
#: How far apart positions are taken to find where north is.
_NEAR_ARCSEC = 1.0


@dataclass(frozen=True)
class Picture:
    """A candidate's picture.

    Parameters
    ----------
    key : str
        Of its file, ``report/<key>.js``.
    axes : tuple of float
        Directions of east (x, y) and of north (x, y) in its pixels; empty if not known.
    """

    key: str
    axes: tuple[float, ...] = ()


class Pictures:
    """The pictures of a report as they are made.

    Parameters
    ----------
    folder : Path
        Of the search.
    ranks : collection of int
        Of the candidates that the report shows; others get no picture.

    Attributes
    ----------
    made : dict of Picture
        By rank.
    lost : dict of str
        Why there is none, by tile.
    """

    def __init__(self, folder: Path, ranks: Collection[int]):
        self.folder, self._ranks = folder / FOLDER, frozenset(ranks)
        self.made: dict[int, Picture] = {}
        self.lost: dict[str, str] = {}
        self.folder.mkdir(exist_ok=True)

    def add(self, rank: int, pixels: np.ndarray, *, axes: tuple[float, ...] = ()) -> None:
        """Write the picture of a candidate.

        Parameters
        ----------
        rank : int
        pixels : ndarray
            ``(size, size, band)``.
        axes : tuple of float
            As ``Picture`` has them.
        """
        if rank not in self._ranks:
            return
        packed = pack_cutout(pixels)
        key = hashlib.sha256(packed).hexdigest()[:16]
        script = f'LensReport.take("{key}","{base64.b64encode(packed).decode()}")\n'
        write_whole(self.folder / f"{key}.js", lambda file: file.write(script.encode()), durable=False)
        self.made[rank] = Picture(key, axes)

    def remove_others(self) -> None:
        """Remove the pictures of older reports, once none of these is there any more."""
        kept = {f"{picture.key}.js" for picture in self.made.values()}
        for path in self.folder.glob("*.js"):
            if path.name not in kept:
                path.unlink()


def sky_axes(tile: Tile, ra_deg: np.ndarray, dec_deg: np.ndarray) -> list[tuple[float, ...]]:
    """Directions of east and north in the pixels of a tile.

    Parameters
    ----------
    tile : Tile
    ra_deg, dec_deg : ndarray
        ``(n,)``.

    Returns
    -------
    list of tuple of float
        East (x, y) and north (x, y), each of length 1; empty where the projection has none.
    """
    step = _NEAR_ARCSEC / 3600.0
    # at a pole every way is south; a little beside it is as good
    dec = np.clip(np.asarray(dec_deg, float), -90.0 + 2 * step, 90.0 - 2 * step)
    here = np.stack(tile.pixels(ra_deg, dec))
    east = np.stack(tile.pixels(ra_deg + step / np.cos(np.radians(dec)), dec)) - here
    north = np.stack(tile.pixels(ra_deg, dec + step)) - here
    rows = np.concatenate([east / np.hypot(*east), north / np.hypot(*north)]).T
    return [tuple(round(float(value), 4) for value in row) if np.isfinite(row).all() else () for row in rows]
