"""Cutouts joined to their truth: what training reads from other people's files."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from lensdetect.data.reading import CutoutSource
from lensdetect.errors import InputError

_BATCH = 256


class LabelledCutouts:
    """Stamps made of cutouts and a truth table; made by ``with_truth``.

    It is read as ``lensdetect.stamps.Shards`` is.

    Parameters
    ----------
    source : CutoutSource
        The cutouts.
    truth : DataFrame
        One row for each cutout of ``source``, in its order.
    wanted : ndarray of bool, optional
        Which cutouts are meant; all, if not given.

    Attributes
    ----------
    manifest : dict
        ``survey``, ``bands``, ``pixel_scale_arcsec`` and ``seed`` (None).
    truth : DataFrame
        One row a stamp.
    dropped : DataFrame
        ``id``, ``path``, ``reason`` of the cutouts that were refused: nobody
        should be trained on them.
    """

    def __init__(self, source: CutoutSource, truth: pd.DataFrame, *, wanted: np.ndarray | None = None):
        survey = source.frame.survey
        self.manifest: dict[str, Any] = {
            "survey": survey.name,
            "bands": list(survey.band_names),
            "pixel_scale_arcsec": survey.pixel_scale_arcsec,
            "seed": None,
        }
        self._source = source
        refused = _refused(source)
        keep = np.ones(len(source), bool) if wanted is None else wanted.copy()
        self.dropped = refused[keep[refused.index]]
        keep[refused.index] = False
        self._rows = np.flatnonzero(keep)
        self.truth: pd.DataFrame = truth.iloc[self._rows].reset_index(drop=True)

    def __len__(self) -> int:
        """Number of stamps."""
        return len(self._rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and number of bands of one stamp."""
        return self._source.shape

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
        """
        return self._source.read(self._rows[np.asarray(rows)]).pixels

    def sha256(self) -> str:
        """Hash of all pixels and truth: two equal hashes are the same stamps."""
        digest = hashlib.sha256(self.truth.to_csv(index=False).encode())
        for start in range(0, len(self), _BATCH):
            digest.update(self.read(np.arange(start, min(start + _BATCH, len(self)))))
        return digest.hexdigest()


def with_truth(source: CutoutSource, truth: pd.DataFrame, *, partly: bool = False) -> LabelledCutouts:
    """Join cutouts to their truth by id.

    All cutouts are read once, to find those that are refused. Rows of truth
    without a cutout are left aside.

    Parameters
    ----------
    source : CutoutSource
        The cutouts.
    truth : DataFrame
        At least ``id`` and ``is_lens``, as ``read_truth`` gives it.
    partly : bool
        Whether cutouts without truth are left out, as where people graded some of many.

    Returns
    -------
    LabelledCutouts

    Raises
    ------
    InputError
        If cutouts have no truth (all of them, with ``partly``), or two have the same id, or all are refused.
    """
    ids = pd.Series(source.ids, dtype=object)
    twice = ids[ids.duplicated()]
    if len(twice):
        raise InputError(f"each cutout must have an id of its own to be given truth, got {twice.iloc[0]} twice")
    rows = pd.Index(truth["id"].astype(object)).get_indexer(ids)
    without = ids[rows < 0]
    if len(without) == len(ids) or (len(without) and not partly):
        raise InputError(
            f"each of {len(ids)} cutouts must have a row of truth, {len(without)} have none, "
            f"the first {', '.join(without.head(3))}: complete the table or leave those cutouts out"
        )
    labelled = LabelledCutouts(source, truth.iloc[rows].reset_index(drop=True), wanted=rows >= 0)
    if not len(labelled):
        raise InputError(
            f"all {len(source)} cutouts are refused, the first because {labelled.dropped['reason'].iloc[0]}"
        )
    return labelled


def _refused(source: CutoutSource) -> pd.DataFrame:
    # Indexed by position in the source.
    found = []
    start = 0
    for batch in source.batches(_BATCH):
        for row in np.flatnonzero(batch.refused):
            found.append((start + row, batch.ids[row], batch.paths[row], batch.reasons[row]))
        start += len(batch)
    table = pd.DataFrame(found, columns=["row", "id", "path", "reason"])
    return table.set_index("row")
