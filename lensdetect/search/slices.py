"""Slices of tiles: what is scored at a time, from what, and where its scores go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path

import numpy as np

from lensdetect.flags import ARC_RADIUS_ARCSEC
from lensdetect.images.tiles import Tile
from lensdetect.runs import code_key, content_key, key_of
from lensdetect.search.committee import Committee
from lensdetect.search.objects import file_stem
from lensdetect.search.scenes import check_radius
from lensdetect.survey import Survey

#: Cutouts cut and scored at once; larger batches fall out of a CPU's caches.
BATCH = 128
#: Objects of a slice, at most: enough to pay for opening a tile, few enough to share a large one.
SLICE_OBJECTS = 2000


def search_code() -> str:
    """Version of the code that scores follow from; whoever scores must have the same."""
    return code_key("artifact", "flags", "images", "metrics", "network", "search", "survey")


@dataclass(frozen=True)
class Job:
    """What all slices of a search have in common.

    Parameters
    ----------
    survey : Survey
        With the bands that the detectors take, and no other.
    folder : Path
        Of the output; all processes must see it under this name.
    committee : Committee
    prior : float, optional
        Share of lenses among the objects.
    duplicate_arcsec : float
        Objects of a tile nearer than this are one.
    examine_all : bool
        Whether all objects are looked at for glitches, and not only those that
        would become candidates.
    glitch_arcsec : float
        How near to an object a glitch has to come to be held against it.
    code : str
        Version of the code that its scores follow from.
    """

    survey: Survey
    folder: Path
    committee: Committee
    prior: float | None = None
    duplicate_arcsec: float = 1.0
    examine_all: bool = False
    glitch_arcsec: float = ARC_RADIUS_ARCSEC
    code: str = field(default_factory=search_code)

    def __post_init__(self):
        """Refuse a radius that is none."""
        check_radius("glitch_arcsec", self.glitch_arcsec)


@dataclass(frozen=True)
class Slice:
    """Some objects of one tile: what a worker does at a time.

    Parameters
    ----------
    tile : Tile
    part, parts : int
        Which slice of how many.
    objects : int
        How many it has.
    key : str
        Digest of all that its scores follow from.
    digest : str
        Of the list of the objects of the tile.
    """

    tile: Tile
    part: int
    parts: int
    objects: int
    key: str
    digest: str


def slices_of(
    job: Job,
    tile: Tile,
    *,
    objects: int,
    digest: str,
    content: Callable[[str], str] = content_key,
    per_slice: int = SLICE_OBJECTS,
) -> list[Slice]:
    """Cut the objects of a tile into slices of about one size.

    Parameters
    ----------
    job : Job
    tile : Tile
    objects : int
        How many it has.
    digest : str
        Of the list of its objects.
    content : callable
        Path of a file of the tile -> digest of what it holds.
    per_slice : int
        Most objects of a slice.

    Returns
    -------
    list of Slice
    """
    parts = max(1, -(-objects // per_slice))
    edges = slice_edges(objects, parts)
    key = key_of(
        digest,
        _told(tile, content),
        edges.tolist(),
        asdict(job.survey),
        [job.prior, job.duplicate_arcsec, job.examine_all, job.glitch_arcsec],
        [asdict(member) for member in job.committee.members],
        [job.committee.size, job.committee.bands, job.committee.pixel_scale_arcsec],
        job.code,
    )
    return [Slice(tile, part, parts, int(edges[part + 1] - edges[part]), key, digest) for part in range(parts)]


def _told(tile: Tile, content: Callable[[str], str]) -> list:
    """All of a tile that its scores follow from: what its files hold, wherever they lie, and what is known of it."""
    images = []
    for (band, kind), image in sorted(tile.images.items()):
        try:
            held = content(image.path)
        except OSError as error:
            held = f"unreadable: {error.strerror}"
        images.append([band, kind, held, *astuple(image)[1:]])
    others = {name: value for name, value in vars(tile).items() if name != "images"}
    return [images, others]


def slice_edges(objects: int, parts: int) -> np.ndarray:
    """Where slices begin and end.

    Parameters
    ----------
    objects : int
        How many there are.
    parts : int
        Number of slices.

    Returns
    -------
    ndarray
        int ``(parts + 1,)``; between batches, since a part of one costs as much to score as all of it.
    """
    batches = -(-objects // BATCH)
    if batches < parts:
        return np.linspace(0, objects, parts + 1).round().astype(int)
    return np.minimum(BATCH * np.linspace(0, batches, parts + 1).round().astype(int), objects)


def score_path(folder: Path, tile: str) -> Path:
    """Table of the scores of a tile."""
    return folder / "scores" / f"{file_stem(tile)}.parquet"


def part_path(folder: Path, piece: Slice) -> Path:
    """Table that a slice leaves: that of the tile, where it is the only one."""
    if piece.parts == 1:
        return score_path(folder, piece.tile.name)
    return folder / "parts" / f"{file_stem(piece.tile.name)}.{piece.part:04d}-{piece.parts:04d}.parquet"
