"""The tf.data pipeline: stamps on disk to batches, in a seeded order.

Whatever has ``truth`` (a table with ``is_lens``) and ``read(rows)`` can be
streamed: shards and challenge files alike. One batch is read at a time, so
memory does not grow with the number of stamps.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import pandas as pd
import tensorflow as tf

from lensdetect.errors import InputError
from lensdetect.network.augmentation import NUM_UNIFORM, Augmentation, augment


class Stamps(Protocol):
    """A set of stamps, wherever it lies: ``Shards``, ``LabelledCutouts``, or yours.

    The pipeline needs ``truth``, ``shape`` and ``read``; a training also what
    says where the stamps come from.

    Attributes
    ----------
    truth : DataFrame
        One row a stamp, with at least ``is_lens``.
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


def training_batches(
    stamps: Stamps,
    rows: np.ndarray,
    *,
    bands: tuple[str, ...],
    batch_size: int,
    seed: int,
    augmentation: Augmentation | None = None,
    first_epoch: int = 0,
) -> tf.data.Dataset:
    """Endless shuffled batches; every epoch has an order and views of its own.

    Order and views depend on ``seed`` and the epoch alone, so a training that
    resumes at an epoch sees what it would have seen.

    Parameters
    ----------
    stamps : Stamps
        Where pixels and truth come from.
    rows : ndarray of int
        Rows to train on. The last, incomplete batch of an epoch is left out;
        the shuffle leaves out others each time.
    bands : tuple of str
        Names of the bands, in order.
    batch_size : int
        Stamps in a batch.
    seed : int
        Of order and augmentation.
    augmentation : Augmentation, optional
        What may happen to a stamp.
    first_epoch : int
        Number of the epoch to begin with.

    Returns
    -------
    tf.data.Dataset
        Of ``(cutouts, is_lens)``: float32 ``(batch, height, width, band)`` and
        ``(batch, 1)``, ``steps_per_epoch`` of them an epoch.

    Raises
    ------
    InputError
        If there are fewer rows than one batch, or the augmentation does not go
        with the stamps.
    """
    steps = steps_per_epoch(len(rows), batch_size)
    if augmentation is not None:
        augmentation.check_bands(bands)
    labels = stamps.truth["is_lens"].to_numpy(np.float32)

    # Two, because reading ahead runs into the next epoch.
    @lru_cache(maxsize=2)
    def order(epoch: int) -> np.ndarray:
        return np.random.default_rng([seed, epoch]).permutation(rows)

    def read(step: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        epoch, batch = divmod(int(step), steps)
        chosen = np.sort(order(epoch)[batch * batch_size : (batch + 1) * batch_size])
        uniform = np.random.default_rng([seed, epoch, batch]).random((batch_size, NUM_UNIFORM), np.float32)
        return stamps.read(chosen), labels[chosen][:, None], uniform

    def load(step):
        cutouts, is_lens, uniform = tf.numpy_function(read, [step], (tf.float32,) * 3)
        cutouts.set_shape((batch_size, *stamps.shape))
        is_lens.set_shape((batch_size, 1))
        uniform.set_shape((batch_size, NUM_UNIFORM))
        if augmentation is not None:
            cutouts = augment(cutouts, uniform, augmentation=augmentation, bands=bands)
        return cutouts, is_lens

    first = first_epoch * steps
    dataset = tf.data.Dataset.range(first, np.iinfo(np.int64).max)
    # Two calls at once keep the order (deterministic) and hide the disk.
    return dataset.map(load, num_parallel_calls=2, deterministic=True).prefetch(2)


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


def evaluation_batches(
    stamps: Stamps, rows: np.ndarray, *, batch_size: int, absent: np.ndarray | None = None
) -> tf.data.Dataset:
    """Stamps in the given order, each once; the last batch may be smaller.

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

    Returns
    -------
    tf.data.Dataset
        Of ``(cutouts, is_lens)``, as ``training_batches``.
    """
    labels = stamps.truth["is_lens"].to_numpy(np.float32)

    def read(start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        chosen = rows[int(start) : int(start) + batch_size]
        cutouts = stamps.read(chosen)
        if absent is not None:
            cutouts[..., absent] = np.nan
        return cutouts, labels[chosen][:, None]

    def load(start):
        cutouts, is_lens = tf.numpy_function(read, [start], (tf.float32, tf.float32))
        cutouts.set_shape((None, *stamps.shape))
        is_lens.set_shape((None, 1))
        return cutouts, is_lens

    dataset = tf.data.Dataset.range(0, len(rows), batch_size)
    return dataset.map(load, num_parallel_calls=2, deterministic=True).prefetch(2)
