"""What the table of systems says of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from lensdetect.network.spec import DetectorSpec, MergedSpec


@dataclass(frozen=True)
class Published:
    """Figures that others published of a system; None is not published.

    Parameters
    ----------
    source : str
        Where they stand.
    accuracy, auroc, tpr0, tpr10 : float or None
        On the ground-based test set of the Bologna challenge, as fractions.
        TPR10 of the paper's own detectors counts vertices of the ROC curve, not
        false positives: compare it with care.
    parameters, trainable_parameters : int or None
        Of the network at ``bands``.
    bands : tuple of str
        Those at which parameters were counted.
    """

    source: str
    accuracy: float | None = None
    auroc: float | None = None
    tpr0: float | None = None
    tpr10: float | None = None
    parameters: int | None = None
    trainable_parameters: int | None = None
    bands: tuple[str, ...] = ("u", "g", "r", "i")


@dataclass(frozen=True)
class System:
    """One row of the table: a network, where it is from and how sure we are of it.

    Parameters
    ----------
    name : str
        What it is built by.
    group : str
        "paper", "challenge", "survey" or "ours".
    source : str
        Publication, or "this project".
    structure : str
        In a line. For the paper's rows the published string: ``n conv`` counts
        convolutions, ``n H_d`` heads of dimension d of each attention, and
        ``n (E)`` attentions.
    spec : DetectorSpec or MergedSpec
        What is built.
    parameters : int
        Of what is built, at four bands; averages that are not trained included.
    reading : str
        What of the structure is published and what is our reading.
    published : Published or None
        Figures of the original.
    stem_from : str or None
        The row whose trained stem can be restored into this one.
    """

    name: str
    group: str
    source: str
    structure: str
    spec: DetectorSpec | MergedSpec = field(repr=False)
    parameters: int
    reading: str
    published: Published | None = None
    stem_from: str | None = None
