"""The detectors of a search, and how they speak with one voice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from lensdetect.artifact import Calibration, Card, check_program, find_detector, title_of, verify
from lensdetect.artifact.factory import ScorerFactory
from lensdetect.artifact.shipped import is_shipped
from lensdetect.artifact.views import titled
from lensdetect.errors import InputError
from lensdetect.images.properties import PIXEL_SCALE_TOLERANCE
from lensdetect.metrics import prior_corrected
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
    calibration : Calibration
        For the bands of the cutouts.
    digest : str
        Tells its weights and its card from any others.
    views : int
        Its logit is the mean over so many views of a cutout.
    """

    name: str
    calibration: Calibration = Calibration()
    digest: str = ""
    views: int = 1

    @property
    def title(self) -> str:
        """Its name, and its views if there are several."""
        return titled(self.name, self.views)


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

    def check_prior(self, prior: float | None) -> None:
        """Refuse a prior that cannot be used, before anything is scored.

        Parameters
        ----------
        prior : float or None
            As ``combine`` takes it.

        Raises
        ------
        InputError
            If it is no fraction, or a detector does not know that of its calibration.
        """
        self.combine(np.zeros((0, len(self.members)), np.float32), prior=prior)

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
        if len(self.members) == 1:
            (member,) = self.members
            probability = expit(member.calibration.logit(logits[:, 0], prior=prior))
            return logits[:, 0].astype(np.float32), probability.astype(np.float32)
        first = self.members[0].calibration.lens_fraction
        columns = zip(self.members, logits.T, strict=True)
        mean = np.mean([member.calibration.logit(column, prior=first) for member, column in columns], axis=0)
        moved = mean if prior is None else prior_corrected(mean, training_prior=first, prior=prior)
        return mean.astype(np.float32), expit(moved).astype(np.float32)


def committee_of(
    models: Sequence[str | Path | None], survey: Survey, *, views: int = 1, trust_model: bool = False
) -> Committee:
    """Committee of trained detectors for the tiles of a survey.

    Parameters
    ----------
    models : sequence of str, path or None
        Names or folders; None is the one that comes with the package for that survey.
    survey : Survey
        Bands that no detector takes are not read.
    views : int
        8 for the mean logit over turns and mirrors, at eight times the cost.
    trust_model : bool
        Whether to take folders whose program does more than compute.

    Returns
    -------
    Committee

    Raises
    ------
    InputError
        If a detector is not found, is named twice, takes no band of the survey,
        or has pixels of another scale than the first, one of several does not
        know the share of lenses that it was calibrated on, or ``views`` is
        neither 1 nor 8.
    ArtifactError
        If a folder is incomplete or has been altered, or its program does more
        than compute.
    """
    folders = [find_detector(model, survey=survey.name) for model in models or [None]]
    if len(set(folders)) < len(folders):
        raise InputError(f"detectors of a search must be different, got {', '.join(map(str, models))}: name each once")
    # Here once and not in each process, where it would refuse every object.
    cards = [_checked(folder, trust_model=trust_model) for folder in folders]
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
        digests=tuple(card.digest for card in cards),
        trust_model=trust_model,
        views=views,
    )
    members = tuple(
        Member(title_of(card, folder), card.calibration_of(names), card.digest, views)
        for card, folder in zip(cards, folders, strict=True)
    )
    _check_priors(members)
    return Committee(_named_apart(members), factory, names, max(card.size for card in cards), scale)


def _checked(folder: Path, *, trust_model: bool) -> Card:
    card = verify(folder)
    # What comes with the package is not suspected, and TensorFlow not loaded for it.
    if not trust_model and not is_shipped(folder):
        check_program(folder)
    return card


def _check_priors(members: tuple[Member, ...]) -> None:
    unknown = [member.name for member in members if member.calibration.lens_fraction is None]
    if unknown and len(members) > 1:
        raise InputError(
            "detectors of a committee must know the share of lenses on which they were calibrated, "
            f"got none of {', '.join(unknown)}: search with each, or export it again from its run"
        )


def _named_apart(members: tuple[Member, ...]) -> tuple[Member, ...]:
    names = [member.name for member in members]
    return tuple(
        member if names.count(member.name) == 1 else dataclasses.replace(member, name=f"{member.name} ({place})")
        for place, member in enumerate(members, start=1)
    )
