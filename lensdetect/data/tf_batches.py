"""Batches to the device by tf.data, where Keras runs on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from lensdetect.network.augmentation import NUM_UNIFORM


def carry(
    read: Callable,
    *,
    shape: tuple[int | None, ...],
    first: int = 0,
    count: int | None = None,
    draw: Callable | None = None,
    change: Callable | None = None,
) -> tf.data.Dataset:
    """Numbered batches, read ahead and changed in the graph.

    Parameters
    ----------
    read : callable
        From the number of a batch to ``(cutouts, is_lens)``.
    shape : tuple of int or None
        Of the cutouts; None for a batch of any length.
    first : int
        Number of the first batch.
    count : int, optional
        How many; without end by default.
    draw : callable, optional
        From the number of a batch to the uniform random numbers of ``change``.
    change : callable, optional
        ``augment``, from cutouts and those numbers to cutouts.

    Returns
    -------
    tf.data.Dataset
    """

    def read_all(number: np.ndarray) -> tuple[np.ndarray, ...]:
        return (*read(number), np.zeros((0, NUM_UNIFORM), np.float32) if draw is None else draw(number))

    def load(number):
        cutouts, is_lens, uniform = tf.numpy_function(read_all, [number], (tf.float32,) * 3)
        cutouts.set_shape(shape)
        is_lens.set_shape((shape[0], 1))
        uniform.set_shape((shape[0], NUM_UNIFORM))
        return cutouts if change is None else change(cutouts, uniform), is_lens

    last = np.iinfo(np.int64).max if count is None else first + count
    # Two calls at once keep the order (deterministic) and hide the disk.
    return tf.data.Dataset.range(first, last).map(load, num_parallel_calls=2, deterministic=True).prefetch(2)
