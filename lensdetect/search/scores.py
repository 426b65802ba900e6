"""Scores on disk: one table a tile, whole or not there, which says what it was made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lensdetect.errors import InputError, one_line
from lensdetect.runs import write_whole
from lensdetect.search.committee import Committee
from lensdetect.text import identifier

_KEY, _PROBLEM, _LOOKS = b"lensdetect.key", b"lensdetect.problem", b"lensdetect.looks"
#: Read at a time.
_ROWS = 100_000


@dataclass(frozen=True)
class ScoreNote:
    """What a table of scores says about itself.

    Parameters
    ----------
    key : str
        Digest of all that its scores follow from.
    problem : str
        Why the tile, or a slice of it, could not be scored; empty if it could.
    looks : dict
        Of the objects that were looked at for glitches after they were scored,
        by ``row``: their flags of before, and what was found.
    """

    key: str
    problem: str = ""
    looks: dict[int, tuple[int, int]] = field(default_factory=dict)


def score_columns(committee: Committee) -> list[str]:
    """Columns of a table of scores, in order."""
    place = ["row", "id", "ra_deg", "dec_deg", "tile"]
    return [*place, "logit", "probability", *logit_columns(committee), "flags", "reason"]


def logit_columns(committee: Committee) -> list[str]:
    """Columns of the logits of its members, in order, each once."""
    names: list[str] = []
    for member in committee.members:
        name = identifier(f"logit_{member.name}")
        # names that differ in other characters alone are told apart by a number
        again = sum(1 for other in committee.members[: len(names)] if identifier(f"logit_{other.name}") == name)
        names.append(f"{name}__{again + 1}" if again else name)
    return names


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
    columns |= dict(zip(logit_columns(committee), logits.T.astype(np.float32), strict=True))
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
    looks = json.dumps([[row, *note.looks[row]] for row in sorted(note.looks)])
    said = {_KEY: note.key.encode(), _PROBLEM: note.problem.encode(), _LOOKS: looks.encode()}
    content = content.replace_schema_metadata(said)
    # sums of the pages, without which Parquet reads damaged ones as other numbers
    write_whole(path, lambda file: pq.write_table(content, file, write_page_checksum=True))


def read_scores(path: Path) -> pd.DataFrame:
    """Read a table of scores, and check that it is as it was written.

    Parameters
    ----------
    path : Path

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        If it is damaged.
    """
    return pd.concat(score_pieces([path]), ignore_index=True)


def score_pieces(paths: Iterable[Path], columns: list[str] | None = None) -> Iterator[pd.DataFrame]:
    """Tables of scores, a piece at a time.

    Parameters
    ----------
    paths : iterable of Path
    columns : list of str, optional
        Which; all if not given.

    Yields
    ------
    DataFrame

    Raises
    ------
    InputError
        If one is damaged; the message names it.
    """
    for path in paths:
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                if not file.metadata.num_rows:
                    yield file.read(columns=columns).to_pandas()
                for batch in file.iter_batches(batch_size=_ROWS, columns=columns):
                    yield batch.to_pandas()
        except (OSError, ValueError, pa.ArrowException) as error:
            raise InputError(
                f"{path} must be a table of scores as it was written, got {one_line(error)}: "
                "remove it and run the same again"
            ) from error


def is_whole(path: Path, *, columns: Sequence[str], rows: int) -> bool:
    """Whether a table of scores is undamaged, and of so many objects.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        That it has to have.
    rows : int

    Returns
    -------
    bool
    """
    found = 0
    try:
        for piece in score_pieces([path]):
            if list(piece) != list(columns):
                return False
            found += len(piece)
    # whatever a damaged file makes the reader say, it is made again
    except Exception:
        return False
    return found == rows


def set_flags(path: Path, flags: dict[int, int], *, looks: dict[int, tuple[int, int]]) -> None:
    """Change the flags of some objects in a table of scores; it stays whole, and as it is if nothing changes.

    Parameters
    ----------
    path : Path
    flags : dict of int
        By the column ``row``.
    looks : dict
        For the note of the table: all that is known from looking.
    """
    table, note = read_scores(path), read_note(path)
    changed = with_flags(table, flags)
    if note.looks != looks or (changed["flags"] != table["flags"]).any():
        write_scores(path, changed, replace(note, looks=looks))


def with_flags(table: pd.DataFrame, flags: dict[int, int]) -> pd.DataFrame:
    """A table of scores with other flags of some objects.

    Parameters
    ----------
    table : DataFrame
    flags : dict of int
        By the column ``row``.

    Returns
    -------
    DataFrame
    """
    return table.assign(flags=table["row"].map(flags).fillna(table["flags"]).astype(np.int64))


def read_note(path: Path) -> ScoreNote | None:
    """What a table of scores says about itself.

    Parameters
    ----------
    path : Path

    Returns
    -------
    ScoreNote or None
        None if there is no such table, or none that can be read.
    """
    try:
        said = pq.read_schema(path).metadata or {}
        looks = {row: (before, seen) for row, before, seen in json.loads(said.get(_LOOKS, b"[]"))}
        return ScoreNote(said.get(_KEY, b"").decode(), said.get(_PROBLEM, b"").decode(), looks)
    except (OSError, ValueError, TypeError, pa.ArrowException):
        return None


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
    table = pd.concat([read_scores(part) for part in parts], ignore_index=True)
    write_scores(path, table, ScoreNote(key, "; ".join(problems)))
    for part in parts:
        part.unlink()
