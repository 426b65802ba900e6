"""Lens Detectors 1 to 21 of Thuruthipilly+ 2022, and the one of TEGLIE for three bands."""

from __future__ import annotations

import dataclasses

from lensdetect.network.spec import (
    Branch,
    ConvRow,
    ConvStem,
    DetectorSpec,
    MergedSpec,
    PublishedEncoder,
    PublishedFront,
    PublishedHead,
)
from lensdetect.network.zoo.paper_cnns import (
    EIGHT_CONVOLUTIONS,
    FIVE_CONVOLUTIONS,
    FOUR_CONVOLUTIONS,
    PAPER,
    TALK,
    THREE_CONVOLUTIONS,
    TWENTY_FIVE_CONVOLUTIONS,
)
from lensdetect.network.zoo.row import Published, System

NOTEBOOK = "hareesht23/Lens-Detector, the authors' notebook"
TEGLIE = "Grespan+ 2024, A&A 688 A34; margres/TEGLIE"

#: Number of attentions -> how they are wired: Lens Detector 15 has two pairs, one after the other.
_GROUPS = {1: (1,), 2: (2,), 4: (2, 2)}

_FROM_CNN = (
    "Published: the string. Our reading: {cnn} as in its own row gives the tokens, 128 wide; {wiring}; the rest "
    "as in Lens Detector 15."
)
_FROM_STRING = (
    "Published: the string. Our reading: the stem of {cnn}, trained from the start as no CNN is named; {wiring}; "
    "the rest as in Lens Detector 15."
)
_WIRING = {1: "one attention", 2: "two attentions side by side", 4: "four attentions in two pairs"}
_LIKE_15 = (
    "Published: the string, which is that of Lens Detector 15. The architecture is taken to be the same; what differs "
    "is not published (the training, or whether a trained CNN was taken over)."
)


def _chain(stem: ConvStem, *, heads: int, key_dim: int, attentions: int) -> DetectorSpec:
    encoder = PublishedEncoder(_GROUPS[attentions], num_heads=heads, key_dim=key_dim)
    return DetectorSpec(stem, encoder, PublishedHead(), PublishedFront())


LENS_DETECTOR_15 = _chain(EIGHT_CONVOLUTIONS, heads=8, key_dim=128, attentions=4)

# In the two branches, normalisation follows the poolings and the last convolution only.
_BRANCH_STEM = dataclasses.replace(
    EIGHT_CONVOLUTIONS,
    rows=tuple(
        dataclasses.replace(row, batch_norm=row.pool or row is EIGHT_CONVOLUTIONS.rows[-1])
        for row in EIGHT_CONVOLUTIONS.rows
    ),
)


def _two_branches(heads: int) -> MergedSpec:
    """Four attentions side by side, and four in a row that a skip jumps over."""
    side_by_side = PublishedEncoder((4,), num_heads=heads)
    in_a_row = PublishedEncoder((1, 1, 1, 1), num_heads=heads, skip_attention=True)
    head = PublishedHead((512, 256, 64))
    branches = tuple(Branch(_BRANCH_STEM, encoder, head) for encoder in (side_by_side, in_a_row))
    return MergedSpec(branches, PublishedFront())


def _rig() -> DetectorSpec:
    rows = list(EIGHT_CONVOLUTIONS.rows)
    rows[4] = ConvRow(64, dropout=0.5)
    return dataclasses.replace(LENS_DETECTOR_15, stem=dataclasses.replace(EIGHT_CONVOLUTIONS, rows=tuple(rows)))


def _detector(
    number: int,
    spec: DetectorSpec | MergedSpec,
    structure: str,
    *,
    parameters: int,
    accuracy: float,
    figures: tuple[float, float, float] = (None, None, None),
    reading: str | None = None,
    source: str = TALK,
    published_parameters: int | None = None,
) -> System:
    auroc, tpr0, tpr10 = figures
    cnn = structure.partition(" + ")[0]
    return System(
        name=f"lens_detector_{number}",
        group="paper",
        source=PAPER,
        structure=structure,
        spec=spec,
        parameters=parameters,
        reading=reading or _reading(structure),
        published=Published(source, accuracy, auroc, tpr0, tpr10, published_parameters),
        stem_from=cnn.lower().replace(" ", "_") if cnn.startswith("CNN") else None,
    )


def _reading(structure: str) -> str:
    stem, _, encoder = structure.split(" + ")
    cnn = {"3 conv": "CNN 4", "5 conv": "CNN 1", "8 conv": "CNN 3"}.get(stem, stem)
    text = _FROM_CNN if stem.startswith("CNN") else _FROM_STRING
    return text.format(cnn=cnn, wiring=_WIRING[int(encoder.split()[0])])


_TWICE_16 = (
    "Published: the string, which is that of Lens Detector 16. The architecture is taken to be the same; what differs "
    "is not published."
)

