"""Heads as rows: tokens, or a grid, to a logit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DenseRow:
    """One dense layer of a head: multiply, normalise, drop.

    Parameters
    ----------
    units : int
        Its width.
    batch_norm : bool
        Whether batch normalisation follows.
    dropout : float
        Rate of the dropout at the end of the row.
    """

    units: int
    batch_norm: bool = False
    dropout: float = 0.0


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

    #: Not fields: cards hold every field, and these have but one value.
    activation = "elu"
    initializer = "glorot_uniform"

    @property
    def rows(self) -> tuple[DenseRow, ...]:
        """The dense layers, each with what follows it."""
        return tuple(DenseRow(units, dropout=self.dropout) for units in self.units)


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

    #: Not fields: cards hold every field, and these have but one value.
    activation = "relu"
    initializer = "glorot_uniform"

    @property
    def rows(self) -> tuple[DenseRow, ...]:
        """The dense layers, each with what follows it."""
        return tuple(DenseRow(units, dropout=self.dropout) for units in self.units)


@dataclass(frozen=True)
class FlattenHead:
    """Every value of the grid into dense layers.

    Parameters
    ----------
    rows : tuple of DenseRow
        The dense layers before the logit.
    activation : str
        Keras activation of the dense layers, or "standardised_relu".
    mean_pool_pix : int
        Side of the square whose mean is taken first, at every cell; 1 takes none.
    initializer : str
        Keras initializer of the kernels.
    """

    rows: tuple[DenseRow, ...] = ()
    activation: str = "elu"
    mean_pool_pix: int = 1
    initializer: str = "glorot_uniform"


@dataclass(frozen=True)
class DihedralHead:
    """The head of a dihedral ``ConvStem``: eight views, their mean, the logit.

    The dense layers keep the eight views apart; the mean over the views is the
    same for all turns and mirrors of an image, and so is the logit.

    Parameters
    ----------
    view_rows : tuple of DenseRow
        The dense layers; ``units`` counts the features of one view.
    activation : str
        Keras activation of the dense layers, or "standardised_relu".
    initializer : str
        Keras initializer of the kernels.
    """

    view_rows: tuple[DenseRow, ...] = ()
    activation: str = "standardised_relu"
    initializer: str = "lecun_normal"

    #: There is nothing between the mean and the logit.
    rows = ()


Head = PublishedHead | AttentionPoolHead | FlattenHead | DihedralHead
