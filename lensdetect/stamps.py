"""Stamps on disk: shards of pixels and truth.

A folder of stamps holds ``NNNNN.npy`` (float32, ``(n, height, width, band)``,
memory-mapped), ``NNNNN.parquet`` (truth, one row a stamp, same order) and
``manifest.json`` (survey, bands, pixel scale, seed, how it was made). The
Parquet file is put in place last: a shard without one does not exist.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lensdetect.errors import InputError, reading
from lensdetect.runs import read_json, write_json, write_whole

#: Columns of truth, in order, with the dtype of each.
TRUTH_COLUMNS: dict[str, str] = {
    "id": "str",
    "is_lens": "bool",
    "has_source": "bool",
    "kind": "str",
    "einstein_radius_arcsec": "float64",
    "einstein_radius_over_seeing": "float64",
    "arc_pixel_count": "int64",
    "arc_flux_sigma": "float64",
    "arc_snr": "float64",
    "arc_snr_over_light": "float64",
    "deflector_redshift": "float64",
    "source_redshift": "float64",
    "velocity_dispersion_km_s": "float64",
    "glitches": "str",
    "seed": "int64",
}

#: What a truth may leave out, with the value that then stands for it.
UNKNOWN_TRUTH: dict[str, Any] = {
    "einstein_radius_over_seeing": math.nan,
    "arc_snr_over_light": math.nan,
    "deflector_redshift": math.nan,
    "source_redshift": math.nan,
    "velocity_dispersion_km_s": math.nan,
    "glitches": "",
}


@dataclass(frozen=True)
class Stamp:
    """A cutout with its truth.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(height, width, band)``, in survey flux; a bad pixel is NaN.
    truth : dict
        One value for each name in ``TRUTH_COLUMNS``; those in ``UNKNOWN_TRUTH``
        may be left out.
    """

    pixels: np.ndarray
    truth: dict[str, Any]


def write_shard(folder: Path, index: int, stamps: Iterable[Stamp]) -> None:
    """Write one shard, whole or not at all.

    Parameters
    ----------
    folder : Path
        An existing folder.
    index : int
        Number of the shard; it names the files.
    stamps : iterable of Stamp
        All of one shape.
    """
    stamps = list(stamps)
    pixels = np.stack([stamp.pixels for stamp in stamps]).astype(np.float32, copy=False)
    truth = pd.DataFrame([UNKNOWN_TRUTH | stamp.truth for stamp in stamps])[list(TRUTH_COLUMNS)].astype(TRUTH_COLUMNS)
    folder = Path(folder)
    # Old truth beside new pixels would pass for a complete shard.
    (folder / f"{index:05d}.parquet").unlink(missing_ok=True)
    write_whole(folder / f"{index:05d}.npy", lambda file: np.save(file, pixels))
    write_whole(folder / f"{index:05d}.parquet", lambda file: truth.to_parquet(file, index=False))


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write ``manifest.json`` in a folder of stamps.

    Parameters
    ----------
    folder : Path
        An existing folder.
    manifest : dict
        At least ``survey``, ``bands`` (names, in array order),
        ``pixel_scale_arcsec`` and ``seed``.
    """
    write_json(Path(folder) / "manifest.json", manifest, sort_keys=True)


def undetected(truth: pd.DataFrame) -> np.ndarray:
    """Rows with a source whose arcs cannot be seen: neither lenses to be found nor examples of what is none.

    Parameters
    ----------
    truth : DataFrame
        ``is_lens``, and ``has_source`` where it is known.

    Returns
    -------
    ndarray
        bool ``(len(truth),)``.
    """
    if "has_source" not in truth:
        return np.zeros(len(truth), bool)
    return truth["has_source"].to_numpy(bool) & ~truth["is_lens"].to_numpy(bool)


def is_shards(folder: Path) -> bool:
    """Whether a folder holds stamps in shards (it has a ``manifest.json``)."""
    return (Path(folder) / "manifest.json").is_file()


def _read_manifest(path: Path) -> dict[str, Any]:
    manifest = read_json(path, remedy="run the simulation again")
    for name, (wanted, is_right) in _MANIFEST.items():
        if name not in manifest or not is_right(manifest[name]):
            came = repr(manifest[name])[:80] if name in manifest else "nothing"
            raise InputError(f"{path}: {name} must be {wanted}, got {came}: run the simulation again")
    return manifest


def _is_text(value) -> bool:
    return isinstance(value, str) and bool(value)


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


#: Field of a manifest -> what it must be, and whether a value is.
_MANIFEST: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "survey": ("the name of a survey", _is_text),
    "bands": (
        "a list of different names",
        lambda bands: isinstance(bands, list) and bands and all(map(_is_text, bands)) and len(set(bands)) == len(bands),
    ),
    "pixel_scale_arcsec": (
        "a positive number",
        lambda scale: _is_number(scale) and 0.0 < scale < 1e6,
    ),
    "seed": (
        "a whole number or null",
        lambda seed: seed is None or (isinstance(seed, int) and not isinstance(seed, bool) and abs(seed) < 2**63),
    ),
}


