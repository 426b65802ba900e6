"""Entries of the ground-based Bologna challenge (Metcalf+ 2019, A&A 625 A119) that are networks."""

from __future__ import annotations

from lensdetect.network.spec import (
    BottleneckStem,
    Branch,
    ConvRow,
    ConvStem,
    DenseRow,
    DetectorSpec,
    DihedralHead,
    FlattenHead,
    MergedSpec,
    PublishedFront,
    StandardFront,
)
from lensdetect.network.zoo.row import Published, System

EPFL = "Schaefer+ 2018, A&A 611 A2; mariogeiger/lensfinder-euclid"
CMU = "Lanusse+ 2018, MNRAS 473 3895; McWilliamsCenter/CMUDeepLens"
CHALLENGE = "Metcalf+ 2019, A&A 625 A119, tables 2 and 3"

_RELU = "standardised_relu"
_NORMAL = "lecun_normal"


def _epfl_stem(rows: tuple[ConvRow, ...], **options) -> ConvStem:
    return ConvStem(rows, activation=_RELU, l2=0.0, initializer=_NORMAL, trained_pool=True, **options)


def _epfl_head(*rows: DenseRow) -> FlattenHead:
    return FlattenHead(rows, activation=_RELU, initializer=_NORMAL)


def _baseline_rows(first: int, last: int) -> tuple[ConvRow, ...]:
    """Eight convolutions in four widths from ``first`` on, and one as large as the grid."""
    a, b, c, d = (first * 2**power for power in range(4))
    return (
        ConvRow(a, kernel=4, batch_norm=False),
        ConvRow(a, pool=True),
        ConvRow(b, batch_norm=False),
        ConvRow(b, pool=True),
        ConvRow(c, batch_norm=False),
        ConvRow(c, pool=True, dropout=0.5),
        ConvRow(d, batch_norm=False, dropout=0.5),
        ConvRow(d, dropout=0.5),
        ConvRow(last, kernel=5, batch_norm=False, dropout=0.5),
    )


_BASELINE_STEM = _epfl_stem(_baseline_rows(16, 1024))
_BASELINE_HEAD = _epfl_head(DenseRow(1024, dropout=0.5), DenseRow(1024, batch_norm=True))


def _views() -> MergedSpec:
    """The baseline, and ten 5 x 5 convolutions over the middle 45 pixels."""
    widths = (16, 19, 23, 27, 33, 39, 47, 57, 68, 82)
    # Normalisation follows the third, sixth and ninth.
    rows = [ConvRow(width, kernel=5, batch_norm=number % 3 == 0) for number, width in enumerate(widths, start=1)]
    rows[-1] = ConvRow(82, kernel=5, batch_norm=False, dropout=0.5)
    rows.append(ConvRow(256, kernel=5, batch_norm=False, dropout=0.5))
    close = Branch(
        _epfl_stem(tuple(rows), crop_pix=45),
        None,
        _epfl_head(DenseRow(512, dropout=0.5), DenseRow(512, batch_norm=True)),
    )
    return MergedSpec(
        (Branch(_BASELINE_STEM, None, _BASELINE_HEAD), close),
        StandardFront(),
        outputs=2,
        output_activation="linear",
        units=(8, 8),
        activation=_RELU,
    )


def _residual() -> DetectorSpec:
    rows = (
        ConvRow(16, kernel=2),
        ConvRow(16, convolutions=2, skip=True),
        ConvRow(16, convolutions=2, skip=True, pool=True),
        ConvRow(32, convolutions=3, skip=True),
        ConvRow(32, convolutions=2, skip=True, pool=True, dropout=0.5),
        ConvRow(64, convolutions=2, skip=True),
        ConvRow(92, convolutions=2, skip=True, dropout=0.5),
        ConvRow(128, convolutions=3, skip=True, dropout=0.5),
        ConvRow(1024, kernel=4, dropout=0.5),
    )
    head = _epfl_head(DenseRow(1024, batch_norm=True, dropout=0.5), DenseRow(1024, batch_norm=True))
    return DetectorSpec(_epfl_stem(rows), None, head, StandardFront())


def _invariant() -> DetectorSpec:
    stem = _epfl_stem(_baseline_rows(4, 128), dihedral=True)
    head = DihedralHead((DenseRow(256, dropout=0.5), DenseRow(256, batch_norm=True)), _RELU, _NORMAL)
    return DetectorSpec(stem, None, head, StandardFront())


_EPFL_READING = (
    "Published: all of it, layer by layer, in the authors' code. Ours differs in Keras's moving averages of the batch "
    "normalisation for theirs, whose memory grew with the training, and in a dropout of 0.5 from the start"
)
_AT_ONE_BAND = ("r",)

CHALLENGERS: tuple[System, ...] = (
    System(
        name="lastro_epfl",
        group="challenge",
        source=EPFL,
        structure="9 conv, dense 1024 - 1024",
        spec=DetectorSpec(_BASELINE_STEM, None, _BASELINE_HEAD, StandardFront()),
        parameters=5_677_441,
        reading=f"{_EPFL_READING}. The entry multiplied the probabilities of the eight views; that is left to scoring.",
        published=Published(
            f"{CHALLENGE}; parameters: {EPFL}",
            auroc=0.97,
            tpr0=0.07,
            tpr10=0.11,
            trainable_parameters=5_674_145,
            bands=_AT_ONE_BAND,
        ),
    ),
    System(
        name="lastro_epfl_invariant",
        group="challenge",
        source=EPFL,
        structure="9 dihedral conv, 8 views kept apart in dense 256 - 256",
        spec=_invariant(),
        parameters=1_754_529,
        reading=(
            f"{_EPFL_READING}; in the mean over the views for their sum, and in where the trained factor and offset "
            "after each maximum start: training takes up both."
        ),
        published=Published(EPFL, trainable_parameters=1_753_705, bands=_AT_ONE_BAND),
    ),
    System(
        name="lastro_epfl_views",
        group="challenge",
        source=EPFL,
        structure="9 conv of the whole and 11 conv of the middle 45 pixels, merged by dense 8 - 8",
        spec=_views(),
        parameters=7_041_088,
        reading=f"{_EPFL_READING}. Theirs trained one branch, then the other, then both.",
        published=Published(EPFL, trainable_parameters=7_035_308, bands=_AT_ONE_BAND),
    ),
    System(
        name="lastro_epfl_residual",
        group="challenge",
        source=EPFL,
        structure="16 conv in 7 residual blocks and 2 beside them, dense 1024 - 1024",
        spec=_residual(),
        parameters=4_870_149,
        reading=f"{_EPFL_READING}.",
        published=Published(EPFL, trainable_parameters=4_863_021, bands=_AT_ONE_BAND),
    ),
    System(
        name="cmu_deeplens",
        group="challenge",
        source=CMU,
        structure="46 conv: 1 and 15 pre-activated bottleneck blocks of 3",
        spec=DetectorSpec(BottleneckStem(), None, FlattenHead(mean_pool_pix=3), PublishedFront()),
        parameters=3_536_481,
        reading=(
            "Published: all of it, layer by layer, in the authors' code; the preprocessing is that of their notebook "
            "for the ground-based challenge. Ours initialises the first convolution as the rest. The figures are those "
            "of the entry Resnet-ground3; the entry Resnet-Voting (AUROC 0.98, TPR0 0.02, TPR10 0.10) is a committee "
            "of such networks. What sets ground3 apart is not published."
        ),
        published=Published(f"{CHALLENGE}; AUROC: {CMU}", auroc=0.9814321, tpr0=0.09, tpr10=0.45),
    ),
)
