"""Augmentation: a pure function of a batch and of uniform random numbers.

It is no layer, so nothing random travels into an exported detector, and it is
``keras.ops`` alone, so it runs in a tf.data pipeline and under JAX alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from keras import ops

from lensdetect.errors import InputError

#: Random numbers that ``augment`` takes for one cutout.
NUM_UNIFORM = 4


@dataclass(frozen=True)
class Augmentation:
    """What may happen to a training cutout.

    Parameters
    ----------
    dihedral : bool
        Whether to take one of the eight views (four turns, with and without a
        mirror), each equally likely.
    max_shift_pix : int
        Largest shift of the centre in x and in y, in whole pixels; uncovered
        edges become NaN. Whole pixels, because interpolation would smooth the
        noise.
    band_sets : tuple of (tuple of str, float)
        Sets of bands that are kept, with the probability of each; the other
        bands become NaN. What is left of the probability keeps all bands.
    """

    dihedral: bool = True
    max_shift_pix: int = 5
    band_sets: tuple[tuple[tuple[str, ...], float], ...] = ()

    def __post_init__(self):
        """Check the numbers."""
        probabilities = [probability for _, probability in self.band_sets]
        # Tenths do not sum to 1 to the last bit.
        if any(not probability >= 0 for probability in probabilities) or not sum(probabilities) <= 1 + 1e-9:
            raise InputError(f"the probabilities of band_sets must be >= 0 and sum to at most 1, got {probabilities}")
        if not all(names for names, _ in self.band_sets):
            raise InputError("each of band_sets must keep a band, got one that keeps none")
        if self.max_shift_pix != int(self.max_shift_pix) or self.max_shift_pix < 0:
            raise InputError(f"max_shift_pix must be a whole number >= 0, got {self.max_shift_pix}")

    def check_bands(self, bands: tuple[str, ...]) -> None:
        """Check that stamps with these bands can be thinned out.

        Parameters
        ----------
        bands : tuple of str
            Of the stamps.

        Raises
        ------
        InputError
            If a band set names another band.
        """
        foreign = sorted({name for names, _ in self.band_sets for name in names} - set(bands))
        if foreign:
            raise InputError(
                f"band_sets must name bands of the stamps ({', '.join(bands)}), got {', '.join(foreign)} beside them: "
                "give the augmentation other band_sets"
            )


def augment(cutouts, uniform, *, augmentation: Augmentation, bands: tuple[str, ...]):
    """Turn, mirror, shift and thin out a batch of square cutouts.

    Parameters
    ----------
    cutouts : tensor
        float32 ``(n, size, size, band)``; bad pixels are NaN.
    uniform : tensor
        ``(n, NUM_UNIFORM)`` in [0, 1): all the randomness there is.
    augmentation : Augmentation
        What may happen.
    bands : tuple of str
        Names of the bands, in order.

    Returns
    -------
    tensor
        Of the same shape; every value is one of the input's, or NaN.

    Raises
    ------
    InputError
        If the cutouts are not square, or a band set names a band they lack.
    """
    augmentation.check_bands(bands)
    if cutouts.shape[1] != cutouts.shape[2]:
        raise InputError(f"cutouts must be square to be turned, got {cutouts.shape[1]} x {cutouts.shape[2]} pixels")
    cutouts, uniform = ops.convert_to_tensor(cutouts), ops.convert_to_tensor(uniform)
    view = ops.cast(uniform[:, 0] * 8, "int32") if augmentation.dihedral else ops.zeros_like(uniform[:, 0], "int32")
    span = 2 * augmentation.max_shift_pix + 1
    shift = ops.cast(uniform[:, 1:3] * span, "int32") - augmentation.max_shift_pix
    moved = _gather_views(cutouts, view, shift)
    if not augmentation.band_sets:
        return moved
    kept = _kept_bands(uniform[:, 3], augmentation.band_sets, bands)
    return ops.where(kept[:, None, None, :], moved, np.float32(np.nan))


def _gather_views(cutouts, view, shift):
    """Apply view and shift with one gather over all pixels of the batch."""
    size = cutouts.shape[1]
    num = ops.shape(cutouts)[0]
    place = ops.arange(size, dtype="int32")
    row = place[None, :, None] + shift[:, 0, None, None]
    column = place[None, None, :] + shift[:, 1, None, None]
    row, column = row + ops.zeros_like(column), column + ops.zeros_like(row)
    inside = (row >= 0) & (row < size) & (column >= 0) & (column < size)
    bit = [ops.cast(view // 2**power % 2, "bool")[:, None, None] for power in range(3)]
    row = ops.where(bit[0], size - 1 - row, row)
    column = ops.where(bit[1], size - 1 - column, column)
    row, column = ops.where(bit[2], column, row), ops.where(bit[2], row, column)
    pixel = ops.where(inside, row * size + column, 0)
    flat = pixel + (ops.arange(num, dtype="int32") * size * size)[:, None, None]
    taken = ops.take(ops.reshape(cutouts, (-1, cutouts.shape[-1])), flat, axis=0)
    return ops.where(inside[..., None], taken, np.float32(np.nan))


def _kept_bands(uniform, band_sets, bands):
    """Boolean ``(n, band)``: which bands each cutout keeps."""
    rows = [[name in kept for name in bands] for kept, _ in band_sets] + [[True] * len(bands)]
    edges = ops.convert_to_tensor(np.cumsum([probability for _, probability in band_sets]).astype(np.float32))
    choice = ops.sum(ops.cast(uniform[:, None] >= edges, "int32"), axis=1)
    return ops.take(np.asarray(rows), choice, axis=0)
