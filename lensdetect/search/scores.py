"""Scores on disk: one table a tile, whole or not there, which says what it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lensdetect.runs import write_whole
from lensdetect.search.committee import Committee

_KEY, _PROBLEM = b"lensdetect.key", b"lensdetect.problem"


@dataclass(frozen=True)
class ScoreNote:
    """What a table of scores says about itself.

    Parameters
    ----------
    key : str
        Digest of all that its scores follow from.
    problem : str
        Why the tile, or a slice of it, could not be scored; empty if it could.
    """

    key: str
    problem: str = ""


def score_columns(committee: Committee) -> list[str]:
    """Columns of a table of scores, in order."""
    logits = [f"logit_{member.name}" for member in committee.members]
    return ["row", "id", "ra_deg", "dec_deg", "tile", "logit", "probability", *logits, "flags", "reason"]


def score_table(
    objects: pd.DataFrame, logits: np.ndarray, *, flags, reasons, tile: str, committee: Committee, prior: float | None
) -> pd.DataFrame:
    """Table of scores of some objects of a tile.

    Parameters
    ----------
    objects : DataFrame
        ``row``, ``id``, ``ra_deg``, ``dec_deg``.
    logits : ndarray
        float32 ``(n, detectors)``; NaN where there is no score.
    flags, reasons : array_like
        ``(n,)``.
    tile : str
    committee : Committee
    prior : float or None
        As ``Committee.combine`` takes it.

    Returns
    -------
    DataFrame
        In the columns of ``score_columns``.
    """
    logit, probability = committee.combine(logits, prior=prior)
    columns = {name: objects[name].to_numpy() for name in ("row", "id", "ra_deg", "dec_deg")}
    columns |= {"tile": tile, "logit": logit, "probability": probability}
    columns |= {
        f"logit_{member.name}": logits[:, place].astype(np.float32) for place, member in enumerate(committee.members)
    }
    columns |= {"flags": np.asarray(flags, np.int64), "reason": pd.Series(list(reasons), dtype=object).to_numpy()}
    return pd.DataFrame(columns, columns=score_columns(committee))


def refused_table(objects: pd.DataFrame, reason: str, *, tile: str, committee: Committee) -> pd.DataFrame:
    """Table of objects none of which could be scored, all for one reason."""
    logits = np.full((len(objects), len(committee.members)), np.nan, np.float32)
    flags, reasons = np.zeros(len(objects), np.int64), [reason] * len(objects)
    return score_table(objects, logits, flags=flags, reasons=reasons, tile=tile, committee=committee, prior=None)


def write_scores(path: Path, table: pd.DataFrame, note: ScoreNote) -> None:
    """Write a table of scores whole or not at all.

    Parameters
    ----------
    path : Path
    table : DataFrame
        Sorted by ``row`` on disk.
    note : ScoreNote
    """
    content = pa.Table.from_pandas(table.sort_values("row"), preserve_index=False)
    for name in ("id", "tile", "reason"):
        place = content.schema.get_field_index(name)
        # Without rows there is nothing that tells text from other types.
        content = content.set_column(place, name, content[name].cast(pa.string()))
    content = content.replace_schema_metadata({_KEY: note.key.encode(), _PROBLEM: note.problem.encode()})
    write_whole(path, lambda file: pq.write_table(content, file))


def change_flags(path: Path, rows: np.ndarray, *, add: np.ndarray, remove: int) -> None:
    """Change the flags of some objects in a table of scores; it stays whole.

    Parameters
    ----------
    path : Path
    rows : ndarray
        ``(n,)`` of the column ``row``; all in the table.
    add : ndarray
        int64 ``(n,)`` bits to set.
    remove : int
        Bits to clear before.
    """
    table, note = pd.read_parquet(path), read_note(path)
    places = pd.Index(table["row"]).get_indexer(rows)
    flags = table["flags"].to_numpy(np.int64, copy=True)
    flags[places] = (flags[places] & ~remove) | add
    write_scores(path, table.assign(flags=flags), note)


def read_note(path: Path) -> ScoreNote | None:
    """What a table of scores says about itself.

    Parameters
    ----------
    path : Path

    Returns
    -------
    ScoreNote or None
        None if there is no such table.
    """
    try:
        said = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return None
    return ScoreNote(said.get(_KEY, b"").decode(), said.get(_PROBLEM, b"").decode())


def join_parts(parts: list[Path], path: Path, *, key: str) -> None:
    """Make the table of a tile of the tables of its slices, and remove these.

    Parameters
    ----------
    parts : list of Path
    path : Path
        Of the whole.
    key : str
        Of the whole.
    """
    problems = dict.fromkeys(note.problem for note in map(read_note, parts) if note is not None and note.problem)
    table = pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)
    write_scores(path, table, ScoreNote(key, "; ".join(problems)))
    for part in parts:
        part.unlink()
