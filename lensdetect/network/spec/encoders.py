"""Encoders as rows: self-attention over the cells of a grid."""

from __future__ import annotations

from dataclasses import dataclass

from lensdetect.errors import InputError


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
    skip_attention : bool
        Whether the residual of the feed-forward block starts before the
        attentions instead of after them.
    """

    groups: tuple[int, ...] = (2, 2)
    num_heads: int = 8
    key_dim: int = 128
    mlp_dim: int = 256
    attention_dropout: float = 0.2
    dropout: float = 0.5
    l2: float = 0.01
    skip_attention: bool = False

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


Encoder = PublishedEncoder | PreNormEncoder
