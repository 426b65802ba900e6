"""The tiles of a survey: found by name, known by their headers alone."""

from __future__ import annotations

import dataclasses
import glob
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lensdetect.errors import InputError, unknown_name
from lensdetect.images.bounds import TILE_PIXELS
from lensdetect.images.frame import build_tile
from lensdetect.images.headers import Plane
from lensdetect.images.index_cache import HeaderCache
from lensdetect.images.masks import mask_rule
from lensdetect.images.meaning import read_meanings
from lensdetect.images.names import ENDINGS, Label, read_name
from lensdetect.images.patches import join_patches
from lensdetect.images.tiles import Tile
from lensdetect.survey import Survey

_Key = tuple[str, str]
_Images = dict[_Key, tuple[Path, Plane]]

#: Files that an error names, at most.
_NAMED = 5


@dataclass(frozen=True)
class TileIndex:
    """All tiles that were found.

    Parameters
    ----------
    tiles : list of Tile
        By name; also those with a problem, which are not searched.
    survey : Survey
    unused : list of (str, str)
        FITS files that should belong to a tile and do not, each with the reason.
    aside : list of (str, str)
        Files and extensions of no use in a search, each with the reason: models,
        PSFs, other bands, tables.
    """

    tiles: list[Tile]
    survey: Survey
    unused: list[tuple[str, str]]
    aside: list[tuple[str, str]] = field(default_factory=list)

    @property
    def usable(self) -> list[Tile]:
        """Tiles without a problem."""
        return [tile for tile in self.tiles if not tile.problem]

    @cached_property
    def _by_name(self) -> dict[str, Tile]:
        return {tile.name: tile for tile in self.tiles}

    @property
    def unknown_masks(self) -> list[str]:
        """Masks of whose bits neither their headers nor the survey's row tell the meaning; they are not used."""
        found = {
            image.path
            for tile in self.tiles
            for (band, kind), image in tile.images.items()
            if kind == "msk" and not mask_rule(image.mask_bits, self.survey, band=band).known
        }
        return sorted(found)

    def __len__(self) -> int:
        """Number of tiles."""
        return len(self.tiles)

    def __getitem__(self, name: str) -> Tile:
        """Tile by name."""
        if name not in self._by_name:
            raise unknown_name("tile", name, self._by_name)
        return self._by_name[name]


def index_tiles(
    paths: Path | str | Sequence[Path | str],
    survey: Survey,
    *,
    cache: Path | str | None = None,
    max_pixels: int = TILE_PIXELS,
) -> TileIndex:
    """Find tiles and read their headers.

    Parameters
    ----------
    paths : path or sequence of path
        Folders (searched with all folders in them), files, or patterns with ``*``.
    survey : Survey
        Its patterns tell names of files apart; where none fits, names are read
        word by word. A file that names no band holds several, as extensions or
        as planes of a cube.
    cache : path, optional
        JSON file in which headers are kept, with size, times and inode of each
        file; only files that are new or changed are opened again.
    max_pixels : int
        Pixels that an image may have; a larger one is a problem of its tile.

    Returns
    -------
    TileIndex

    Raises
    ------
    InputError
        If there are no FITS images of tiles (with what was found instead), or the
        cache cannot be written.
    """
    known = HeaderCache(cache, max_pixels=max_pixels)
    found = _Found(survey)
    for path in _files(paths):
        found.add(path, known)
    known.save()
    if not found.images and not found.problems:
        raise InputError(_nothing(paths, [*found.unused, *found.aside]))
    names = sorted({*found.images, *found.problems})
    tiles = [
        build_tile(
            name,
            found.images.get(name, {}),
            survey,
            offsets_mag=found.offsets_of(name),
            problem=found.problems.get(name, ""),
        )
        for name in names
    ]
    tiles = join_patches(tiles, found.images, survey, offsets_of=found.offsets_of)
    return TileIndex(tiles, survey, found.unused, found.aside)


