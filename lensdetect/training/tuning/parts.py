"""What can be turned in each kind of stem, encoder and head.

One function for each part, found by its type; a kind that has none is not tuned.
"""

from __future__ import annotations

import dataclasses
from functools import singledispatch

from lensdetect.network import (
    AttentionPoolHead,
    BottleneckStem,
    ConvStem,
    DetectorSpec,
    EfficientNetStem,
    PreNormEncoder,
    PublishedEncoder,
    PublishedHead,
    ResidualStem,
    ResNetStem,
)
from lensdetect.training.tuning.knobs import DROPOUTS, WIDTH_FACTORS, Knob, choice, field_choice


@singledispatch
def stem_knobs(stem, spec: DetectorSpec) -> tuple[Knob, ...]:
    """What can be turned in the stem of a detector.

    Parameters
    ----------
    stem : Stem
        That of ``spec``.
    spec : DetectorSpec
        What the search starts from.

    Returns
    -------
    tuple of Knob
    """
    return ()


@stem_knobs.register
def _(stem: ResidualStem, spec: DetectorSpec) -> tuple[Knob, ...]:
    first, last = stem.stages[0], stem.stages[-1]
    deep = stem.stages[_deep(stem)]
    return (
        choice("stem_width", WIDTH_FACTORS, default=1.0, turn=_with_stem_width),
        choice("stem_kernel", (3, 5, 7), default=first.kernel, turn=lambda s, v: _with_stage(s, 0, kernel=v)),
        choice(
            "stem_blocks", (0, 1, 2, 3), default=deep.blocks, turn=lambda s, v: _with_stage(s, _deep(stem), blocks=v)
        ),
        # Twice the stride is a quarter of the tokens.
        choice("stem_token_stride", (1, 2), default=last.stride, turn=lambda s, v: _with_stage(s, -1, stride=v)),
    )


@stem_knobs.register
def _(stem: ConvStem, spec: DetectorSpec) -> tuple[Knob, ...]:
    return (choice("stem_width", WIDTH_FACTORS, default=1.0, turn=_with_conv_width),)


@stem_knobs.register
def _(stem: BottleneckStem, spec: DetectorSpec) -> tuple[Knob, ...]:
    return (field_choice("stem", "blocks", (1, 2, 3), spec=spec),)


@stem_knobs.register
def _(stem: ResNetStem, spec: DetectorSpec) -> tuple[Knob, ...]:
    return (field_choice("stem", "blocks", (1, 2, 3), spec=spec),)


@stem_knobs.register
def _(stem: EfficientNetStem, spec: DetectorSpec) -> tuple[Knob, ...]:
    return (field_choice("stem", "version", ("B0", "B1", "B2", "B3"), spec=spec),)


@singledispatch
def encoder_knobs(encoder, spec: DetectorSpec) -> tuple[Knob, ...]:
    """What can be turned in the encoder of a detector; nothing where it has none.

    Parameters
    ----------
    encoder : Encoder or None
        That of ``spec``.
    spec : DetectorSpec
        What the search starts from.

    Returns
    -------
    tuple of Knob
    """
    return ()


