"""The candidates as tables that the field's tools read."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import Table

from lensdetect import flags as quality
from lensdetect.runs import writable, write_whole
from lensdetect.text import for_header, write_csv


@dataclass(frozen=True)
class Meaning:
    """What a column holds, for readers of FITS tables.

    Parameters
    ----------
    ucd : str
        Unified content descriptor (IVOA, UCD1+ 1.5).
    description : str
    unit : str
    """

    ucd: str
    description: str
    unit: str = ""


MEANINGS: dict[str, Meaning] = {
    "rank": Meaning("stat.rank", "place in this list, from 1: candidates by logit, then near misses by logit"),
    "row": Meaning("meta.record", "row of the catalogue searched, from 0"),
    "id": Meaning("meta.id;meta.main", "name in the catalogue searched"),
    "ra_deg": Meaning("pos.eq.ra;meta.main", "right ascension, ICRS", "deg"),
    "dec_deg": Meaning("pos.eq.dec;meta.main", "declination, ICRS", "deg"),
    "tile": Meaning("meta.id;obs.field", "tile in which it lies deepest"),
    "logit": Meaning("stat.likelihood", "score, by which is ranked"),
    "probability": Meaning("stat.probability", "calibrated, at the share of lenses given as prior"),
    "flags": Meaning("meta.code.qual", "sum of bits: see the comments of this header"),
    "reason": Meaning("meta.note", "what to know of it, or the flags that cost it its place"),
    "merged": Meaning("meta.number", "other entries of the same object"),
    "near_miss": Meaning("meta.code", "would be a candidate but for a flag, which reason names"),
    "scene": Meaning("meta.id.assoc", "candidates so near together that one look takes in all"),
    "known_lens": Meaning("meta.id.cross", "nearest known lens"),
    "separation_arcsec": Meaning("pos.angDistance", "distance from that lens", "arcsec"),
    "known_grade": Meaning("meta.code.class", "what its list calls it"),
    "known_list": Meaning("meta.bib", "list that it is from"),
}
_MEMBER = Meaning("stat.likelihood", "logit of one detector")


def write_candidates(candidates: pd.DataFrame, folder: Path) -> dict[str, Path]:
    """Write ``candidates.parquet``, ``.csv`` and ``.fits``, each whole or not at all.

    The Parquet file has all text as it is; in CSV a cell that a spreadsheet would
    run has an apostrophe in front, and FITS has escapes for what is not ASCII.

    Parameters
    ----------
    candidates : DataFrame
        Best first.
    folder : Path

    Returns
    -------
    dict
        Path by ending.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    paths = {ending: folder / f"candidates.{ending}" for ending in ("parquet", "csv", "fits")}
    table = fits_table(candidates)
    with writable(folder, what="candidates"):
        write_whole(paths["parquet"], lambda file: candidates.to_parquet(file, index=False))
        write_whole(paths["csv"], lambda file: write_csv(candidates, file))
        write_whole(paths["fits"], lambda file: file.write(_bytes(table)))
    return paths


def fits_table(candidates: pd.DataFrame) -> fits.BinTableHDU:
    """Candidates as a FITS table with units, descriptions and UCDs.

    Parameters
    ----------
    candidates : DataFrame

    Returns
    -------
    BinTableHDU
    """
    table = Table({name: _column(candidates[name]) for name in candidates.columns})
    hdu = fits.BinTableHDU(table, name="CANDIDATES")
    for number, name in enumerate(candidates.columns, start=1):
        meaning = MEANINGS.get(name, _MEMBER)
        hdu.header[f"TUCD{number}"] = meaning.ucd
        hdu.header[f"TCOMM{number}"] = meaning.description
        if meaning.unit:
            hdu.header[f"TUNIT{number}"] = meaning.unit
    hdu.header["RADESYS"] = "ICRS"
    for flag in quality.FLAGS.values():
        hdu.header["COMMENT"] = f"flags {flag.value}: {flag.name}"
    return hdu


def _column(values: pd.Series) -> np.ndarray:
    if values.dtype.kind in "biuf":
        return values.to_numpy()
    # FITS tables hold ASCII, and text of at least one letter
    texts = [for_header(value).encode("ascii") for value in values]
    return np.array(texts, dtype=f"S{max(map(len, texts), default=1) or 1}")


def _bytes(hdu: fits.BinTableHDU) -> bytes:
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer)
    return buffer.getvalue()