LENS_DETECTORS: tuple[System, ...] = (
    _detector(
        1,
        _chain(FIVE_CONVOLUTIONS, heads=1, key_dim=16, attentions=1),
        "CNN 1 + 1 H_16 + 1 (E)",
        parameters=1_044_321,
        accuracy=0.8957,
    ),
    _detector(
        2,
        _chain(FOUR_CONVOLUTIONS, heads=1, key_dim=16, attentions=1),
        "CNN 2 + 1 H_16 + 1 (E)",
        parameters=896_225,
        accuracy=0.8813,
    ),
    _detector(
        3,
        _chain(FOUR_CONVOLUTIONS, heads=2, key_dim=16, attentions=1),
        "CNN 2 + 2 H_16 + 1 (E)",
        parameters=904_465,
        accuracy=0.8800,
    ),
    _detector(
        4,
        _chain(FOUR_CONVOLUTIONS, heads=2, key_dim=32, attentions=1),
        "CNN 2 + 2 H_32 + 1 (E)",
        parameters=920_945,
        accuracy=0.8812,
    ),
    _detector(
        5,
        _chain(FOUR_CONVOLUTIONS, heads=4, key_dim=64, attentions=2),
        "CNN 2 + 4 H_64 + 2 (E)",
        parameters=1_151_793,
        accuracy=0.8846,
    ),
    _detector(
        6,
        _chain(FOUR_CONVOLUTIONS, heads=4, key_dim=128, attentions=4),
        "CNN 2 + 4 H_128 + 4 (E)",
        parameters=1_943_089,
        accuracy=0.8951,
    ),
    _detector(
        7,
        _chain(EIGHT_CONVOLUTIONS, heads=8, key_dim=128, attentions=2),
        "CNN 3 + 8 H_128 + 2 (E)",
        parameters=2_139_873,
        accuracy=0.9145,
    ),
    _detector(
        8,
        _chain(THREE_CONVOLUTIONS, heads=2, key_dim=384, attentions=2),
        "CNN 4 + 2 H_384 + 2 (E)",
        parameters=1_675_489,
        accuracy=0.8943,
        figures=(0.954, 0.0, 0.758),
    ),
    _detector(
        9,
        _chain(THREE_CONVOLUTIONS, heads=2, key_dim=384, attentions=2),
        "3 conv + 2 H_384 + 2 (E)",
        parameters=1_675_489,
        accuracy=0.8961,
        figures=(0.959, 0.0, 0.789),
    ),
    _detector(
        10,
        _chain(FIVE_CONVOLUTIONS, heads=8, key_dim=128, attentions=2),
        "5 conv + 8 H_128 + 2 (E)",
        parameters=2_090_929,
        accuracy=0.9058,
    ),
    _detector(
        11,
        _chain(FIVE_CONVOLUTIONS, heads=8, key_dim=128, attentions=4),
        "5 conv + 8 H_128 + 4 (E)",
        parameters=3_145_905,
        accuracy=0.9045,
        figures=(0.966, 0.219, 0.34),
    ),
    *(
        _detector(
            number,
            LENS_DETECTOR_15,
            "8 conv + 8 H_128 + 4 (E)",
            parameters=3_194_849,
            accuracy=accuracy,
            reading=_LIKE_15,
        )
        for number, accuracy in ((12, 0.8982), (13, 0.9194), (14, 0.9195))
    ),
    _detector(
        15,
        LENS_DETECTOR_15,
        "8 conv + 8 H_128 + 4 (E)",
        parameters=3_194_849,
        accuracy=0.92998,
        figures=(0.978355, 0.14006, 0.48272),
        source=NOTEBOOK,
        published_parameters=3_194_849,
        reading="Published: all of it, layer by layer, in the authors' notebook.",
    ),
    _detector(
        16,
        _two_branches(heads=8),
        "16 conv + 8 H_128 + 8 (E)",
        parameters=5_370_181,
        accuracy=0.9097,
        figures=(0.962, 0.225, 0.24),
        published_parameters=5_370_181,
        reading=f"Published: all of it, layer by layer, in {TEGLIE}; the number of parameters follows from that.",
    ),
    _detector(
        17,
        _two_branches(heads=8),
        "16 conv + 8 H_128 + 8 (E)",
        parameters=5_370_181,
        accuracy=0.9219,
        figures=(0.973, 0.0, 0.717),
        reading=_TWICE_16,
    ),
    _detector(
        18,
        _two_branches(heads=8),
        "16 conv + 8 H_128 + 8 (E)",
        parameters=5_370_181,
        accuracy=0.9221,
        figures=(0.976, 0.113, 0.59),
        reading=_TWICE_16,
    ),
    _detector(
        19,
        _two_branches(heads=16),
        "16 conv + 16 H_128 + 8 (E)",
        parameters=9_589_061,
        accuracy=0.9003,
        reading="Published: the string. Our reading: Lens Detector 16 with twice the heads.",
    ),
    _detector(
        20,
        _chain(TWENTY_FIVE_CONVOLUTIONS, heads=8, key_dim=128, attentions=4),
        "25 conv + 8 H_128 + 4 (E)",
        parameters=4_130_657,
        accuracy=0.9126,
        reading=(
            "Published: the string. Our reading: six padded convolutions at each of three resolutions and seven at the "
            "last, 16 to 128 wide, which leave 12 x 12 tokens; four attentions in two pairs; the rest as in Lens "
            "Detector 15."
        ),
    ),
    _detector(
        21,
        LENS_DETECTOR_15,
        "8 conv + 8 H_128 + 4 (E)",
        parameters=3_194_849,
        accuracy=0.9279,
        figures=(0.98, 0.0, 0.64),
        published_parameters=3_194_849,
        reading=(
            f"Published: all of it, in {TEGLIE}: layer by layer Lens Detector 15. Only the training differs; how is "
            "not published."
        ),
    ),
    System(
        name="lens_detector_rig",
        group="paper",
        source=TEGLIE,
        structure="8 conv + 8 H_128 + 4 (E)",
        spec=_rig(),
        parameters=3_194_849,
        reading=(
            "Published: all of it, in the authors' code: Lens Detector 15 at three bands, with one more dropout, after "
            "the fifth convolution."
        ),
        published=Published(TEGLIE, parameters=3_194_593, bands=("g", "r", "i")),
    ),
)