@encoder_knobs.register
def _(encoder: PreNormEncoder, spec: DetectorSpec) -> tuple[Knob, ...]:
    knobs = (
        field_choice("encoder", "num_blocks", (1, 2, 3, 4, 6), spec=spec),
        field_choice("encoder", "dropout", DROPOUTS, spec=spec),
    )
    if not isinstance(spec.stem, ResidualStem):
        return (*knobs, field_choice("encoder", "mlp_dim", (64, 128, 256, 512), spec=spec))
    # Heads share the width of the tokens, which the last stage of the stem makes:
    # turned together they fit whatever the search tries.
    width = token_width(spec)
    return (
        *knobs,
        choice("encoder_heads", (1, 2, 3, 4, 6), default=encoder.num_heads, turn=_with_heads),
        choice("encoder_head_dim", (16, 24, 32, 48), default=width // encoder.num_heads, turn=_with_head_dim),
        choice("encoder_mlp_ratio", (1.0, 2.0, 4.0), default=encoder.mlp_dim / width, turn=_with_mlp_ratio),
    )


@encoder_knobs.register
def _(encoder: PublishedEncoder, spec: DetectorSpec) -> tuple[Knob, ...]:
    knobs = (
        field_choice("encoder", "mlp_dim", (64, 128, 256), spec=spec),
        field_choice("encoder", "dropout", DROPOUTS, spec=spec),
    )
    if not encoder.groups:
        return knobs
    return (
        *knobs,
        field_choice("encoder", "num_heads", (1, 2, 4, 8), spec=spec),
        field_choice("encoder", "key_dim", (16, 32, 64, 128), spec=spec),
        field_choice("encoder", "attention_dropout", DROPOUTS, spec=spec),
    )


@singledispatch
def head_knobs(head, spec: DetectorSpec) -> tuple[Knob, ...]:
    """What can be turned in the head of a detector.

    Parameters
    ----------
    head : Head
        That of ``spec``.
    spec : DetectorSpec
        What the search starts from.

    Returns
    -------
    tuple of Knob
    """
    return ()


@head_knobs.register(AttentionPoolHead)
@head_knobs.register(PublishedHead)
def _(head, spec: DetectorSpec) -> tuple[Knob, ...]:
    if not head.units:
        return ()
    return (
        choice("head_width", WIDTH_FACTORS, default=1.0, turn=_with_head_width),
        field_choice("head", "dropout", DROPOUTS, spec=spec),
    )


def token_width(spec: DetectorSpec) -> int:
    """Width of the tokens that a residual stem gives.

    Parameters
    ----------
    spec : DetectorSpec
        With a ``ResidualStem``.

    Returns
    -------
    int
    """
    return spec.stem.stages[-1].filters


def _deep(stem: ResidualStem) -> int:
    """The stage before the last, where residual blocks cost least for what they see."""
    return max(len(stem.stages) - 2, 0)


def _scaled(width: int, factor: float) -> int:
    # In fours, as the positions of tokens need it; a factor of 1 changes nothing.
    return width if factor == 1 else max(4, 4 * round(width * factor / 4))


def _with_stage(spec: DetectorSpec, number: int, **fields) -> DetectorSpec:
    stages = list(spec.stem.stages)
    stages[number] = dataclasses.replace(stages[number], **fields)
    return dataclasses.replace(spec, stem=dataclasses.replace(spec.stem, stages=tuple(stages)))


def _with_stem_width(spec: DetectorSpec, factor: float) -> DetectorSpec:
    """Every stage but the one that makes the tokens, if heads share their width."""
    count = len(spec.stem.stages) - isinstance(spec.encoder, PreNormEncoder)
    for number in range(count):
        spec = _with_stage(spec, number, filters=_scaled(spec.stem.stages[number].filters, factor))
    return spec


def _with_conv_width(spec: DetectorSpec, factor: float) -> DetectorSpec:
    rows = tuple(dataclasses.replace(row, filters=_scaled(row.filters, factor)) for row in spec.stem.rows)
    return dataclasses.replace(spec, stem=dataclasses.replace(spec.stem, rows=rows))


def _with_tokens(spec: DetectorSpec, *, heads: int, head_dim: int) -> DetectorSpec:
    ratio = spec.encoder.mlp_dim / token_width(spec)
    spec = _with_stage(spec, -1, filters=heads * head_dim)
    encoder = dataclasses.replace(spec.encoder, num_heads=heads, mlp_dim=round(ratio * heads * head_dim))
    return dataclasses.replace(spec, encoder=encoder)


def _with_heads(spec: DetectorSpec, heads: int) -> DetectorSpec:
    return _with_tokens(spec, heads=heads, head_dim=token_width(spec) // spec.encoder.num_heads)


def _with_head_dim(spec: DetectorSpec, head_dim: int) -> DetectorSpec:
    return _with_tokens(spec, heads=spec.encoder.num_heads, head_dim=head_dim)


def _with_mlp_ratio(spec: DetectorSpec, ratio: float) -> DetectorSpec:
    encoder = dataclasses.replace(spec.encoder, mlp_dim=round(ratio * token_width(spec)))
    return dataclasses.replace(spec, encoder=encoder)


def _with_head_width(spec: DetectorSpec, factor: float) -> DetectorSpec:
    units = tuple(_scaled(width, factor) for width in spec.head.units)
    return dataclasses.replace(spec, head=dataclasses.replace(spec.head, units=units))
