"""A whole detector: its parts, or several branches that are merged."""

from __future__ import annotations

from dataclasses import dataclass

from lensdetect.errors import InputError
from lensdetect.network.spec.encoders import Encoder
from lensdetect.network.spec.fronts import AsinhFront, Front
from lensdetect.network.spec.heads import Head
from lensdetect.network.spec.stems import Stem


@dataclass(frozen=True)
class DetectorSpec:
    """A whole detector.

    Parameters
    ----------
    stem : Stem
        Pixels to a grid of features.
    encoder : Encoder or None
        Self-attention over the cells of the grid; None is a network without.
    head : Head
        Tokens to a logit.
    front : Front
        Preprocessing, part of the network.
    """

    stem: Stem
    encoder: Encoder | None
    head: Head
    front: Front = AsinhFront()


@dataclass(frozen=True)
class Branch:
    """One branch of a ``MergedSpec``.

    Parameters
    ----------
    stem : Stem
        Pixels to a grid of features.
    encoder : Encoder or None
        Self-attention over the cells of the grid; None is a branch without.
    head : Head
        Tokens to the outputs of the branch.
    """

    stem: Stem
    encoder: Encoder | None
    head: Head


@dataclass(frozen=True)
class MergedSpec:
    """A detector of several branches that look at the same image.

    Parameters
    ----------
    branches : tuple of Branch
        They share the front and no weight.
    front : Front
        Preprocessing, part of the network.
    outputs : int
        Numbers that each branch gives to the merger.
    output_activation : str
        Keras activation of those numbers.
    units : tuple of int
        Widths of the dense layers between these numbers and the logit.
    activation : str
        Keras activation of these layers, or "standardised_relu".
    """

    branches: tuple[Branch, ...]
    front: Front = AsinhFront()
    outputs: int = 1
    output_activation: str = "sigmoid"
    units: tuple[int, ...] = ()
    activation: str = "elu"

    def __post_init__(self):
        """Check that there is something to merge."""
        if not 2 <= len(self.branches) <= 26:
            raise InputError(f"a MergedSpec needs 2 to 26 branches, got {len(self.branches)}")
