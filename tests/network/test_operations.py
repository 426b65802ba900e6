"""Multiply-adds of small networks against a count by hand."""

from __future__ import annotations

import keras
import pytest

from lensdetect.errors import InputError
from lensdetect.network import (
    AttentionPoolHead,
    BottleneckStem,
    ConvRow,
    ConvStem,
    DenseRow,
    DetectorSpec,
    DihedralHead,
    FlattenHead,
    PreNormEncoder,
    PublishedEncoder,
    PublishedFront,
    PublishedHead,
    ResidualStem,
    Stage,
    StandardFront,
    build_detector,
    operations,
)


def count(spec: DetectorSpec, *, bands=("g", "r"), size: int) -> int:
    return operations(build_detector(spec, bands, size=size))


def test_convolutions_and_dense_layers():
    # 8 pixels: 5 after the first row, 2 after its maximum, 1 after the second.
    stem = ConvStem((ConvRow(3, kernel=4, pool=True), ConvRow(5, kernel=2)))
    spec = DetectorSpec(stem, None, FlattenHead((DenseRow(7),)), PublishedFront())
    by_hand = 5 * 5 * (4 * 4 * 2) * 3 + 1 * (2 * 2 * 3) * 5 + 5 * 7 + 7
    assert count(spec, size=8) == by_hand


def test_published_encoder():
    # 6 x 6 cells of 4 features are 36 tokens; two heads of 3 for each of three attentions.
    spec = DetectorSpec(
        ConvStem((ConvRow(4, kernel=3),)),
        PublishedEncoder((2, 1), num_heads=2, key_dim=3, mlp_dim=5),
        PublishedHead((6,)),
        PublishedFront(),
    )
    attention = 36 * 4 * (4 * 2 * 3) + 2 * (36 * 36 * 2 * 3)
    by_hand = 36 * (3 * 3 * 2) * 4 + 3 * attention + 36 * (4 * 5 + 5 * 4) + 4 * 6 + 6
    assert count(spec, size=8) == by_hand


def test_our_parts():
    # Stride 4 makes 2 x 2 cells of 8 features.
    spec = DetectorSpec(
        ResidualStem((Stage(8, kernel=5, stride=4, blocks=1),)), PreNormEncoder(1, 2, 16), AttentionPoolHead((3,))
    )
    stem = 4 * (5 * 5 * 2 * 8 + 2 * 8 + 2 * (3 * 3 * 8 * 8))
    encoder = 4 * 4 * 8 * 8 + 2 * (4 * 4 * 8) + 4 * 2 * (8 * 16)
    head = 4 * 8 + 4 * 8 + 8 * 3 + 3
    assert count(spec, size=8) == stem + encoder + head


def test_bottlenecks():
    # The second stage halves 4 x 4 cells to 2 x 2, and its shortcut too.
    spec = DetectorSpec(BottleneckStem(4, 3, (2, 3), blocks=1), None, PublishedHead(()), PublishedFront())
    first = 16 * (9 * 2 * 4) + 16 * (4 * 2 + 9 * 2 * 2 + 2 * 4)
    second = 4 * (4 * 3 + 9 * 3 * 3 + 3 * 6 + 4 * 6)
    assert count(spec, size=4) == first + second + 6


def test_one_kernel_in_eight_views_counts_eight_times():
    spec = DetectorSpec(
        ConvStem((ConvRow(2, kernel=3), ConvRow(3, kernel=4)), dihedral=True),
        None,
        DihedralHead((DenseRow(5),)),
        StandardFront(),
    )
    by_hand = 8 * (16 * (9 * 2) * 2 + (16 * 16) * 3 + 24 * 5) + 5
    assert count(spec, size=6) == by_hand


def test_depthwise_convolution():
    image = keras.Input((6, 6, 3))
    model = keras.Model(image, keras.layers.DepthwiseConv2D(3, depth_multiplier=2)(image))
    assert operations(model) == 16 * 9 * 3 * 2


def test_what_cannot_be_counted_is_said():
    tokens = keras.Input((6, 3))
    with pytest.raises(InputError, match="operations can be counted of convolutions, .* got <LSTM"):
        operations(keras.Model(tokens, keras.layers.LSTM(4)(tokens)))
