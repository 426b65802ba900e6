"""Stems as rows: pixels to a grid of features."""

from __future__ import annotations

from dataclasses import dataclass

from lensdetect.errors import InputError


@dataclass(frozen=True)
class ConvRow:
    """One row of a ``ConvStem``: convolve, pool, normalise, drop.

    Parameters
    ----------
    filters : int
        Number of output features.
    kernel : int
        Side of the kernel in pixels.
    pool : bool
        Whether a 2 x 2 maximum follows.
    batch_norm : bool
        Whether batch normalisation follows.
    dropout : float
        Rate of the dropout at the end of the row.
    convolutions : int
        How many convolutions follow each other.
    skip : bool
        Whether their input, cut to the size of their output, is added to it.
    padding : str
        "valid" (none) or "same".
    """

    filters: int
    kernel: int = 3
    pool: bool = False
    batch_norm: bool = True
    dropout: float = 0.0
    convolutions: int = 1
    skip: bool = False
    padding: str = "valid"

    def __post_init__(self):
        """Check what goes together."""
        if self.padding not in ("valid", "same"):
            raise InputError(f"padding of a ConvRow must be valid or same, got {self.padding}")
        if self.skip and self.padding != "valid":
            raise InputError("a ConvRow with a skip cuts its input to size and must not be padded, got padding same")


@dataclass(frozen=True)
class ConvStem:
    """A plain stack of convolutions.

    Parameters
    ----------
    rows : tuple of ConvRow
        From the image on.
    activation : str
        Keras activation of every convolution, or "standardised_relu".
    l2 : float
        Weight of the squared kernels in the loss.
    initializer : str
        Keras initializer of the kernels.
    trained_pool : bool
        Whether a trained factor and offset per feature follow each maximum.
    crop_pix : int or None
        Side of the middle of the image that is looked at; None is all of it.
    dihedral : bool
        Whether every kernel is used in its eight turns and mirrors at once, so
        that a turned image gives turned features. ``filters`` then counts the
        kernels: there are eight times as many features.
    """

    rows: tuple[ConvRow, ...]
    activation: str = "elu"
    l2: float = 0.01
    initializer: str = "glorot_uniform"
    trained_pool: bool = False
    crop_pix: int | None = None
    dihedral: bool = False

    def __post_init__(self):
        """Check that there is a row, and that the stem can be built."""
        if not self.rows:
            raise InputError("a ConvStem needs at least one ConvRow, got none")
        if self.dihedral and any(row.skip or row.padding != "valid" for row in self.rows):
            raise InputError("rows of a dihedral ConvStem must have no skip and no padding, got one that has")


@dataclass(frozen=True)
class Stage:
    """One resolution of a ``ResidualStem``.

    Parameters
    ----------
    filters : int
        Number of features.
    kernel : int
        Side of the kernel of the convolution that enters the stage.
    stride : int
        Its stride: how much smaller the grid becomes.
    blocks : int
        Residual blocks of two 3 x 3 convolutions that follow.
    """

    filters: int
    kernel: int = 3
    stride: int = 2
    blocks: int = 0


@dataclass(frozen=True)
class ResidualStem:
    """Strided convolutions with residual blocks between them.

    Parameters
    ----------
    stages : tuple of Stage
        From the image on.
    """

    stages: tuple[Stage, ...]

    def __post_init__(self):
        """Check that there is a stage."""
        if not self.stages:
            raise InputError("a ResidualStem needs at least one Stage, got none")


@dataclass(frozen=True)
class BottleneckStem:
    """Pre-activated bottleneck blocks (He+ 2016, arXiv 1603.05027).

    The defaults are CMU DeepLens (Lanusse+ 2018, MNRAS 473 3895): one
    convolution and fifteen blocks of three make 46 layers.

    Parameters
    ----------
    first_filters, first_kernel : int
        Of the convolution that opens the stem.
    widths : tuple of int
        Inner features of the blocks of each stage; they give out twice as many.
        Every stage but the first halves the grid.
    blocks : int
        Blocks of a stage.
    """

    first_filters: int = 32
    first_kernel: int = 7
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    blocks: int = 3


@dataclass(frozen=True)
class ResNetStem:
    """The residual network of He+ 2016 (arXiv 1512.03385) without its top.

    A 7 x 7 convolution and a 3 x 3 maximum, both of stride 2, then stages of
    blocks of two 3 x 3 convolutions. The defaults are the 18-layer network.

    Parameters
    ----------
    filters : tuple of int
        Features of each stage. Every stage but the first halves the grid.
    blocks : int
        Blocks of a stage.
    """

    filters: tuple[int, ...] = (64, 128, 256, 512)
    blocks: int = 2


@dataclass(frozen=True)
class EfficientNetStem:
    """An EfficientNet (Tan & Le 2019, arXiv 1905.11946) of Keras without its top.

    Parameters
    ----------
    version : str
        "B0" to "B7".
    """

    version: str = "B0"

    def __post_init__(self):
        """Check that there is such a network."""
        if self.version not in {f"B{number}" for number in range(8)}:
            raise InputError(f"version of an EfficientNetStem must be B0 to B7, got {self.version}")


Stem = ConvStem | ResidualStem | BottleneckStem | ResNetStem | EfficientNetStem
