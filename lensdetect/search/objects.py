"""Objects of a catalogue, spread over lists on disk: one for each tile."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lensdetect.errors import InputError
from lensdetect.images.assignment import NO_POSITION, assign
from lensdetect.images.index import TileIndex
from lensdetect.runs import code_key, content_key, key_of, write_folder, write_json
from lensdetect.search.catalogue import Catalogue, Told

_SCHEMA = pa.schema(
    [("row", pa.int64()), ("id", pa.string())]
    + [(name, pa.float64()) for name in ("ra_deg", "dec_deg", "x_pix", "y_pix")]
)
_WITHOUT_TILE = pa.schema(
    [("row", pa.int64()), ("id", pa.string()), ("ra_deg", pa.float64()), ("dec_deg", pa.float64())]
    + [("reason", pa.string())]
)
_SUMMARY, _OUTSIDE = "spread.json", "outside.parquet"


@dataclass(frozen=True)
class Spread:
    """A catalogue that has been spread over tiles.

    Parameters
    ----------
    folder : Path
        Where the lists are.
    key : str
        Tells the catalogue, its selection and the tiles from any other.
    rows_read, selected : int
        Of the catalogue.
    outside, no_position : int
        Selected objects without a tile; they are in ``outside.parquet``.
    without_id : int
        Selected objects without an id; they are called by their row.
    notes : list of str
        What of the catalogue could not be used, in words.
    counts : dict of int
        Objects by name of tile, where there are any.
    digests : dict of str
        SHA-256 of the lists.
    outside_digest : str
        SHA-256 of ``outside.parquet``.
    """

    folder: Path
    key: str
    rows_read: int
    selected: int
    outside: int
    no_position: int
    without_id: int
    notes: list[str]
    counts: dict[str, int]
    digests: dict[str, str]
    outside_digest: str

    def read(self, tile: str) -> pd.DataFrame:
        """Objects of a tile: ``row``, ``id``, ``ra_deg``, ``dec_deg``, ``x_pix``, ``y_pix``."""
        return read_objects(list_path(self.folder, tile), digest=self.digests[tile])


def list_path(folder: Path, tile: str) -> Path:
    """List of the objects of a tile."""
    return folder / f"{file_stem(tile)}.arrows"


def file_stem(tile: str) -> str:
    """Name of a tile as part of the name of a file."""
    return tile.replace(os.sep, "_")


def read_objects(path: Path, *, digest: str) -> pd.DataFrame:
    """Read a list of objects.

    Parameters
    ----------
    path : Path
        What ``spread_objects`` wrote: one stream of Arrow after the other.
    digest : str
        SHA-256 of it, of when it was written.

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        If it is another than was written.
    """
    content, pieces = path.read_bytes(), []
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(f"{path} must be as it was written, and has been damaged or changed: run the same again")
    source = pa.BufferReader(content)
    while source.tell() < len(content):
        pieces.append(pa.ipc.open_stream(source).read_all())
    return pa.concat_tables(pieces).to_pandas()


def spread_objects(catalogue: Catalogue, index: TileIndex, folder: Path) -> Spread:
    """Give each object of a catalogue to a tile, a piece of the catalogue at a time.

    Parameters
    ----------
    catalogue : Catalogue
    index : TileIndex
    folder : Path
        Of the lists; it appears when all are written, and is left as it is if
        it holds the same, undamaged.

    Returns
    -------
    Spread

    Raises
    ------
    InputError
        If the catalogue cannot be read.
    """
    key = _key(catalogue, index)
    known = _known_spread(folder)
    if known is not None and known.key == key:
        return known
    return write_folder(folder, lambda partial: _write_lists(catalogue, index, folder, partial, key=key), replace=True)


def _write_lists(catalogue: Catalogue, index: TileIndex, folder: Path, partial: Path, *, key: str) -> Spread:
    summary = {"key": key, **_spread(catalogue, index, partial)}
    write_json(partial / _SUMMARY, {"sha256": key_of(summary), **summary})
    return Spread(folder=folder, **summary)


def _known_spread(folder: Path) -> Spread | None:
    """What is there, if it is whole: lists that were damaged are made again."""
    try:
        summary = json.loads((folder / _SUMMARY).read_bytes())
        if summary.pop("sha256") != key_of(summary):
            return None
        spread = Spread(folder=folder, **summary)
        lists = {folder / _OUTSIDE: spread.outside_digest}
        lists |= {list_path(folder, tile): digest for tile, digest in spread.digests.items()}
        return spread if all(_sha256(path) == digest for path, digest in lists.items()) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(catalogue: Catalogue, index: TileIndex) -> str:
    files = [content_key(file) for file in catalogue.files]
    select = catalogue.selection.expression if catalogue.selection is not None else None
    places = [(tile.name, tile.shape, tile.wcs_header, bool(tile.problem)) for tile in index.tiles]
    return key_of(files, catalogue.columns, select, places, code_key("images", "search"))


def _spread(catalogue: Catalogue, index: TileIndex, folder: Path) -> dict:
    rows_read = selected = no_position = 0
    counts: dict[str, int] = {}
    hashes: dict[str, hashlib._Hash] = {}
    with pq.ParquetWriter(folder / _OUTSIDE, _WITHOUT_TILE) as outside:
        for piece in catalogue.pieces():
            rows_read += piece.rows_read
            if not len(piece.objects):
                continue
            objects = assign(piece.objects, index)
            selected += len(objects)
            lost = objects[objects["tile"] == ""]
            no_position += int((lost["reason"] == NO_POSITION).sum())
            if len(lost):
                outside.write_table(pa.Table.from_pandas(lost, schema=_WITHOUT_TILE, preserve_index=False))
            for tile, rows in objects[objects["tile"] != ""].groupby("tile", sort=True, observed=True):
                written = _append(list_path(folder, tile), rows)
                hashes.setdefault(tile, hashlib.sha256()).update(written)
                counts[tile] = counts.get(tile, 0) + len(rows)
    told, placed = catalogue.told, sum(counts.values())
    return {
        "rows_read": rows_read,
        "selected": selected,
        "outside": selected - placed - no_position,
        "no_position": no_position,
        "without_id": told.without_id,
        "notes": [*told.notes(), *_nowhere(told, index, selected=selected, placed=placed)],
        "counts": counts,
        "digests": {tile: found.hexdigest() for tile, found in hashes.items()},
        "outside_digest": _sha256(folder / _OUTSIDE),
    }


def _append(path: Path, rows: pd.DataFrame) -> bytes:
    """Write one more stream at the end; the file is open for no longer, as tiles may be thousands."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _SCHEMA) as stream:
        stream.write_table(pa.Table.from_pandas(rows, schema=_SCHEMA, preserve_index=False))
    written = sink.getvalue().to_pybytes()
    with open(path, "ab") as file:
        file.write(written)
    return written


def _nowhere(told: Told, index: TileIndex, *, selected: int, placed: int) -> list[str]:
    """Say so if a whole catalogue lies beside the tiles, which has a reason more often than not.

    Parameters
    ----------
    told : Told
        Of the catalogue.
    index : TileIndex
    selected, placed : int
        Objects selected, and those in some tile.

    Returns
    -------
    list of str
        Empty where it is not so.
    """
    corners = [corner for tile in index.tiles for corner in tile.corners_deg or ()]
    if placed or selected == told.without_position or not corners:
        return []
    ra, dec = zip(*corners, strict=True)
    return [
        f"0 of {selected:,} objects lie in any tile: they have right ascensions {_range(told.ra_deg)} and declinations "
        f"{_range(told.dec_deg)} deg, the tiles {_range((min(ra), max(ra)))} and {_range((min(dec), max(dec)))} deg: "
        "give the catalogue of these tiles, and see that its positions are in the unit that it tells"
    ]


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.4f} to {ends[1]:.4f}"
