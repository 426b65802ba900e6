"""Graded objects among simulated stamps: how often each is shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lensdetect.data.joined import JoinedStamps, Part
from lensdetect.data.order import Stamps
from lensdetect.errors import InputError
from lensdetect.fields import within
from lensdetect.stamps import undetected

#: By how much a rare kind is shown more often, and a frequent one less, at most.
_MOST_FACTOR = 3.0
#: Of the simulated stamps shown, no more than this share is lenses, nor of others.
_MOST_SHIFT = 0.8


@dataclass(frozen=True)
class Mixture:
    """What an epoch consists of.

    Parameters
    ----------
    share : float
        Of graded objects among all that an epoch shows; the rest is simulated.
    most_times : float
        How often a graded object is shown in an epoch, on average over all of
        them, at most: more often, and it is learned by heart.
    """

    share: float = 0.3
    most_times: float = 8.0

    def __post_init__(self):
        """Check the numbers."""
        within(self.share, low=0.01, high=1.0, place="the share of graded objects")
        within(self.most_times, low=1.0, high=100.0, place="how often a graded object is shown")


def mix(
    graded: Stamps,
    labels: pd.DataFrame,
    stamps: Sequence[Stamps],
    *,
    mixture: Mixture | None = None,
    told: dict[str, Any] | None = None,
) -> JoinedStamps:
    """Graded objects and simulated stamps as one set to train on.

    Rare kinds weigh more, by the square root of how much rarer they are than the
    mean kind, so that a hundred spirals do not drown five ring galaxies; lenses
    count as one kind. The share is met by showing as many of the simulated
    stamps in an epoch as it takes, each epoch others; where there are too few
    of them, the graded ones are shown less often. Grades are hard negatives most
    of all, so more of the simulated lenses are shown: an epoch has the share of
    lenses that the simulated stamps have by themselves.

    Parameters
    ----------
    graded : Stamps
        Graded objects.
    labels : DataFrame
        ``is_lens``, ``weight`` and ``kind`` of each, in order.
    stamps : sequence of Stamps
        Simulated or painted sets; may be empty.
    mixture : Mixture, optional
    told : dict, optional
        What the manifest shall tell of them.

    Returns
    -------
    JoinedStamps

    Raises
    ------
    InputError
        If all are of one class, or the sets do not go together.
    """
    mixture = mixture or Mixture()
    truths = [graded.truth, *(one.truth for one in stamps)]
    is_lens = np.concatenate([truth["is_lens"].to_numpy(bool) for truth in truths])
    if is_lens.all() or not is_lens.any():
        came = "lenses" if is_lens.all() else "others"
        raise InputError(
            f"a detector learns from lenses and others, got {len(is_lens)} {came} alone: "
            "grade more, or mix simulated stamps in with --stamps"
        )
    relative = _relative_weights(labels)
    used = [~undetected(one.truth) for one in stamps]
    simulated = sum(map(np.sum, used))
    shown, rest = _shown(relative.sum(), simulated, mixture)
    weights = relative * shown / relative.sum()
    parts = [Part(graded, weights)]
    if rest:
        lens_weight, other_weight = _balanced(weights[labels["is_lens"]].sum(), shown, rest, stamps, used)
        parts += [Part(one, np.where(one.truth["is_lens"], lens_weight, other_weight)) for one in stamps]
    return JoinedStamps(parts, told=told)


def _balanced(
    graded_lenses: float, graded: float, rest: float, stamps: Sequence[Stamps], used: Sequence[np.ndarray]
) -> tuple[float, float]:
    """Weights of simulated lenses and of others, so that an epoch has the share of lenses of the simulated alone."""
    counts = [(np.sum(one.truth["is_lens"][rows]), np.sum(rows)) for one, rows in zip(stamps, used, strict=True)]
    lenses, everything = np.sum(counts, axis=0)
    if lenses in (0, everything):
        return rest / everything, rest / everything
    wanted = lenses / everything * (graded + rest) - graded_lenses
    shown = np.clip(wanted, (1.0 - _MOST_SHIFT) * rest, _MOST_SHIFT * rest)
    return shown / lenses, (rest - shown) / (everything - lenses)


def _shown(total: float, simulated: int, mixture: Mixture) -> tuple[float, float]:
    """How many graded and how many simulated stamps an epoch shows."""
    graded = mixture.most_times * total
    if not simulated or mixture.share == 1.0:
        return graded, 0.0
    ratio = (1.0 - mixture.share) / mixture.share
    graded = min(graded, simulated / ratio)
    return graded, graded * ratio


def _relative_weights(labels: pd.DataFrame) -> np.ndarray:
    """Weight of each object, on average that of its grades."""
    counts = labels.groupby("kind")["weight"].transform("sum").to_numpy(float)
    mean = labels["weight"].sum() / labels["kind"].nunique()
    factor = np.clip(np.sqrt(mean / counts), 1.0 / _MOST_FACTOR, _MOST_FACTOR)
    relative = labels["weight"].to_numpy(float) * factor
    return relative * labels["weight"].sum() / relative.sum()


def plan_for(card_plan: dict[str, Any] | None, *, epochs: int | None = None):
    """Plan by which a detector is trained further.

    Parameters
    ----------
    card_plan : dict or None
        Plan of its own training: it goes on with the bands left out that it was trained with.
    epochs : int, optional
        Instead of those of the plan ``fine_tune``.

    Returns
    -------
    Plan
    """
    from lensdetect.training import get_plan, plan_from_dict

    plan = get_plan("fine_tune")
    if card_plan is not None:
        plan = dataclasses.replace(plan, augmentation=plan_from_dict(card_plan).augmentation)
    return plan if epochs is None else plan.with_epochs(epochs)
