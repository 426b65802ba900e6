"""Stamps in the memory of the device: where the whole set fits, no batch has to travel."""

from __future__ import annotations

import logging

import keras
import numpy as np
from keras import ops

from lensdetect.data.device import free_memory
from lensdetect.data.order import Stamps

logger = logging.getLogger(__name__)

#: Share of the free memory that pixels may take; while they are put together they are there twice.
_SHARE = 0.4
_CHUNK = 1024


class ResidentStamps:
    """Stamps whose pixels are on the device, and are read from there.

    Parameters
    ----------
    stamps : Stamps
        Read once, all of them.

    Attributes
    ----------
    truth : DataFrame
        One row a stamp.
    shape : tuple of int
        Height, width and number of bands.
    """

    def __init__(self, stamps: Stamps):
        self.truth, self.shape, self.manifest, self.sha256 = stamps.truth, stamps.shape, stamps.manifest, stamps.sha256
        rows = np.arange(len(stamps.truth))
        chunks = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
        self._pixels = ops.concatenate([ops.convert_to_tensor(stamps.read(chunk)) for chunk in chunks])

    def read(self, rows: np.ndarray):
        """Pixels of some stamps, a tensor ``(len(rows), height, width, band)`` on the device."""
        return ops.take(self._pixels, ops.convert_to_tensor(np.asarray(rows, np.int32)), axis=0)


def near_device(stamps: Stamps) -> Stamps:
    """The same stamps, in the memory of the GPU if there is one that has room for them.

    Under TensorFlow they stay where they are: tf.data reads ahead well enough.

    Parameters
    ----------
    stamps : Stamps
        On disk, most often.

    Returns
    -------
    Stamps
    """
    needed = len(stamps.truth) * int(np.prod(stamps.shape)) * 4
    if keras.config.backend() == "tensorflow" or needed > _SHARE * free_memory():
        return stamps
    logger.info("all %d stamps go to the memory of the device: %.1f GB", len(stamps.truth), needed / 1e9)
    return ResidentStamps(stamps)
