"""Batches to the device by ``keras.utils.PyDataset``, where Keras does not run on TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import keras

from lensdetect.data.device import compiled

#: Batches that are made while the device is busy with the one before them.
_AHEAD = 3
_THREADS = 2


class NumberedBatches(keras.utils.PyDataset):
    """Batches by their number, some of them made ahead by threads of its own.

    Those of ``PyDataset`` begin anew with every epoch, and lose batches when
    Keras looks at the first one to build the model: the order would be another.

    Parameters
    ----------
    make : callable
        From the number of a batch to ``(cutouts, is_lens)``; called in threads.
    first : int
        Number of the first batch.
    count : int or None
        How many; None is without end.

    Attributes
    ----------
    waited_s : float
        Time that was spent waiting for a batch, since it was made.
    """

    def __init__(self, make: Callable, *, first: int, count: int | None):
        super().__init__(workers=1)
        self.waited_s = 0.0
        self._make, self._first, self._count = make, first, count
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="batches")
        self._begun: dict[int, Future] = {}

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None is without end."""
        return self._count

    def __getitem__(self, index: int):
        """Batch of a number, counted from the first."""
        if self._count is not None and not 0 <= index < self._count:
            raise IndexError(f"there are {self._count} batches, got index {index}")
        wanted = range(index, index + 1 + _AHEAD if self._count is None else min(index + 1 + _AHEAD, self._count))
        for left_over in self._begun.keys() - set(wanted):
            self._begun.pop(left_over).cancel()
        for number in wanted:
            if number not in self._begun:
                self._begun[number] = self._pool.submit(self._make, self._first + number)
        began = time.perf_counter()
        batch = self._begun.pop(index).result()
        self.waited_s += time.perf_counter() - began
        return batch


def carry(
    read: Callable,
    *,
    shape: tuple[int | None, ...],
    first: int = 0,
    count: int | None = None,
    draw: Callable | None = None,
    change: Callable | None = None,
) -> NumberedBatches:
    """Numbered batches, read ahead and changed on the device.

    Parameters
    ----------
    read, shape, first, count, draw, change
        As ``tf_batches.carry`` takes them; the shape is that of what is read.

    Returns
    -------
    NumberedBatches
    """
    if change is None:
        return NumberedBatches(read, first=first, count=count)
    changed = compiled(change)

    def make(number: int):
        cutouts, is_lens = read(number)
        return changed(cutouts, draw(number)), is_lens

    return NumberedBatches(make, first=first, count=count)
