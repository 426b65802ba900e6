"""CNN 1 to 5 of Thuruthipilly+ 2022, whose stems the detectors take over."""

from __future__ import annotations

from lensdetect.network.spec import (
    ConvRow,
    ConvStem,
    DenseRow,
    DetectorSpec,
    FlattenHead,
    PublishedFront,
)
from lensdetect.network.zoo.row import Published, System

PAPER = "Thuruthipilly+ 2022, A&A 664 A4"
TALK = "the authors' talk on A&A 664 A4"

#: The stack of the authors' notebook: that of LASTRO EPFL with ELU and more normalisation.
EIGHT_CONVOLUTIONS = ConvStem(
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
THREE_CONVOLUTIONS = ConvStem(
    (ConvRow(32, kernel=4, pool=True), ConvRow(64, pool=True), ConvRow(128, pool=True, dropout=0.5))
)
FOUR_CONVOLUTIONS = ConvStem(
    (
        ConvRow(16, kernel=4, pool=True),
        ConvRow(32, pool=True),
        ConvRow(64, pool=True, dropout=0.5),
        ConvRow(128, dropout=0.5),
    )
)
FIVE_CONVOLUTIONS = ConvStem(
    (
        ConvRow(16, kernel=4, pool=True),
        ConvRow(32, pool=True),
        ConvRow(64, pool=True, dropout=0.5),
        ConvRow(128, dropout=0.5),
        ConvRow(128, dropout=0.5),
    )
)


def _deep_rows() -> tuple[ConvRow, ...]:
    """Six convolutions at each of three resolutions, seven at the last; padded, or nothing would be left."""
    plan = [(16, 6, True), (32, 6, True), (64, 6, True), (128, 7, False)]
    rows = []
    for filters, count, pool in plan:
        rows += [ConvRow(filters, padding="same")] * (count - 1)
        rows.append(ConvRow(filters, padding="same", pool=pool, dropout=0.5 if filters >= 64 else 0.0))
    return tuple(rows)


#: 12 x 12 cells of 128 features.
TWENTY_FIVE_CONVOLUTIONS = ConvStem(_deep_rows())

_ONLY_THE_COUNT = (
    "Published: the number of convolutions. Our reading: widths, pooling and dropout after the notebook's "
    "eight-convolution stack, and dense layers of 512 and 128."
)


def _cnn(
    number: int,
    stem: ConvStem,
    *,
    units: tuple[int, ...] = (512, 128),
    parameters: int,
    accuracy: float | None,
    reading: str = _ONLY_THE_COUNT,
    structure: str | None = None,
) -> System:
    head = FlattenHead(tuple(DenseRow(width, dropout=0.5) for width in units))
    return System(
        name=f"cnn_{number}",
        group="paper",
        source=PAPER,
        structure=structure or f"{len(stem.rows)} conv",
        spec=DetectorSpec(stem, None, head, PublishedFront()),
        parameters=parameters,
        reading=reading,
        published=None if accuracy is None else Published(TALK, accuracy=accuracy),
    )


CNNS: tuple[System, ...] = (
    _cnn(1, FIVE_CONVOLUTIONS, parameters=2_672_689, accuracy=0.8821),
    _cnn(2, FOUR_CONVOLUTIONS, parameters=4_359_601, accuracy=0.8674),
    _cnn(
        3,
        EIGHT_CONVOLUTIONS,
        units=(1024, 1024, 1024),
        parameters=5_674_081,
        accuracy=0.8991,
        reading=(
            "Published: the number of convolutions. Our reading: the notebook's eight-convolution stack, which is "
            "LASTRO EPFL's, with dense layers as many and as wide as that entry's."
        ),
    ),
    _cnn(4, THREE_CONVOLUTIONS, parameters=6_715_233, accuracy=0.8849),
    _cnn(
        5,
        TWENTY_FIVE_CONVOLUTIONS,
        parameters=10_735_329,
        accuracy=None,
        structure="not published",
        reading=(
            "Published: that there were five CNNs, and nothing of the fifth. Our choice: the stack of Lens Detector 20 "
            "with dense layers of 512 and 128, so that its encoder too has a CNN to compare with."
        ),
    ),
)
