"""Which galaxies of a catalogue can be cut out and painted, and why the others cannot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.images.assignment import assign
from lensdetect.images.cutouts import OpenTile
from lensdetect.images.index import TileIndex
from lensdetect.images.names import strip_ending
from lensdetect.images.tiles import Tile
from lensdetect.simulation.painting.jobs import Job, LastTile
from lensdetect.simulation.painting.psf import LocalPsf
from lensdetect.survey import Survey

#: Half the side of the square around a galaxy that must hold pixels, in arcsec.
_CORE_ARCSEC = 1.0

_KNOWN = ("mag", "redshift", "velocity_dispersion_km_s", "einstein_radius_arcsec")
#: Of these, catalogues write -1 or 0 for unknown.
_POSITIVE = {"velocity_dispersion_km_s", "einstein_radius_arcsec", "redshift"}


class Vetting:
    """The user's images, each looked at once.

    Parameters
    ----------
    survey : Survey
        That they are declared to be from.
    index : TileIndex
        The images.
    rows : list of dict
        Galaxies, as ``rows_of`` gives them.
    size : int
        Side of a stamp in pixels.
    noise_factor : float
        By which the background rms may differ from the survey's.
    psf : LocalPsf

    Attributes
    ----------
    asked : set of str
        Names of the tiles that a galaxy was looked for in.
    """

    def __init__(
        self,
        survey: Survey,
        index: TileIndex,
        rows: list[dict[str, Any]],
        *,
        size: int,
        noise_factor: float,
        psf: LocalPsf,
    ):
        self.survey, self.size, self.noise_factor = survey, size, noise_factor
        self.asked: set[str] = set()
        self._tiles = LastTile(survey)
        self._stacks = {name: [index[f"{name}-{n}"] for n in range(count)] for name, count in index.stacks.items()}
        self._members = {tile.name: (name, n) for name, all_ in self._stacks.items() for n, tile in enumerate(all_)}
        self._named = _by_name(index, self._members, self._stacks)
        self._placed = _place_all(rows, index)
        self._sigmas: dict[str, tuple[float, ...] | InputError] = {}
        self._psf = psf

    def job(self, row: Mapping[str, Any], number: int) -> Job:
        """What is needed to paint one galaxy.

        Parameters
        ----------
        row : mapping
            Of the catalogue.
        number : int
            Of the row.

        Returns
        -------
        Job

        Raises
        ------
        InputError
            If there is no image of it, or one that cannot be used.
        """
        tile, x, y = self._place(row, number)
        self.asked.add(tile.name)
        opened, sigmas = self._open(tile)
        if math.isnan(x):
            x, y = 0.5 * (tile.shape[1] - 1), 0.5 * (tile.shape[0] - 1)
        self._check_core(opened, x, y)
        offsets = opened.offsets_arcsec(np.array([x]), np.array([y]), size=self.size)
        known = {name: float(row[name]) for name in _KNOWN if math.isfinite(row.get(name, math.nan))}
        known = {name: value for name, value in known.items() if value > 0.0 or name not in _POSITIVE}
        name, member = self._members.get(tile.name, (tile.name, None))
        psf = tuple(self._psf.of(band, name, member=member, tile=tile) for band in self.survey.bands)
        return Job(str(row["id"]), tile, x, y, (float(offsets[0][0]), float(offsets[1][0])), sigmas, psf, **known)

    def _place(self, row: Mapping[str, Any], number: int) -> tuple[Tile, float, float]:
        """Image of a galaxy, and its pixel; NaN where it is in the middle."""
        if row.get("file"):
            name = Path(row["file"]).name
            if name not in self._named:
                raise InputError(f"no image is called {name}: correct its name in the catalogue")
            return self._member(name, row, number), math.nan, math.nan
        if number in self._placed:
            tile, x, y = self._placed[number]
            if tile is None:
                where = f"RA {row['ra_deg']:.5f}, Dec {row['dec_deg']:.5f}"
                raise InputError(f"no image covers {where}: give the tile that does")
            return tile, x, y
        if str(row["id"]) in self._named:
            return self._member(str(row["id"]), row, number), math.nan, math.nan
        if len(self._stacks) == 1 and len(next(iter(self._stacks.values()))) == len(self._members):
            return self._member(next(iter(self._stacks)), row, number), math.nan, math.nan
        raise InputError("a galaxy must have file, ra_deg and dec_deg, or an id that is the name of its image")

    def _member(self, name: str, row: Mapping[str, Any], number: int) -> Tile:
        """An image, or that of the galaxy in a stack."""
        found = self._named[name]
        if len(found) == 1:
            return found[0]
        place = int(row["index"]) if math.isfinite(row.get("index", math.nan)) else number
        if not 0 <= place < len(found):
            raise InputError(f"{found[0].paths[0]}: index must be from 0 to {len(found) - 1}, got {place}")
        return found[place]

    def _open(self, tile: Tile) -> tuple[OpenTile, tuple[float, ...]]:
        """An image and its sky sigma in all bands; a band without enough pixels counts as missing."""
        known = self._sigmas.get(tile.name)
        if isinstance(known, InputError):
            raise known
        try:
            opened = self._tiles.open(tile, noise_factor=self.noise_factor if known is None else None)
        except InputError as error:
            self._sigmas[tile.name] = error
            raise
        if known is None:
            measured = zip(opened.noise_sigma.tolist(), self.survey.bands, strict=True)
            known = tuple(sigma if math.isfinite(sigma) else band.noise_sigma for sigma, band in measured)
            self._sigmas[tile.name] = known
        return opened, known

    def _check_core(self, opened: OpenTile, x: float, y: float) -> None:
        size = 2 * math.ceil(_CORE_ARCSEC / self.survey.pixel_scale_arcsec) + 1
        core = opened.cut(np.array([x]), np.array([y]), size=size).pixels[0]
        if not np.isfinite(core).all(axis=(0, 1)).any():
            raise InputError(
                f"{opened.tile.paths[0]}: the galaxy must be whole in one band at least, "
                "got masked pixels in its middle"
            )

    def close(self) -> None:
        """Close what is open."""
        self._tiles.close()


def _by_name(index: TileIndex, members: Mapping[str, tuple], stacks: Mapping[str, list[Tile]]) -> dict[str, list[Tile]]:
    """What a catalogue may call images: their names, or those of their files; a stack has several."""
    named: dict[str, list[Tile]] = {}
    for tile in index.tiles:
        files = {Path(image.path).name for (_, kind), image in tile.images.items() if kind == "sci"}
        own = {tile.name} | (set() if tile.name in members else files | set(map(strip_ending, files)))
        named |= {name: [tile] for name in own}
    for stack, tiles in stacks.items():
        files = {Path(path).name for path in tiles[0].paths}
        named |= {name: tiles for name in {stack} | files | set(map(strip_ending, files))}
    return named


def _place_all(rows: list[dict[str, Any]], index: TileIndex) -> dict[int, tuple[Tile | None, float, float]]:
    """Tile and pixel of the galaxies that have a position, by number; no tile where none covers it."""
    wanted = [
        (number, row["ra_deg"], row["dec_deg"])
        for number, row in enumerate(rows)
        if not row.get("file") and math.isfinite(row.get("ra_deg", math.nan) + row.get("dec_deg", math.nan))
    ]
    if not wanted:
        return {}
    on_sky = TileIndex([tile for tile in index.tiles if tile.corners_deg], index.survey, [])
    placed = assign(pd.DataFrame(wanted, columns=["row", "ra_deg", "dec_deg"]), on_sky)
    return {
        int(row.row): (on_sky[row.tile] if row.tile else None, float(row.x_pix), float(row.y_pix))
        for row in placed.itertuples(index=False)
    }


def rows_of(catalogue: pd.DataFrame | None, index: TileIndex) -> Sequence[dict[str, Any]]:
    """Rows of a catalogue, or one for each image without any.

    Parameters
    ----------
    catalogue : DataFrame or None
    index : TileIndex

    Returns
    -------
    list of dict
    """
    if catalogue is not None:
        return catalogue.to_dict("records")
    return [{"id": tile.name, "file": tile.name} for tile in index.tiles]
