"""Stamps whose labels are partly what other detectors say of them: soft labels, to distil a committee into one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from lensdetect.data.order import Stamps
from lensdetect.errors import InputError
from lensdetect.fields import within
from lensdetect.images.columns import find_columns
from lensdetect.images.tables import Table
from lensdetect.text import shown

#: Probabilities nearer to 0 or 1 are taken for this near: one teacher who is sure must not outweigh all others.
_LEAST = 1e-4


class TaughtStamps:
    """Stamps with a column ``target``: a mean of the truth and of the probability that teachers give.

    What a network learns from such labels is what a committee would say of a stamp, and how sure it is
    (Hinton, Vinyals and Dean 2015, arXiv 1503.02531, with a temperature of 1).

    Parameters
    ----------
    stamps : Stamps
    probability : ndarray
        ``(n,)`` of the teachers, NaN where they have none: such stamps keep their truth.
    share : float
        Weight of the teachers, from 0 to 1.

    Attributes
    ----------
    manifest : dict
        Of ``stamps``, with the share as ``taught``.
    truth : DataFrame
    shape : tuple of int

    Raises
    ------
    InputError
        If a number is out of its range, or there is not one for each stamp.
    """

    def __init__(self, stamps: Stamps, probability: np.ndarray, *, share: float = 0.5):
        within(share, low=0.0, high=1.0, place="the share of the teachers")
        if np.shape(probability) != (len(stamps.truth),):
            raise InputError(f"there must be one probability for each of {len(stamps.truth)} stamps")
        is_lens = stamps.truth["is_lens"].to_numpy(float)
        taught = np.where(np.isnan(probability), is_lens, probability)
        self.truth: pd.DataFrame = stamps.truth.assign(target=(1.0 - share) * is_lens + share * taught)
        self.manifest: dict[str, Any] = {**stamps.manifest, "taught": {"share": share}}
        self.shape = tuple(stamps.shape)
        self._stamps = stamps

    def __len__(self) -> int:
        """Number of stamps."""
        return len(self.truth)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pixels of some stamps, as the stamps read them."""
        return self._stamps.read(rows)

    def sha256(self) -> str:
        """Hash of all pixels, truth and soft labels."""
        digest = hashlib.sha256(self._stamps.sha256().encode())
        digest.update(self.truth["target"].to_numpy(np.float32).tobytes())
        return digest.hexdigest()


def read_teachers(paths: Sequence[Path | str], ids: Sequence[str]) -> np.ndarray:
    """Probability that detectors give: where they are several, that of their mean logit.

    Parameters
    ----------
    paths : sequence of path
        Tables as ``lensdetect score`` leaves them: ``id`` and ``probability``.
    ids : sequence of str
        Of the stamps.

    Returns
    -------
    ndarray
        ``(n,)``, NaN where a table has no probability of a stamp.

    Raises
    ------
    InputError
        If a table cannot be read, lacks a column, or knows none of the stamps, an id comes twice, or a number is no
        probability.
    """
    each = [_probability_of(Path(path), ids) for path in paths]
    return expit(np.mean([logit(np.clip(one, _LEAST, 1.0 - _LEAST)) for one in each], axis=0))


def _probability_of(path: Path, ids: Sequence[str]) -> np.ndarray:
    table = Table(path, strict=True)
    columns = find_columns(table.columns, ("id", "probability"), path=path)
    for name in ("id", "probability"):
        if not columns[name]:
            raise InputError(f"{path} must have the columns id and probability, got none {name}: lensdetect score does")
    pieces = list(table.pieces([columns["id"], columns["probability"]]))
    found = pd.Index(np.concatenate([piece.texts(columns["id"]) for piece in pieces]) if pieces else [], dtype=object)
    if found.has_duplicates:
        raise InputError(f"{path} must hold each id once, got {shown(found[found.duplicated()][0])} twice")
    places = found.get_indexer(pd.Index(ids, dtype=object))
    if (places < 0).all():
        raise InputError(f"{path} must hold scores of the stamps, got those of {len(found)} others: score --data first")
    values = np.concatenate([piece.numbers(columns["probability"]) for piece in pieces])
    if ((values < 0) | (values > 1)).any():
        raise InputError(f"the column probability of {path} must lie between 0 and 1, got {np.nanmax(values):g}")
    return np.where(places < 0, np.nan, values[places])
