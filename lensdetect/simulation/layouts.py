"""The two forms in which simulated stamps are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits

from lensdetect.runs import sync_all, write_whole
from lensdetect.stamps import Stamp, write_shard
from lensdetect.survey import Survey

_RADIAN_ARCSEC = math.degrees(1.0) * 3600.0


@dataclass(frozen=True)
class Layout:
    """One form on disk.

    Parameters
    ----------
    manifest_name : str
        File that says what the folder holds.
    write : callable
        ``write(folder, shard, stamps=..., survey=...)`` writes one shard.
    is_done : callable
        ``is_done(folder, shard)``: whether that shard is there.
    finish : callable
        ``finish(folder, shards)`` closes a complete set.
    folders : tuple of str
        Patterns of the folders in it that files are written to.
    """

    manifest_name: str
    write: Callable[..., None]
    is_done: Callable[[Path, int], bool]
    finish: Callable[..., None]
    folders: tuple[str, ...] = ()


def _write_shard(folder: Path, shard: int, *, stamps: Iterable[Stamp], survey: Survey) -> None:
    write_shard(folder, shard, stamps)


def _shard_is_done(folder: Path, shard: int) -> bool:
    return (folder / f"{shard:05d}.parquet").is_file()


def _finish_shards(folder: Path, shards: int) -> None:
    """Shards need no closing: each is whole by itself."""


def _write_challenge(folder: Path, shard: int, *, stamps: Iterable[Stamp], survey: Survey) -> None:
    """FITS files of some stamps, then their part of the truth table: it marks them as done."""
    folders = [folder / "Public" / f"Band{number}" for number in range(1, len(survey.file_band_order) + 1)]
    for path in folders:
        path.mkdir(parents=True, exist_ok=True)
    rows = []
    for stamp in stamps:
        for path, band in zip(folders, survey.file_band_order, strict=True):
            plane = stamp.pixels[..., survey.band_names.index(band)]
            content = challenge_file(plane, survey)
            name = f"imageSDSS_{band.upper()}-{stamp.truth['id']}.fits"
            write_whole(path / name, lambda file, content=content: file.write(content), durable=False)
        rows.append(_challenge_row(stamp.truth))
    sync_all()
    part = _part(folder, shard)
    part.parent.mkdir(exist_ok=True)
    write_whole(part, lambda file: pd.DataFrame(rows).to_csv(file, index=False))


def _part(folder: Path, shard: int) -> Path:
    return folder / ".truth" / f"{shard:05d}.csv"


def _challenge_row(truth: dict[str, Any]) -> dict[str, Any]:
    """Columns of the challenge's own truth table; the Einstein area is in square radians."""
    radius = truth["einstein_radius_arcsec"] / _RADIAN_ARCSEC
    return {
        "ID": truth["id"],
        "is_lens": int(truth["is_lens"]),
        "Einstein_area": f"{math.pi * radius**2:.6e}",
        "numb_pix_lensed_image": truth["arc_pixel_count"],
        "flux_lensed_image_in_sigma": f"{truth['arc_flux_sigma']:.6g}",
    }


def challenge_file(plane: np.ndarray, survey: Survey) -> bytes:
    """One band of one stamp as the bytes of a FITS file, as the challenge wrote them.

    Parameters
    ----------
    plane : ndarray
        ``(height, width)``; NaN where masked.
    survey : Survey
        Pixel scale, and the value of masked pixels.

    Returns
    -------
    bytes
        One header block of 2880 bytes, then big-endian float32, padded.
    """
    height, width = plane.shape
    step_deg = survey.pixel_scale_arcsec / 3600.0
    header = fits.Header(
        [
            ("SIMPLE", True, "file does conform to FITS standard"),
            ("BITPIX", -32, "number of bits per data pixel"),
            ("NAXIS", 2, "number of data axes"),
            ("NAXIS1", width, "length of data axis 1"),
            ("NAXIS2", height, "length of data axis 2"),
            ("EXTEND", True, "FITS dataset may contain extensions"),
            ("WCSAXES", 2, "number of World Coordinate System axes"),
            ("CRPIX1", 0.5 * (width + 1), "x-coordinate of reference pixel"),
            ("CRPIX2", 0.5 * (height + 1), "y-coordinate of reference pixel"),
            ("CRVAL1", 0.0, "first axis value at reference pixel"),
            ("CRVAL2", 0.0, "second axis value at reference pixel"),
            ("CTYPE1", "RA---TAN", "coordinate type for the first axis"),
            ("CTYPE2", "DEC--TAN", "coordinate type for the second axis"),
            ("CUNIT1", "deg", "coordinate unit for the first axis"),
            ("CUNIT2", "deg", "coordinate unit for the second axis"),
            ("CDELT1", -step_deg, "pixel step along the first axis"),
            ("CDELT2", step_deg, "pixel step along the second axis"),
            ("CROTA2", 0.0),
        ]
    )
    masked = np.nan if survey.masked_value is None else survey.masked_value
    data = np.where(np.isnan(plane), masked, plane).astype(">f4").tobytes()
    padding = -len(data) % 2880
    return header.tostring().encode("ascii") + data + b"\0" * padding


def _challenge_is_done(folder: Path, shard: int) -> bool:
    return _part(folder, shard).is_file() or (folder / "classifications.csv").is_file()


def _finish_challenge(folder: Path, shards: int) -> None:
    """Join the parts of the truth table; the parts are removed when it is in place."""
    parts = [_part(folder, shard) for shard in range(shards)]
    if not (folder / "classifications.csv").is_file():
        table = pd.concat([pd.read_csv(part, dtype=str) for part in parts], ignore_index=True)
        write_whole(folder / "classifications.csv", lambda file: table.to_csv(file, index=False))
    for part in parts:
        part.unlink(missing_ok=True)
    if parts[0].parent.is_dir():
        parts[0].parent.rmdir()


LAYOUTS: dict[str, Layout] = {
    "shards": Layout("manifest.json", _write_shard, _shard_is_done, _finish_shards),
    "challenge": Layout(
        "simulation.json", _write_challenge, _challenge_is_done, _finish_challenge, (".truth", "Public/*")
    ),
}
