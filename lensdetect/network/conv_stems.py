"""Plain stacks of convolutions, as the published systems before 2022 were built."""

from __future__ import annotations

import math

from keras import layers, regularizers

from lensdetect.errors import InputError
from lensdetect.network.activations import get_activation
from lensdetect.network.dihedral import NUM_VIEWS, DihedralConv2D, TrainedScale, normalise_views
from lensdetect.network.spec import ConvRow, ConvStem
from lensdetect.network.stems import build_stem, with_bad_pixels


@build_stem.register
def _(spec: ConvStem, images, *, bad=None, prefix: str = "stem"):
    smallest = smallest_size(spec)
    if min(images.shape[1:3]) < smallest:
        raise InputError(f"this ConvStem needs cutouts of at least {smallest} pixels, got {images.shape[1]}")
    x = with_bad_pixels(images, bad, prefix=prefix)
    if spec.crop_pix:
        x = _crop_to(x, spec.crop_pix, name=f"{prefix}_crop")
    for number, row in enumerate(spec.rows, start=1):
        x = _build_row(x, row, spec, name=f"{prefix}_conv_{number}", from_image=number == 1)
    return x


def _build_row(x, row: ConvRow, spec: ConvStem, *, name: str, from_image: bool):
    before = x
    for number in range(1, row.convolutions + 1):
        # The sum with the skip comes before the last activation.
        linear = row.skip and number == row.convolutions
        own_name = name if row.convolutions == 1 else f"{name}_{number}"
        x = _convolve(x, row, spec, name=own_name, linear=linear, from_image=from_image and number == 1)
    if row.skip:
        x = _add_skip(before, x, spec, name=name)
    if row.pool:
        x = _pool(x, spec, name=f"{name}_pool")
    if row.batch_norm:
        normalise = normalise_views if spec.dihedral else _normalise
        x = normalise(x, name=f"{name}_norm")
    return layers.Dropout(row.dropout, name=f"{name}_dropout")(x) if row.dropout else x


def _convolve(x, row: ConvRow, spec: ConvStem, *, name: str, linear: bool, from_image: bool):
    activation = None if linear else get_activation(spec.activation)
    if spec.dihedral:
        layer = DihedralConv2D(row.filters, row.kernel, activation, spec.initializer, from_image, name=name)
    else:
        layer = layers.Conv2D(
            row.filters,
            row.kernel,
            padding=row.padding,
            activation=activation,
            kernel_initializer=spec.initializer,
            kernel_regularizer=regularizers.L2(spec.l2) if spec.l2 else None,
            name=name,
        )
    return layer(x)


def _normalise(x, *, name: str):
    return layers.BatchNormalization(name=name)(x)


def _pool(x, spec: ConvStem, *, name: str):
    if spec.dihedral and x.shape[1] % 2:
        raise InputError(
            "a dihedral ConvStem must halve grids of an even size, or a turn changes the logit; "
            f"got {x.shape[1]} cells at {name}: take another size of cutout (101 fits the published one)"
        )
    x = layers.MaxPooling2D(2, name=name)(x)
    if not spec.trained_pool:
        return x
    return TrainedScale(NUM_VIEWS if spec.dihedral else 1, name=f"{name}_scale")(x)


def _add_skip(before, after, spec: ConvStem, *, name: str):
    """Sum of the input, cut to size, and the output, of unit variance if both have it."""
    shortcut = _crop_to(before, after.shape[1], name=f"{name}_cut")
    if before.shape[-1] != after.shape[-1]:
        shortcut = layers.Conv2D(after.shape[-1], 1, kernel_initializer=spec.initializer, name=f"{name}_shortcut")(
            shortcut
        )
    total = layers.Add(name=f"{name}_sum")([shortcut, after])
    total = layers.Rescaling(math.sqrt(0.5), name=f"{name}_half")(total)
    return layers.Activation(get_activation(spec.activation), name=f"{name}_activation")(total)


def _crop_to(x, size: int, *, name: str):
    cut = x.shape[1] - size
    sides = (cut // 2, cut - cut // 2)
    return layers.Cropping2D((sides, sides), name=name)(x) if cut else x


def smallest_size(spec: ConvStem) -> int:
    """Height of the smallest image of which a ``ConvStem`` leaves one cell.

    Parameters
    ----------
    spec : ConvStem
        Which stem.

    Returns
    -------
    int
        In pixels.
    """
    size = 1
    for row in reversed(spec.rows):
        lost = (row.kernel - 1) * row.convolutions if row.padding == "valid" else 0
        size = size * (2 if row.pool else 1) + lost
    return max(size, spec.crop_pix or 0)
