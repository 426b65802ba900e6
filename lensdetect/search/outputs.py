"""Candidates, and ordinary objects beside them, as tables that the field's tools read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lensdetect import flags as quality
from lensdetect.images.written_tables import Meaning, write_tables

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
    "draw": Meaning("meta.number", "place in this random draw, from 1; names of files in ordinary/ begin with it"),
}
_MEMBER = Meaning("stat.likelihood", "logit of one detector")


def write_objects(objects: pd.DataFrame, folder: Path, *, name: str) -> dict[str, Path]:
    """Write candidates or ordinary objects as ``.parquet``, ``.csv`` and ``.fits``, each whole or not at all.

    Parameters
    ----------
    objects : DataFrame
        Candidates, the best first; or ordinary objects, in the order of the draw.
    folder : Path
    name : str
        Of the files: "candidates" or "ordinary".

    Returns
    -------
    dict
        Path by ending.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    meanings = {column: MEANINGS.get(column, _MEMBER) for column in objects.columns}
    comments = [f"flags {flag.value}: {flag.name}" for flag in quality.FLAGS.values()]
    return write_tables(objects, folder, name=name, meanings=meanings, comments=comments)
