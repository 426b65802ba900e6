"""Tiles whose files have nothing in common in their names, and yet cover one piece of sky."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np

from lensdetect.images.frame import build_tile
from lensdetect.images.headers import Plane
from lensdetect.images.tiles import Tile
from lensdetect.survey import Survey

#: Corners that are as near to one another as this, in sides of the tile, are those of one piece of sky.
_SAME_PLACE = 0.05

_Images = dict[tuple[str, str], tuple[Path, Plane]]


def join_patches(
    tiles: list[Tile],
    images: dict[str, _Images],
    survey: Survey,
    *,
    offsets_of: Callable[[str], dict[str, float]],
) -> list[Tile]:
    """Make one tile of those that cover the same sky in different bands.

    Otherwise each object would be scored in the bands of one of them. Images that
    do not lie on one grid of pixels give a tile with a problem that names them.

    Parameters
    ----------
    tiles : list of Tile
    images : dict
        File and header of each image, by tile, band and kind.
    survey : Survey
    offsets_of : callable
        Corrections of zero points by name of a tile.

    Returns
    -------
    list of Tile
        By name.
    """
    joined: list[Tile] = []
    for group in _groups(tiles, images):
        if len(group) == 1:
            joined.append(group[0])
            continue
        together: _Images = {}
        offsets: dict[str, float] = {}
        for tile in group:
            together |= images.get(tile.name, {})
            offsets |= offsets_of(tile.name)
        problem = next((tile.problem for tile in group if tile.problem), "")
        name = _common_name([tile.name for tile in group])
        joined.append(build_tile(name, together, survey, offsets_mag=offsets, problem=problem))
    names = [tile.name for tile in joined]
    # a common beginning may be that of another group, too
    joined = [
        dataclasses.replace(tile, name=f"{tile.name}_{place}") if names.count(tile.name) > 1 else tile
        for place, tile in enumerate(joined)
    ]
    return sorted(joined, key=lambda tile: tile.name)


def _groups(tiles: list[Tile], images: dict[str, _Images]) -> list[list[Tile]]:
    groups: list[list[Tile]] = []
    places: dict[tuple[int, ...], list[list[Tile]]] = {}
    keys = {tile.name: frozenset(images.get(tile.name, ())) for tile in tiles}
    largest = np.deg2rad(max((_side_deg(tile) for tile in tiles if tile.corners_deg), default=1.0))
    for tile in tiles:
        cells = _cells(tile, largest)
        near = [group for cell in cells for group in places.get(cell, ())]
        fitting = (group for group in near if _fits(tile, group, keys))
        group = next(fitting, None)
        if group is not None:
            group.append(tile)
            continue
        groups.append([tile])
        for cell in cells[:1]:
            places.setdefault(cell, []).append(groups[-1])
    return groups


def _fits(tile: Tile, group: list[Tile], keys: dict[str, frozenset]) -> bool:
    apart = all(keys[tile.name].isdisjoint(keys[other.name]) for other in group)
    return apart and _is_same_place(group[0], tile)


def _cells(tile: Tile, size: float) -> list[tuple[int, ...]]:
    """Cell of a grid in space that the middle of a tile is in, and those around it; none without a place."""
    if not tile.corners_deg:
        return []
    middle = np.floor(_vectors(tile.corners_deg).mean(axis=0) / size).astype(int)
    steps = sorted(product((-1, 0, 1), repeat=3), key=lambda step: step != (0, 0, 0))
    return [tuple(int(value) for value in middle + step) for step in steps]


def _side_deg(tile: Tile) -> float:
    return max(tile.shape) * tile.pixel_scale_arcsec / 3600.0


def _is_same_place(one: Tile, other: Tile) -> bool:
    sides = _side_deg(one), _side_deg(other)
    if abs(sides[0] - sides[1]) > 2 * _SAME_PLACE * max(sides):
        return False
    corners = [_vectors(tile.corners_deg) for tile in (one, other)]
    # the first corner may be another one in a rotated image
    apart = np.linalg.norm(corners[0][:, None] - corners[1][None], axis=-1).min(axis=1)
    return bool((apart <= np.deg2rad(_SAME_PLACE * max(sides))).all())


def _vectors(corners_deg: tuple[tuple[float, float], ...]) -> np.ndarray:
    ra, dec = np.deg2rad(np.array(corners_deg)).T
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def _common_name(names: list[str]) -> str:
    """What names have in common, in whole words; the first of them if that is nothing."""
    common = os.path.commonprefix(names)
    if any(name[len(common) :][:1].isalnum() for name in names):
        common = re.sub(r"[A-Za-z0-9]+$", "", common)
    return common.rstrip("_-. ") or names[0]
