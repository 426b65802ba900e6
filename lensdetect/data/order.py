"""What each batch of a training holds: stamps in a seeded order, whatever library carries them to the device."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.network.augmentation import NUM_UNIFORM

#: No stamp is shown so often in an epoch but by mistake.
_MOST_WEIGHT = 1e4


class Stamps(Protocol):
    """A set of stamps, wherever it lies: ``Shards``, ``LabelledCutouts``, or yours.

    The pipeline needs ``truth``, ``shape`` and ``read``; a training also what
    says where the stamps come from.

    Attributes
    ----------
    truth : DataFrame
        One row a stamp, with at least ``is_lens``. A column ``weight`` says how often a
        stamp is shown in an epoch, on average; ``target``, which label from 0 to 1 is
        learned, where it is not ``is_lens``; ``validates``, with which stamps a
        training is validated.
    shape : tuple of int
        Height, width and number of bands.
    manifest : dict
        ``survey``, ``bands``, ``pixel_scale_arcsec`` and, if there is one, ``seed``.
    """

    truth: pd.DataFrame
    shape: tuple[int, int, int]
    manifest: dict[str, Any]

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pixels of some stamps, float32 ``(len(rows), height, width, band)``, a new array."""

    def sha256(self) -> str:
        """Hash of all pixels and truth: two equal hashes are the same stamps."""


class ShuffledBatches:
    """Batches by their number, counted from the first epoch on; the order depends on the seed alone.

    Parameters
    ----------
    stamps : Stamps
        Where pixels and truth come from.
    rows : ndarray of int
        Rows to train on.
    batch_size : int
        Stamps in a batch.
    seed : int
        Of order and random numbers.

    Raises
    ------
    InputError
        If there are fewer rows than one batch, or a weight is no number from 0 on.
    """

    def __init__(self, stamps: Stamps, rows: np.ndarray, *, batch_size: int, seed: int):
        weights = _weights(stamps, rows)
        self.steps = steps_per_epoch(shown_in_epoch(stamps, rows), batch_size)
        self._stamps, self._seed, self._batch_size = stamps, seed, batch_size
        self._labels = stamps.truth["target" if "target" in stamps.truth else "is_lens"].to_numpy(np.float32)
        # Two, because reading ahead runs into the next epoch.
        self._order = lru_cache(maxsize=2)(lambda epoch: _order(rows, weights, seed=[seed, epoch]))

    def read(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Cutouts ``(batch, height, width, band)`` and labels ``(batch, 1)`` of a batch."""
        epoch, batch = divmod(int(number), self.steps)
        chosen = np.sort(self._order(epoch)[batch * self._batch_size : (batch + 1) * self._batch_size])
        return self._stamps.read(chosen), self._labels[chosen][:, None]

    def uniform(self, number: int) -> np.ndarray:
        """All the randomness that ``augment`` takes for a batch, float32 ``(batch, NUM_UNIFORM)``."""
        epoch, batch = divmod(int(number), self.steps)
        rng = np.random.default_rng([self._seed, epoch, batch])
        return rng.random((self._batch_size, NUM_UNIFORM), np.float32)


class OrderedBatches:
    """Batches by their number, each stamp once in the given order; the last batch may be smaller.

    Parameters
    ----------
    stamps : Stamps
        Where pixels and truth come from.
    rows : ndarray of int
        Rows in the wanted order.
    batch_size : int
        Stamps in a batch.
    absent : ndarray of bool, optional
        ``(band,)`` Bands to replace by planes of NaN.
    """

    def __init__(self, stamps: Stamps, rows: np.ndarray, *, batch_size: int, absent: np.ndarray | None = None):
        self.count = -(-len(rows) // batch_size)
        self._stamps, self._rows, self._batch_size, self._absent = stamps, rows, batch_size, absent
        self._labels = stamps.truth["is_lens"].to_numpy(np.float32)

    def read(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Cutouts ``(n, height, width, band)`` and labels ``(n, 1)`` of a batch."""
        chosen = self._rows[int(number) * self._batch_size : (int(number) + 1) * self._batch_size]
        cutouts = self._stamps.read(chosen)
        if self._absent is not None:
            cutouts[..., self._absent] = np.nan
        return cutouts, self._labels[chosen][:, None]


def shown_in_epoch(stamps: Stamps, rows: np.ndarray) -> int:
    """How many stamps an epoch shows: all of the rows once, or each as often as its weight says.

    Parameters
    ----------
    stamps : Stamps
        With a column ``weight`` in its truth, or without.
    rows : ndarray of int
        Rows to train on.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If a weight is no number from 0 on.
    """
    weights = _weights(stamps, rows)
    return len(rows) if weights is None else int(weights.sum())


def _weights(stamps: Stamps, rows: np.ndarray) -> np.ndarray | None:
    if "weight" not in stamps.truth:
        return None
    weights = stamps.truth["weight"].to_numpy(np.float64)[rows]
    wrong = ~((weights >= 0) & (weights < _MOST_WEIGHT))
    if wrong.any():
        raise InputError(f"weights of stamps must be from 0 to {_MOST_WEIGHT:g}, got {weights[wrong][0]}")
    return weights


def _order(rows: np.ndarray, weights: np.ndarray | None, *, seed: list[int]) -> np.ndarray:
    """Rows in the order of an epoch.

    With weights, by systematic sampling: a stamp of weight 2.3 is shown twice or
    three times, each time at another place of the epoch.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(rows) if weights is None else rng.permutation(len(rows))
    if weights is None:
        return order
    ends = np.cumsum(weights[order])
    shown = np.searchsorted(ends, rng.random() + np.arange(int(weights.sum())), side="right")
    return rng.permutation(rows[order[np.minimum(shown, len(order) - 1)]])


def steps_per_epoch(num_rows: int, batch_size: int) -> int:
    """Whole batches in an epoch.

    Parameters
    ----------
    num_rows : int
        Stamps to train on.
    batch_size : int
        Stamps in a batch.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If there are fewer rows than one batch.
    """
    if num_rows < batch_size:
        raise InputError(f"training needs at least one batch of {batch_size} stamps, got {num_rows}: simulate more")
    return num_rows // batch_size
