"""Convolutions that commute with the eight turns and mirrors of an image.

Features come in eight views: those of view ``h`` answer to the image as turned
back by ``h``. A turned image then gives turned features with the views swapped,
so that the mean over the views is the same for all eight (Cohen & Welling 2016,
arXiv 1602.07576). The weights are those of one view.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

#: Turns by 90 degrees, without and with a mirror.
NUM_VIEWS = 8


def turn(images, view: int):
    """One of the eight views of images, or of kernels.

    Parameters
    ----------
    images : array or tensor
        ``(size, size, ...)``: the first two axes are turned.
    view : int
        0 to 7; from 4 on with a mirror before the turns.

    Returns
    -------
    array or tensor
        Of the same shape.
    """
    mirrored = ops.flip(images, axis=1) if view >= 4 else images
    return ops.rot90(mirrored, k=view % 4, axes=(0, 1))


def _relative_views() -> np.ndarray:
    """``(8, 8)``: which view ``k`` is, as seen from view ``h``."""
    probe = np.arange(9).reshape(3, 3)
    turned = [np.rot90(probe[:, ::-1] if view >= 4 else probe, view % 4) for view in range(NUM_VIEWS)]
    table = np.zeros((NUM_VIEWS, NUM_VIEWS), int)
    for h in range(NUM_VIEWS):
        for j, image in enumerate(turned):
            after = np.rot90(image[:, ::-1] if h >= 4 else image, h % 4)
            table[h, next(k for k, other in enumerate(turned) if np.array_equal(after, other))] = j
    return table


#: Row h, column k: the view j for which a turn by j and then by h is one by k.
RELATIVE_VIEWS = _relative_views()


@keras.saving.register_keras_serializable(package="lensdetect")
class DihedralConv2D(keras.layers.Layer):
    """Unpadded convolution of an image, or of features in eight views, into eight views.

    Parameters
    ----------
    filters : int
        Features of one view of the output.
    kernel_size : int
        Side of the kernel in pixels.
    activation : str, callable or None
        As Keras's layers take it.
    kernel_initializer : str
        As Keras's layers take it.
    from_image : bool
        Whether the input is an image and not features in eight views.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(
        self, filters, kernel_size, activation=None, kernel_initializer="lecun_normal", from_image=False, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.from_image = from_image

    def build(self, shape):
        """Make the weights of one view."""
        size = (self.kernel_size, self.kernel_size)
        self.kernel = self.add_weight(
            shape=(*size, shape[-1], self.filters), initializer=self.kernel_initializer, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, features):
        """Convolve ``(n, height, width, feature)`` into ``(n, rows, columns, 8 * filters)``."""
        kernel = ops.concatenate([self._kernel_of_view(view) for view in range(NUM_VIEWS)], axis=-1)
        return self.activation(ops.conv(features, kernel, padding="valid") + ops.tile(self.bias, NUM_VIEWS))

    def _kernel_of_view(self, view: int):
        kernel = ops.convert_to_tensor(self.kernel)
        if not self.from_image:
            parts = ops.split(kernel, NUM_VIEWS, axis=2)
            kernel = ops.concatenate([parts[part] for part in RELATIVE_VIEWS[view]], axis=2)
        return turn(kernel, view) if self.kernel_size > 1 else kernel

    def compute_output_shape(self, shape):
        """Shape of the output, from that of the input."""
        sides = [None if side is None else side - self.kernel_size + 1 for side in shape[1:3]]
        return (shape[0], *sides, NUM_VIEWS * self.filters)

    def get_config(self):
        """Arguments that rebuild this layer."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "from_image": self.from_image,
        }


@keras.saving.register_keras_serializable(package="lensdetect")
class TrainedScale(keras.layers.Layer):
    """A trained factor and offset for each feature.

    The first values keep the mean and the variance of the maximum of four
    standard normal numbers, as a trained pooling of LASTRO EPFL starts.

    Parameters
    ----------
    views : int
        Features of so many views share their factor and offset.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(self, views=1, **kwargs):
        super().__init__(**kwargs)
        self.views = views

    def build(self, shape):
        """Make the weights of one view."""
        num = shape[-1] // self.views
        self.factor = self.add_weight(shape=(num,), initializer=keras.initializers.Constant(0.83), name="factor")
        self.offset = self.add_weight(shape=(num,), initializer=keras.initializers.Constant(-0.92), name="offset")

    def call(self, features):
        """Scale ``(..., feature)``."""
        return features * ops.tile(self.factor, self.views) + ops.tile(self.offset, self.views)

    def get_config(self):
        """Arguments that rebuild this layer."""
        return {**super().get_config(), "views": self.views}


def normalise_views(features, *, name: str):
    """Batch normalisation that the eight views share.

    Parameters
    ----------
    features : KerasTensor
        ``(n, rows, columns, 8 * feature)``.
    name : str
        Of the layer; of those around it, the beginning.

    Returns
    -------
    KerasTensor
        Of the same shape.
    """
    rows, columns, width = features.shape[1:]
    apart = keras.layers.Reshape((rows, columns, NUM_VIEWS, width // NUM_VIEWS), name=f"{name}_views")(features)
    normal = keras.layers.BatchNormalization(name=name)(apart)
    return keras.layers.Reshape((rows, columns, width), name=f"{name}_together")(normal)
