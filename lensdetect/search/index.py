"""The tiles of a survey: found by name, known by their headers alone."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lensdetect.errors import InputError, unknown_name
from lensdetect.images.bounds import TILE_PIXELS
from lensdetect.search.frame import build_tile
from lensdetect.search.headers import Plane
from lensdetect.search.index_cache import HeaderCache
from lensdetect.search.naming import ENDINGS, Label, read_name, read_words
from lensdetect.search.tiles import Tile
from lensdetect.survey import Survey

_Key = tuple[str, str]


@dataclass(frozen=True)
class TileIndex:
    """All tiles that were found.

    Parameters
    ----------
    tiles : list of Tile
        By name; also those with a problem, which are not searched.
    survey : Survey
    unused : list of (str, str)
        FITS files that belong to no tile, each with the reason.
    """

    tiles: list[Tile]
    survey: Survey
    unused: list[tuple[str, str]]

    @property
    def usable(self) -> list[Tile]:
        """Tiles without a problem."""
        return [tile for tile in self.tiles if not tile.problem]

    @cached_property
    def _by_name(self) -> dict[str, Tile]:
        return {tile.name: tile for tile in self.tiles}

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
        Its ``tile_pattern`` tells names of files apart; where that does not fit,
        names are read word by word. A file that names no band holds several,
        as extensions or as planes of a cube.
    cache : path, optional
        JSON file in which headers are kept, with size and modification time of
        each file; only files that are new or changed are opened again.
    max_pixels : int
        Pixels that an image may have; a larger one is a problem of its tile.

    Returns
    -------
    TileIndex

    Raises
    ------
    InputError
        If there are no FITS images of tiles, or the cache cannot be written.
    """
    known = HeaderCache(cache, max_pixels=max_pixels)
    found = _Found(survey)
    for path in _files(paths):
        found.add(path, known)
    known.save()
    if not found.images and not found.problems:
        raise InputError(f"tiles must be FITS images, got none in {paths}: give a folder, a file or a pattern with *")
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
    return TileIndex(tiles, survey, found.unused)


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
        self.images: dict[str, dict[_Key, tuple[Path, Plane]]] = {}
        self.problems: dict[str, str] = {}
        self.unused: list[tuple[str, str]] = []
        self.offsets: dict[str, dict[str, float]] = {}

    def add(self, path: Path, known: HeaderCache) -> None:
        """Look at one file."""
        label = read_name(path, self.survey)
        is_catalogue = label.tile.lower().endswith("cat")
        try:
            headers = known.headers(path)
            if not headers.planes or is_catalogue:
                self.offsets.setdefault(label.tile, {}).update(headers.offsets_mag)
                if not is_catalogue:
                    self.unused.append((str(path), "holds no image"))
                return
            self.offsets.setdefault(label.tile, {}).update(headers.offsets_mag)
            self._take(path, label, headers.planes)
        except InputError as error:
            if is_catalogue:
                self.unused.append((str(path), str(error)))
            else:
                self.problems.setdefault(label.tile, str(error))

    def _take(self, path: Path, label: Label, planes: tuple[Plane, ...]) -> None:
        keys = _keys(label, planes, self.survey)
        if keys is None:
            bands = ", ".join(self.survey.band_names)
            self.unused.append((str(path), f"nothing tells the bands of its {len(planes)} images among {bands}"))
            return
        images = self.images.setdefault(label.tile or _folder_name(path), {})
        for key, plane in zip(keys, planes, strict=True):
            if key in images:
                self.unused.append((str(path), f"{' '.join(key)} of this tile is in {images[key][0]} already"))
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


def _keys(label: Label, planes: tuple[Plane, ...], survey: Survey) -> list[_Key] | None:
    """Band and kind of each image in a file, or None if nothing tells."""
    inside = [read_words(plane.extension, survey) for plane in planes]
    if label.band:
        # several images of one band are told apart by the names of extensions
        kinds = [label.kind] if len(planes) == 1 else [one.kind for one in inside]
        keys = [(label.band, kind) for kind in kinds]
    else:
        bands = [
            one.band or read_words(plane.band_text, survey).band for one, plane in zip(inside, planes, strict=True)
        ]
        if not all(bands) and len(planes) == len(survey.bands):
            bands = list(survey.file_band_order)
        kinds = [one.kind if label.kind == "sci" else label.kind for one in inside]
        keys = list(zip(bands, kinds, strict=True))
        if not all(bands):
            return None
    return keys if len(set(keys)) == len(keys) else _by_order(label, planes, survey)


def _by_order(label: Label, planes: tuple[Plane, ...], survey: Survey) -> list[_Key] | None:
    """Bands of a cube, whose planes all have the one header: in the survey's own order."""
    if label.band or len(planes) != len(survey.bands):
        return None
    return [(band, label.kind) for band in survey.file_band_order]
