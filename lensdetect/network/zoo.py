"""The zoo: every named detector is one row of one table."""

from __future__ import annotations

from lensdetect.network.spec import (
    AsinhFront,
    AttentionPoolHead,
    ConvRow,
    ConvStem,
    DetectorSpec,
    PreNormEncoder,
    PublishedEncoder,
    PublishedFront,
    PublishedHead,
    ResidualStem,
    Stage,
)

# The eight-convolution stack of Thuruthipilly+ 2022 (A&A 664 A4).
_EIGHT_CONVOLUTIONS = ConvStem(
    (
        ConvRow(16, kernel=4),
        ConvRow(16, pool=True),
        ConvRow(32),
        ConvRow(32, pool=True),
        ConvRow(64),
        ConvRow(64, pool=True, dropout=0.5),
        ConvRow(128, dropout=0.5),
        ConvRow(128, dropout=0.5),
    )
)

DETECTORS: dict[str, DetectorSpec] = {
    # Thuruthipilly+ 2022: 8 convolutions, 8 heads of 128, 4 attentions.
    "lens_detector_15": DetectorSpec(
        stem=_EIGHT_CONVOLUTIONS,
        encoder=PublishedEncoder(groups=(2, 2), num_heads=8, key_dim=128),
        head=PublishedHead((1024, 512, 128)),
        front=PublishedFront(),
    ),
    # Ours: accuracy per operation on a CPU. The PSF spans 3 to 5 pixels, so a
    # stride of 2 at once loses little and saves three quarters of the work.
    "arcformer_small": DetectorSpec(
        stem=ResidualStem((Stage(16, kernel=5), Stage(32), Stage(64, blocks=1), Stage(96))),
        encoder=PreNormEncoder(num_blocks=3, num_heads=3, mlp_dim=192, dropout=0.1),
        head=AttentionPoolHead((128,), dropout=0.2),
        front=AsinhFront(),
    ),
    # A tiny one with every part of ours, for tests and first tries.
    "arcformer_test": DetectorSpec(
        stem=ResidualStem((Stage(8, kernel=5, stride=4), Stage(16, stride=4, blocks=1))),
        encoder=PreNormEncoder(num_blocks=1, num_heads=2, mlp_dim=16, dropout=0.0),
        head=AttentionPoolHead((8,), dropout=0.0),
        front=AsinhFront(),
    ),
}
