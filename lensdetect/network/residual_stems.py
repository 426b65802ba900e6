"""Stems of known residual networks: bottlenecks, ResNet, EfficientNet."""

from __future__ import annotations

import keras
from keras import layers

from lensdetect.network.spec import BottleneckStem, EfficientNetStem, ResNetStem
from lensdetect.network.stems import build_stem, convolve, normalise, with_bad_pixels


@build_stem.register
def _(spec: BottleneckStem, images, *, bad=None, prefix: str = "stem"):
    x = with_bad_pixels(images, bad, prefix=prefix)
    x = _convolve_elu(x, spec.first_filters, kernel=spec.first_kernel, stride=1, name=f"{prefix}_conv")
    for stage, width in enumerate(spec.widths, start=1):
        for block in range(1, spec.blocks + 1):
            first = block == 1
            x = _bottleneck(
                x,
                width,
                stride=2 if first and stage > 1 else 1,
                activated=first and stage == 1,
                name=f"{prefix}_stage_{stage}_block_{block}",
            )
    return x


def _bottleneck(x, width: int, *, stride: int, activated: bool, name: str):
    """Pre-activated block: 1 x 1, 3 x 3, and 1 x 1 into twice the width."""
    features = 2 * width
    y = x
    if not activated:
        y = layers.BatchNormalization(name=f"{name}_norm")(x)
        y = layers.Activation("elu", name=f"{name}_elu")(y)
    shortcut = x
    if stride > 1 or x.shape[-1] != features:
        shortcut = _project(y, features, stride=stride, name=f"{name}_shortcut")
    y = _convolve_elu(y, width, kernel=1, stride=stride, name=f"{name}_conv_1")
    y = _convolve_elu(y, width, kernel=3, stride=1, name=f"{name}_conv_2")
    y = _project(y, features, stride=1, name=f"{name}_conv_3")
    return layers.Add(name=f"{name}_add")([shortcut, y])


def _convolve_elu(x, filters: int, *, kernel: int, stride: int, name: str):
    y = convolve(x, filters, kernel=kernel, stride=stride, name=name)
    y = layers.BatchNormalization(name=f"{name}_norm")(y)
    return layers.Activation("elu", name=f"{name}_elu")(y)


def _project(x, filters: int, *, stride: int, name: str):
    return layers.Conv2D(filters, 1, strides=stride, padding="same", kernel_initializer="he_normal", name=name)(x)


@build_stem.register
def _(spec: ResNetStem, images, *, bad=None, prefix: str = "stem"):
    x = with_bad_pixels(images, bad, prefix=prefix)
    x = convolve(x, spec.filters[0], kernel=7, stride=2, name=f"{prefix}_conv")
    x = layers.ReLU(name=f"{prefix}_relu")(normalise(x, name=f"{prefix}_norm"))
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{prefix}_pool")(x)
    for stage, filters in enumerate(spec.filters, start=1):
        for block in range(1, spec.blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            x = _basic_block(x, filters, stride=stride, name=f"{prefix}_stage_{stage}_block_{block}")
    return x


def _basic_block(x, filters: int, *, stride: int, name: str):
    """Two 3 x 3 convolutions and a skip, projected where the shape changes."""
    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = convolve(x, filters, kernel=1, stride=stride, name=f"{name}_shortcut")
        shortcut = normalise(shortcut, name=f"{name}_shortcut_norm")
    y = convolve(x, filters, kernel=3, stride=stride, name=f"{name}_conv_1")
    y = layers.ReLU(name=f"{name}_relu_1")(normalise(y, name=f"{name}_norm_1"))
    y = convolve(y, filters, kernel=3, stride=1, name=f"{name}_conv_2")
    y = layers.Add(name=f"{name}_add")([shortcut, normalise(y, name=f"{name}_norm_2")])
    return layers.ReLU(name=f"{name}_relu_2")(y)


@build_stem.register
def _(spec: EfficientNetStem, images, *, bad=None, prefix: str = "stem"):
    x = with_bad_pixels(images, bad, prefix=prefix)
    make = getattr(keras.applications, f"EfficientNet{spec.version}")
    # An input tensor and no input shape: Keras warns of shapes that are no photograph's.
    original = make(include_top=False, weights=None, input_tensor=keras.Input(x.shape[1:]))
    return _copy_layers(original, x, prefix=prefix)


def _copy_layers(original: keras.Model, x, *, prefix: str):
    """Apply fresh layers, wired as those of a model and named by where they belong."""
    copies = {id(original.inputs[0]): x}
    for layer in original.layers[1:]:
        taken = layer.input
        inputs = [copies[id(each)] for each in taken] if isinstance(taken, list) else copies[id(taken)]
        copies[id(layer.output)] = _copy_layer(layer, name=f"{prefix}_{layer.name}")(inputs)
    return copies[id(original.outputs[0])]


def _copy_layer(layer, *, name: str):
    # These two scale photographs of 0 to 255; the front has done its own.
    if isinstance(layer, (layers.Rescaling, layers.Normalization)):
        return layers.Identity(name=name)
    return type(layer).from_config({**layer.get_config(), "name": name})