def _open_shard(path: Path, *, num_bands: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Memory-mapped pixels and truth of one shard, of one length."""
    again = "remove it and run the simulation again"
    with reading(f"shard {path}", what="a shard", way_out=again):
        pixels, table = np.load(path, mmap_mode="r"), pd.read_parquet(path.with_suffix(".parquet"))
    if pixels.ndim != 4 or pixels.dtype.kind != "f" or pixels.shape[3] != num_bands:
        raise InputError(
            f"shard {path} must hold numbers (n, height, width, {num_bands}), got {pixels.dtype} {pixels.shape}: "
            f"{again}"
        )
    if len(pixels) != len(table):
        raise InputError(f"{path} holds {len(pixels)} stamps but its truth {len(table)} rows: remove the shard")
    _check_truth(path.with_suffix(".parquet"), table)
    return pixels, table


def _check_truth(path: Path, table: pd.DataFrame) -> None:
    for name, dtype in TRUTH_COLUMNS.items():
        if name not in table.columns and name in UNKNOWN_TRUTH:
            continue
        held = table[name].dtype if name in table.columns else "nothing"
        is_right = pd.api.types.is_string_dtype if dtype == "str" else (lambda held, dtype=dtype: held == dtype)
        if isinstance(held, str) or not is_right(held) or (dtype == "str" and table[name].isna().any()):
            raise InputError(f"{path}: column {name} must be {dtype}, got {held}: remove the shard and run it again")


class Shards:
    """A folder of stamps, opened for reading.

    Pixels stay on disk until asked for.

    Parameters
    ----------
    folder : path
        A folder that ``lensdetect simulate`` made.

    Attributes
    ----------
    manifest : dict
        What ``manifest.json`` holds.
    truth : DataFrame
        One row a stamp, over all shards in order.

    Raises
    ------
    InputError
        If the folder holds no readable manifest or no complete shard, if pixels
        and truth of a shard do not go together, or shards differ in shape.
    """

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        if not is_shards(self.folder):
            raise InputError(
                f"stamps must be a folder with manifest.json, got {self.folder}: make one with lensdetect simulate"
            )
        self.manifest: dict[str, Any] = _read_manifest(self.folder / "manifest.json")
        self.paths = [
            path.with_suffix(".npy") for path in sorted(self.folder.glob("[0-9][0-9][0-9][0-9][0-9].parquet"))
        ]
        if not self.paths:
            raise InputError(f"{self.folder} holds no complete shard: run the simulation again to finish it")
        num_bands = len(self.manifest["bands"])
        opened = [_open_shard(path, num_bands=num_bands) for path in self.paths]
        self._pixels = [pixels for pixels, _ in opened]
        tables = [table for _, table in opened]
        for path, pixels in zip(self.paths, self._pixels, strict=True):
            if pixels.shape[1:] != self.shape:
                raise InputError(
                    f"all shards must hold stamps of one shape, got {self.shape} in {self.paths[0]} and "
                    f"{pixels.shape[1:]} in {path}: keep them in folders of their own"
                )
        self.truth: pd.DataFrame = pd.concat(tables, ignore_index=True)
        self._starts = np.cumsum([0] + [len(table) for table in tables])

    def __len__(self) -> int:
        """Number of stamps over all shards."""
        return len(self.truth)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and number of bands of one stamp."""
        return self._pixels[0].shape[1:]

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pixels of some stamps.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers in ``truth``, in any order.

        Returns
        -------
        ndarray
            float32 ``(len(rows), height, width, band)``.

        Raises
        ------
        InputError
            If a mask is given for row numbers, or a shard was cut short since it was opened.
        """
        rows = np.asarray(rows)
        if rows.dtype == bool:
            raise InputError("rows must be row numbers, got a mask: use numpy.flatnonzero(mask)")
        out = np.empty((len(rows), *self.shape), np.float32)
        shard = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(shard):
            here = shard == number
            self._check_length(number)
            out[here] = self._pixels[number][rows[here] - self._starts[number]]
        return out

    def _check_length(self, number: int) -> None:
        # a file that was cut while it is mapped ends the process at the first pixel that is gone
        pixels = self._pixels[number]
        needed, held = pixels.offset + pixels.nbytes, pixels.base.size()
        if held < needed:
            raise InputError(
                f"shard {self.paths[number]} must be as it was opened, of {needed} bytes, got {held}: "
                "make the stamps again"
            )

    def sha256(self) -> str:
        """Hash of all pixels and truth: two equal hashes are the same stamps."""
        digest = hashlib.sha256()
        for path in self.paths:
            for file in (path, path.with_suffix(".parquet")):
                with open(file, "rb") as opened:
                    digest.update(hashlib.file_digest(opened, "sha256").digest())
        return digest.hexdigest()
