"""What a detector is made of, as plain frozen dataclasses.

A ``DetectorSpec`` names a front (preprocessing), a stem (pixels to a grid of
features), an encoder (self-attention over the grid's cells) and a head
(tokens to a logit). Each class of row has one builder, found by its type.
"""

from __future__ import annotations

from dataclasses import dataclass

from lensdetect.errors import InputError


@dataclass(frozen=True)
class PublishedFront:
    """Preprocessing of the published detectors.

    Bad pixels become 0, flux is clipped to ``+-clip_flux`` and scaled so that
    ``clip_flux`` is ``scale`` (Thuruthipilly+ 2022, after CMU DeepLens).

    Parameters
    ----------
    band_order : tuple of str
        Order in which the published network takes the bands; those that the
        detector lacks are left out.
    clip_flux : float
        In flux units of AB zero point 0.
    scale : float
        Value of ``clip_flux`` after scaling.
    """

    band_order: tuple[str, ...] = ("r", "i", "g", "u")
    clip_flux: float = 1e-9
    scale: float = 100.0


@dataclass(frozen=True)
class AsinhFront:
    """Noise-scaled asinh stretch, with one plane a band that marks bad pixels.

    ``asinh(flux / noise_sigma)`` is linear below the sky noise and logarithmic
    above it, so that a faint arc and a bright bulge are of the same order.
    """


@dataclass(frozen=True)
class ConvRow:
    """One convolution of a ``ConvStem``: convolve, pool, normalise, drop.

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
    """

    filters: int
    kernel: int = 3
    pool: bool = False
    batch_norm: bool = True
    dropout: float = 0.0


@dataclass(frozen=True)
class ConvStem:
    """A plain stack of unpadded convolutions.

    Parameters
    ----------
    rows : tuple of ConvRow
        From the image on.
    activation : str
        Keras activation of every convolution.
    l2 : float
        Weight of the squared kernels in the loss.
    """

    rows: tuple[ConvRow, ...]
    activation: str = "elu"
    l2: float = 0.01

    def __post_init__(self):
        """Check that there is a row."""
        if not self.rows:
            raise InputError("a ConvStem needs at least one ConvRow, got none")


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
class PublishedEncoder:
    """Self-attention as the published detectors wire it.

    The attentions of a group run side by side on the same tokens and are
    summed; groups follow each other, with no residual and no normalisation
    between them. One feed-forward block with a residual and a layer
    normalisation closes the encoder.

    Parameters
    ----------
    groups : tuple of int
        Number of attentions in each group.
    num_heads : int
        Heads of each attention.
    key_dim : int
        Dimension of one head (not of all together).
    mlp_dim : int
        Width of the feed-forward block.
    attention_dropout : float
        Dropout of the attention probabilities.
    dropout : float
        Dropout of the feed-forward block.
    l2 : float
        Weight of the attention's squared kernels in the loss.
    """

    groups: tuple[int, ...] = (2, 2)
    num_heads: int = 8
    key_dim: int = 128
    mlp_dim: int = 256
    attention_dropout: float = 0.2
    dropout: float = 0.5
    l2: float = 0.01

    def __post_init__(self):
        """Check that no group is empty."""
        if any(count < 1 for count in self.groups):
            raise InputError(f"every group of a PublishedEncoder needs at least one attention, got {self.groups}")


@dataclass(frozen=True)
class PreNormEncoder:
    """The standard pre-norm encoder with residuals and 2-D positions.

    Parameters
    ----------
    num_blocks : int
        Attention and feed-forward blocks.
    num_heads : int
        Heads of each attention; they share the width of the tokens.
    mlp_dim : int
        Width of the feed-forward blocks.
    dropout : float
        Dropout after attention and within the feed-forward block.
    """

    num_blocks: int = 3
    num_heads: int = 4
    mlp_dim: int = 256
    dropout: float = 0.1


@dataclass(frozen=True)
class PublishedHead:
    """Mean over the tokens and a wide feed-forward classifier.

    Parameters
    ----------
    units : tuple of int
        Widths of the dense layers before the logit.
    dropout : float
        Dropout after each of them.
    """

    units: tuple[int, ...] = (1024, 512, 128)
    dropout: float = 0.5


@dataclass(frozen=True)
class AttentionPoolHead:
    """A learned weighted mean over the tokens, then a small classifier.

    Parameters
    ----------
    units : tuple of int
        Widths of the dense layers before the logit.
    dropout : float
        Dropout after each of them.
    """

    units: tuple[int, ...] = (128,)
    dropout: float = 0.2


Front = PublishedFront | AsinhFront
Stem = ConvStem | ResidualStem
Encoder = PublishedEncoder | PreNormEncoder
Head = PublishedHead | AttentionPoolHead


@dataclass(frozen=True)
class DetectorSpec:
    """A whole detector.

    Parameters
    ----------
    stem : ConvStem or ResidualStem
        Pixels to a grid of features.
    encoder : PublishedEncoder or PreNormEncoder
        Self-attention over the cells of the grid.
    head : PublishedHead or AttentionPoolHead
        Tokens to a logit.
    front : PublishedFront or AsinhFront
        Preprocessing, part of the network.
    """

    stem: Stem
    encoder: Encoder
    head: Head
    front: Front = AsinhFront()
