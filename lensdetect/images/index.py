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
from lensdetect.images.meaning import Meaning, read_meanings
from lensdetect.images.names import ENDINGS, Label, read_path
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
    stacks : dict of str
        Of cutouts: name of what is a stack of objects -> how many it has. Their
        names are that of the stack and a number, ``stack-0``.
    """

    tiles: list[Tile]
    survey: Survey
    unused: list[tuple[str, str]]
    aside: list[tuple[str, str]] = field(default_factory=list)
    stacks: dict[str, int] = field(default_factory=dict)

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
    cutouts: bool = False,
    plane_bands: Sequence[str] | None = None,
    of_psf: bool = False,
) -> TileIndex:
    """Find tiles and read their headers.

    Parameters
    ----------
    paths : path or sequence of path
        Folders (searched with all folders in them), files, or patterns with ``*``.
    survey : Survey
        Its patterns tell names of files apart; where none fits, names are read
        word by word, and folders for what names do not say. A file that names no
        band holds several, as extensions or as planes of a cube.
    cache : path, optional
        JSON file in which headers are kept, with size, times and inode of each
        file; only files that are new or changed are opened again.
    max_pixels : int
        Pixels that an image may have; a larger one is a problem of its tile.
    cutouts : bool
        Whether images may be cutouts: without a place on the sky, and cubes of
        one band, which are stacks of objects.
    plane_bands : sequence of str, optional
        Bands of the images in a file, in order, where nothing in it tells them.
    of_psf : bool
        Whether images of PSFs are wanted, and not those of the sky.

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
    found = _Found(survey, cutouts=cutouts, plane_bands=plane_bands)
    for path, label in _labelled(paths, survey, of_psf=of_psf):
        found.add(path, label, known)
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
            needs_sky=not cutouts,
            one_grid=not of_psf,
        )
        for name in names
    ]
    if not cutouts:
        tiles = join_patches(tiles, found.images, survey, offsets_of=found.offsets_of)
    return TileIndex(tiles, survey, found.unused, found.aside, found.stacks)


def _labelled(paths, survey: Survey, *, of_psf: bool) -> list[tuple[Path, Label]]:
    """Files, and what their names and folders say."""
    files = []
    for path in _files(paths):
        label, folder = read_path(path, survey)
        # files that are named by their bands alone are those of one tile
        files.append((path, dataclasses.replace(label, tile=label.tile or folder.resolve().name)))
    # in a folder of PSFs alone they may be called anything
    psfs = [(path, dataclasses.replace(label, aside="")) for path, label in files if label.aside.startswith("psf")]
    return psfs if of_psf and psfs else files


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

    def __init__(self, survey: Survey, *, cutouts: bool, plane_bands: Sequence[str] | None):
        self.survey, self.cutouts = survey, cutouts
        self.plane_bands = None if plane_bands is None else [band.name for band in survey.select(plane_bands)]
        self.stacks: dict[str, int] = {}
        self.images: dict[str, _Images] = {}
        self.problems: dict[str, str] = {}
        self.unused: list[tuple[str, str]] = []
        self.aside: list[tuple[str, str]] = []
        self.offsets: dict[str, dict[str, float]] = {}

    def add(self, path: Path, label: Label, known: HeaderCache) -> None:
        """Look at one file."""
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
                self.problems.setdefault(label.tile, str(error))
            return
        self.offsets.setdefault(label.tile, {}).update(headers.offsets_mag)
        if is_catalogue:
            return
        if headers.planes:
            self._take(path, label, headers.planes)
        else:
            self.aside.append((str(path), "holds no image"))

    def _take(self, path: Path, label: Label, planes: tuple[Plane, ...]) -> None:
        tile = label.tile
        stated = [label.zero_point_mag if plane.zero_point_mag is None else plane.zero_point_mag for plane in planes]
        planes = [dataclasses.replace(plane, zero_point_mag=mag) for plane, mag in zip(planes, stated, strict=True)]
        if self.cutouts and label.band and _is_cube(planes):
            self.stacks[tile] = max(self.stacks.get(tile, 0), len(planes))
            for number, plane in enumerate(planes):
                self._put(f"{tile}-{number}", (label.band, label.kind or "sci"), path, plane)
            return
        try:
            meanings = self._meanings(label, planes)
        except InputError as error:
            way_out = ": name them in order with plane_bands (--plane-bands)" if self.cutouts else ""
            self.unused.append((str(path), f"{error}{way_out}"))
            return
        for one, plane in zip(meanings, planes, strict=True):
            if one.aside:
                self.aside.append((str(path), one.aside))
            else:
                self._put(tile, (one.band, one.kind), path, plane)

    def _meanings(self, label: Label, planes: Sequence[Plane]) -> list[Meaning]:
        if self.plane_bands is not None and len(self.plane_bands) == len(planes):
            return [Meaning(band, "sci") for band in self.plane_bands]
        meanings = read_meanings(label, planes, self.survey)
        if self.plane_bands is not None or any(one.kind == "sci" and not one.band for one in meanings):
            named = f", and {len(self.plane_bands)} were named" if self.plane_bands is not None else ""
            among = ", ".join(self.survey.band_names)
            raise InputError(f"nothing tells the bands of its {len(planes)} images among {among}{named}")
        return meanings

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


def _is_cube(planes: Sequence[Plane]) -> bool:
    return planes[0].plane is not None and len({plane.unit for plane in planes}) == 1