def _nothing(paths, reasons: list[tuple[str, str]]) -> str:
    several = [paths] if isinstance(paths, (str, Path)) else paths
    text = f"tiles must be FITS images, got none in {', '.join(map(str, several))}: "
    if not reasons:
        return f"{text}give a folder, a file or a pattern with *"
    named = [f"{Path(path).name}: {reason}" for path, reason in reasons[:_NAMED]]
    more = [f"and {len(reasons) - _NAMED} more"] if len(reasons) > _NAMED else []
    return text + "; ".join([*named, *more])


def _files(paths) -> list[Path]:
    several = [paths] if isinstance(paths, (str, Path)) else paths
    files: set[Path] = set()
    for path in map(Path, several):
        if path.is_dir():
            files |= set(path.rglob("*"))
        else:
            files |= {path} if path.is_file() else {Path(name) for name in glob.glob(str(path), recursive=True)}
    # a file that begins with a point is not finished yet
    return sorted(
        file
        for file in files
        if file.name.lower().endswith(ENDINGS) and not file.name.startswith(".") and file.is_file()
    )


class _Found:
    """Images by tile, band and kind, as files are looked at one after the other."""

    def __init__(self, survey: Survey):
        self.survey = survey
        self.images: dict[str, _Images] = {}
        self.problems: dict[str, str] = {}
        self.unused: list[tuple[str, str]] = []
        self.aside: list[tuple[str, str]] = []
        self.offsets: dict[str, dict[str, float]] = {}

    def add(self, path: Path, known: HeaderCache) -> None:
        """Look at one file."""
        label = read_name(path, self.survey)
        is_catalogue = label.tile.lower().endswith("cat")
        if label.aside and not is_catalogue:
            self.aside.append((str(path), label.aside))
            return
        try:
            headers = known.headers(path)
        except InputError as error:
            if is_catalogue:
                self.unused.append((str(path), str(error)))
            else:
                self.problems.setdefault(label.tile or _folder_name(path), str(error))
            return
        self.offsets.setdefault(label.tile, {}).update(headers.offsets_mag)
        if is_catalogue:
            return
        if headers.planes:
            self._take(path, label, headers.planes)
        else:
            self.aside.append((str(path), "holds no image"))

    def _take(self, path: Path, label: Label, planes: tuple[Plane, ...]) -> None:
        try:
            meanings = read_meanings(label, planes, self.survey)
            if any(one.kind == "sci" and not one.band for one in meanings):
                bands = ", ".join(self.survey.band_names)
                raise InputError(f"nothing tells the bands of its {len(planes)} images among {bands}")
        except InputError as error:
            self.unused.append((str(path), str(error)))
            return
        for one, plane in zip(meanings, planes, strict=True):
            if one.aside:
                self.aside.append((str(path), one.aside))
            else:
                stated = label.zero_point_mag if plane.zero_point_mag is None else plane.zero_point_mag
                plane = dataclasses.replace(plane, zero_point_mag=stated)
                self._put(label.tile or _folder_name(path), (one.band, one.kind), path, plane)

    def _put(self, tile: str, key: _Key, path: Path, plane: Plane) -> None:
        images = self.images.setdefault(tile, {})
        if key in images:
            first = images[key][0]
            self.problems.setdefault(
                tile, f"{' '.join(filter(None, key))} of it is in {first} and in {path}: leave one of the two"
            )
        else:
            images[key] = path, plane

    def offsets_of(self, name: str) -> dict[str, float]:
        """Zero-point corrections of a tile: those of its images, then of the catalogue named after it."""
        offsets: dict[str, float] = {}
        for other, values in self.offsets.items():
            if other != name and other.startswith(f"{name}_"):
                offsets |= values
        return offsets | self.offsets.get(name, {})


def _folder_name(path: Path) -> str:
    # files that are named by their bands alone are those of one tile
    return path.resolve().parent.name
