"""The detectors of a search, and how they speak with one voice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from lensdetect.artifact import detector_for, find_detector
from lensdetect.artifact.card import verify
from lensdetect.artifact.conversion import PIXEL_SCALE_TOLERANCE
from lensdetect.artifact.factory import ScorerFactory
from lensdetect.errors import InputError
from lensdetect.survey import Survey

#: Called once in each process; what it returns takes cutouts (n, size, size,
#: band) and gives float32 logits (n, detectors).
MakeScorer = Callable[[], Callable[[np.ndarray], np.ndarray]]


@dataclass(frozen=True)
class Member:
    """What turns the logit of one detector into a probability.

    Parameters
    ----------
    name : str
        For the column of its logits.
    slope, intercept : float
        Of its calibration, ``sigmoid(slope * logit + intercept)``.
    lens_fraction : float
        Share of lenses among the stamps on which it was calibrated.
    digest : str
        Tells its weights and its card from any others.
    """

    name: str
    slope: float = 1.0
    intercept: float = 0.0
    lens_fraction: float = 0.5
    digest: str = ""


@dataclass(frozen=True)
class Committee:
    """One or more detectors that score the same cutouts.

    Parameters
    ----------
    members : tuple of Member
        In the order of the columns of what ``make_scorer`` makes.
    make_scorer : callable
        Can be pickled, as all of this.
    bands : tuple of str
        Of the cutouts that it takes.
    size : int
        Side of the cutouts in pixels.
    pixel_scale_arcsec : float
    """

    members: tuple[Member, ...]
    make_scorer: MakeScorer
    bands: tuple[str, ...]
    size: int
    pixel_scale_arcsec: float

    def combine(self, logits: np.ndarray, *, prior: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """One logit and one probability of each cutout.

        Of one detector the logit is its own. Of several it is the mean of their
        calibrated logits, each moved to the share of lenses of the first by
        Bayes' rule: the odds change by the ratio of the prior odds.

        Parameters
        ----------
        logits : ndarray
            ``(n, detectors)``.
        prior : float, optional
            Share of lenses among the objects; that of the stamps on which the
            first detector was calibrated, if not given.

        Returns
        -------
        tuple of ndarray
            float32 logit ``(n,)``, by which is ranked, and probability ``(n,)``.
        """
        first = self.members[0]
        calibrated = np.stack(
            [
                member.slope * column.astype(np.float64) + member.intercept - logit(member.lens_fraction)
                for member, column in zip(self.members, logits.T, strict=True)
            ]
        ).mean(axis=0) + logit(first.lens_fraction)
        shift = 0.0 if prior is None else logit(prior) - logit(first.lens_fraction)
        own = logits[:, 0] if len(self.members) == 1 else calibrated
        return own.astype(np.float32), expit(calibrated + shift).astype(np.float32)


def committee_of(models: Sequence[str | Path | None], survey: Survey) -> Committee:
    """Committee of trained detectors for the tiles of a survey.

    Parameters
    ----------
    models : sequence of str, path or None
        Names or folders; None is the one that comes with the package for that survey.
    survey : Survey
        Bands that no detector takes are not read.

    Returns
    -------
    Committee

    Raises
    ------
    InputError
        If a detector is not found, is named twice, takes no band of the survey,
        or has pixels of another scale than the first.
    ArtifactError
        If a folder has no card, or is not as it was saved.
    """
    folders = [find_detector(detector_for(survey.name) if model is None else model) for model in models or [None]]
    if len(set(folders)) < len(folders):
        raise InputError(f"detectors of a search must be different, got {', '.join(map(str, models))}: name each once")
    cards = [verify(folder) for folder in folders]
    for card in cards:
        if not set(card.band_names) & set(survey.band_names):
            raise InputError(
                f"detector {card.name} takes the bands {', '.join(card.band_names)}, survey {survey.name} has "
                f"{', '.join(survey.band_names)}: choose one for these bands"
            )
        if abs(card.pixel_scale_arcsec / cards[0].pixel_scale_arcsec - 1) > PIXEL_SCALE_TOLERANCE:
            raise InputError(
                f"detectors of a search must have one pixel scale, got {cards[0].pixel_scale_arcsec} arcsec of "
                f"{cards[0].name} and {card.pixel_scale_arcsec} arcsec of {card.name}: search with each"
            )
    wanted = {name for card in cards for name in card.band_names}
    bands = tuple(band for band in survey.bands if band.name in wanted)
    scale = cards[0].pixel_scale_arcsec
    names = tuple(band.name for band in bands)
    factory = ScorerFactory(
        tuple(str(folder.resolve()) for folder in folders),
        names,
        tuple(band.zero_point_mag for band in bands),
        scale,
        tuple(card.digest for card in cards),
    )
    members = tuple(
        _member(card, f"{card.name}-{card.survey}/{folder.name}") for card, folder in zip(cards, folders, strict=True)
    )
    return Committee(_named_apart(members), factory, names, max(card.size for card in cards), scale)


def _member(card, name: str) -> Member:
    figures = next(iter(card.metrics.values()), {})
    known = figures.get("lenses") and figures.get("stamps")
    share = figures["lenses"] / figures["stamps"] if known else 0.5
    return Member(name, **card.calibration, lens_fraction=share, digest=card.digest)


def _named_apart(members: tuple[Member, ...]) -> tuple[Member, ...]:
    names = [member.name for member in members]
    return tuple(
        member if names.count(member.name) == 1 else dataclasses.replace(member, name=f"{member.name} ({place})")
        for place, member in enumerate(members, start=1)
    )
