"""Our own detectors, from small to large, and a tiny one for tests."""

from __future__ import annotations

from lensdetect.network.spec import (
    AsinhFront,
    AttentionPoolHead,
    DetectorSpec,
    MeasuredFront,
    PreNormEncoder,
    ResidualStem,
    Stage,
)
from lensdetect.network.zoo.row import System

_READING = "Ours, whole. Accuracy per operation on a CPU."

_FRONT = AsinhFront()


def _arcformer(
    size: str,
    stem: ResidualStem,
    encoder: PreNormEncoder,
    *,
    units: int,
    parameters: int,
    front: AsinhFront | MeasuredFront = _FRONT,
) -> System:
    dropout = encoder.dropout and 0.2
    return System(
        name=f"arcformer_{size}",
        group="ours",
        source="this project",
        structure=(
            f"{sum(1 + 2 * stage.blocks for stage in stem.stages)} conv in {len(stem.stages)} stages, "
            f"{encoder.num_blocks} pre-norm blocks of {encoder.num_heads} heads"
        ),
        spec=DetectorSpec(stem, encoder, AttentionPoolHead((units,), dropout=dropout), front),
        parameters=parameters,
        reading=_READING,
    )


_SMALL = {
    "stem": ResidualStem((Stage(16, kernel=5), Stage(32), Stage(64, blocks=1), Stage(96))),
    "encoder": PreNormEncoder(num_blocks=3, num_heads=3, mlp_dim=192, dropout=0.1),
    "units": 128,
    "parameters": 392_257,
}

# The PSF spans 3 to 5 pixels, so a stride of 2 at once loses little and saves
# three quarters of the work; a fourth stage leaves 7 x 7 tokens, since a CPU
# pays for attention over many tokens more than for convolutions.
OURS: tuple[System, ...] = (
    _arcformer(
        "tiny",
        ResidualStem((Stage(8, kernel=5), Stage(16), Stage(32, blocks=1), Stage(64))),
        PreNormEncoder(num_blocks=2, num_heads=2, mlp_dim=128, dropout=0.1),
        units=64,
        parameters=115_553,
    ),
    _arcformer("small", **_SMALL),
    # The same for any survey: what the front scales by is measured in the cutout.
    _arcformer("small_measured", **_SMALL, front=MeasuredFront()),
    # And all bands by one scale, which keeps the colours, and each plane once more without the light of
    # the galaxy in the middle, which shows what is near it; what both bring is in benchmarks/ablation.md.
    _arcformer(
        "small_subtracted",
        **_SMALL | {"parameters": 393_857},
        front=MeasuredFront(subtract_light=True, keep_colour=True),
    ),
    _arcformer(
        "medium",
        ResidualStem((Stage(24, kernel=5), Stage(48), Stage(96, blocks=2), Stage(160))),
        PreNormEncoder(num_blocks=4, num_heads=5, mlp_dim=320, dropout=0.1),
        units=160,
        parameters=1_379_841,
    ),
    _arcformer(
        "test",
        ResidualStem((Stage(8, kernel=5, stride=4), Stage(16, stride=4, blocks=1))),
        PreNormEncoder(num_blocks=1, num_heads=2, mlp_dim=16, dropout=0.0),
        units=8,
        parameters=8_705,
    ),
)
