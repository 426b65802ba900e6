"""The pipeline: stamps on disk to batches on the device, in a seeded order.

Whatever has ``truth`` (a table with ``is_lens``) and ``read(rows)`` can be
streamed: shards and challenge files alike. A few batches are read ahead, so
memory does not grow with the number of stamps. Where Keras runs on TensorFlow
tf.data carries them, elsewhere a ``keras.utils.PyDataset``: the batches are the
same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras
import numpy as np

from lensdetect.data.order import OrderedBatches, ShuffledBatches
from lensdetect.data.order import Stamps as Stamps
from lensdetect.data.order import shown_in_epoch as shown_in_epoch
from lensdetect.data.order import steps_per_epoch as steps_per_epoch
from lensdetect.network.augmentation import Augmentation, augment


def training_batches(
    stamps: Stamps,
    rows: np.ndarray,
    *,
    bands: tuple[str, ...],
    batch_size: int,
    seed: int,
    augmentation: Augmentation | None = None,
    first_epoch: int = 0,
):
    """Endless shuffled batches; every epoch has an order and views of its own.

    Order and views depend on ``seed`` and the epoch alone, so a training that
    resumes at an epoch sees what it would have seen, under any backend of Keras.

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
    tf.data.Dataset or keras.utils.PyDataset
        Of ``(cutouts, is_lens)``: float32 ``(batch, height, width, band)`` and
        ``(batch, 1)``, ``steps_per_epoch`` of them an epoch.

    Raises
    ------
    InputError
        If there are fewer rows than one batch, or the augmentation does not go
        with the stamps.
    """
    shuffled = ShuffledBatches(stamps, rows, batch_size=batch_size, seed=seed)
    first = first_epoch * shuffled.steps
    if augmentation is None:
        return _carrier()(shuffled.read, first=first, shape=(batch_size, *stamps.shape))
    augmentation.check_bands(bands)
    change = partial(augment, augmentation=augmentation, bands=bands)
    return _carrier()(
        shuffled.read, first=first, shape=(batch_size, *stamps.shape), draw=shuffled.uniform, change=change
    )


def evaluation_batches(stamps: Stamps, rows: np.ndarray, *, batch_size: int, absent: np.ndarray | None = None):
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
    tf.data.Dataset or keras.utils.PyDataset
        Of ``(cutouts, is_lens)``, as ``training_batches``.
    """
    ordered = OrderedBatches(stamps, rows, batch_size=batch_size, absent=absent)
    return _carrier()(ordered.read, count=ordered.count, shape=(None, *stamps.shape))


def _carrier() -> Callable:
    """What carries numbered batches to the device under the backend at hand."""
    if keras.config.backend() == "tensorflow":
        from lensdetect.data.tf_batches import carry
    else:
        from lensdetect.data.keras_batches import carry
    return carry
