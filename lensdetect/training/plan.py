"""What a training plan is made of: frozen, and written beside every run."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from lensdetect.artifact.weights import PARTS
from lensdetect.errors import InputError, unknown_name
from lensdetect.fields import from_table, within
from lensdetect.network.augmentation import Augmentation

#: More than anybody trains with: a file that asks for more is damaged.
_MOST_EPOCHS, _MOST_STAGES, _LARGEST_BATCH = 1_000_000, 1000, 65_536


@dataclass(frozen=True)
class CosineSchedule:
    """Linear warm-up, then half a cosine down to zero at the end of the stage.

    Loshchilov & Hutter 2017 (arXiv 1608.03983), without restarts.

    Parameters
    ----------
    peak : float
        Highest learning rate.
    warmup_epochs : float
        Length of the warm-up.
    """

    peak: float
    warmup_epochs: float = 1.0

    def __post_init__(self):
        """Check the numbers."""
        within(self.peak, low=1e-12, high=1e6, place="the peak of a CosineSchedule")
        within(self.warmup_epochs, low=0, high=_MOST_EPOCHS, place="warmup_epochs of a CosineSchedule")

    def build(self, *, steps_per_epoch: int, epochs: int) -> keras.optimizers.schedules.LearningRateSchedule:
        """Keras schedule of a stage.

        Parameters
        ----------
        steps_per_epoch, epochs : int
            Length of the stage.

        Returns
        -------
        LearningRateSchedule
        """
        total = steps_per_epoch * epochs
        # A short stage still has to come down.
        warmup = min(math.ceil(self.warmup_epochs * steps_per_epoch), total // 2)
        if not warmup:
            return keras.optimizers.schedules.CosineDecay(self.peak, total)
        return keras.optimizers.schedules.CosineDecay(0.0, total - warmup, warmup_target=self.peak, warmup_steps=warmup)


@dataclass(frozen=True)
class ExponentialSchedule:
    """Continuous exponential decay.

    Parameters
    ----------
    initial : float
        First learning rate.
    decay_steps : int
        Steps after which it is ``decay_rate`` times smaller.
    decay_rate : float
        Factor.
    """

    initial: float
    decay_steps: int
    decay_rate: float

    def __post_init__(self):
        """Check the numbers."""
        within(self.initial, low=1e-12, high=1e6, place="initial of an ExponentialSchedule")
        within(self.decay_steps, low=1, high=10**12, place="decay_steps of an ExponentialSchedule")
        within(self.decay_rate, low=1e-12, high=1, place="decay_rate of an ExponentialSchedule")

    def build(self, *, steps_per_epoch: int, epochs: int) -> keras.optimizers.schedules.LearningRateSchedule:
        """Keras schedule of a stage.

        Parameters
        ----------
        steps_per_epoch, epochs : int
            Length of the stage, on which this schedule does not depend.

        Returns
        -------
        LearningRateSchedule
        """
        return keras.optimizers.schedules.ExponentialDecay(self.initial, self.decay_steps, self.decay_rate)


@dataclass(frozen=True)
class TrainingStage:
    """Epochs with one optimizer.

    Parameters
    ----------
    epochs : int
        Passes over the training stamps.
    schedule : CosineSchedule or ExponentialSchedule
        Learning rate.
    weight_decay : float
        Of AdamW; 0 is Adam.
    part_rates : tuple of (str, float)
        Parts that learn at another rate, and by what factor: early layers see
        what all images have in common and need less change than late ones
        (Howard & Ruder 2018, arXiv 1801.06146). 0 leaves a part as it is.
    """

    epochs: int
    schedule: CosineSchedule | ExponentialSchedule
    weight_decay: float = 0.0
    part_rates: tuple[tuple[str, float], ...] = ()

    def __post_init__(self):
        """Check the number of epochs."""
        if self.epochs < 1:
            raise InputError(f"a stage of training needs at least one epoch, got {self.epochs}")
        within(self.epochs, low=1, high=_MOST_EPOCHS, place="epochs of a stage")
        within(self.weight_decay, low=0, high=1e6, place="weight_decay of a stage")
        for part, rate in self.part_rates:
            if part not in PARTS:
                raise unknown_name("part", part, PARTS)
            within(rate, low=0, high=1e3, place=f"the rate of part {part} of a stage")


@dataclass(frozen=True)
class Plan:
    """How a detector is trained.

    Parameters
    ----------
    name : str
        Of the plan.
    stages : tuple of TrainingStage
        One after the other, each with a fresh optimizer.
    batch_size : int
        Stamps in a batch.
    augmentation : Augmentation
        What may happen to a training stamp.
    validation_fraction : float
        Part of the stamps that is held out, drawn with the seed of the training.
    patience : int or None
        Epochs without a better validation AUROC after which training stops and
        the best epoch is kept; None trains to the last epoch and keeps that.
    keep_undetected : bool
        Whether sources whose arcs cannot be seen are trained on, as others than
        lenses; they are left out unless asked for.
    start_share : float
        Of the weights of the detector that the training starts from, in the mean of
        both that is exported: what a detector knew of other skies is kept better so,
        at the cost of one (Wortsman+ 2022, arXiv 2109.01903). 0 exports what was trained.
    """

    name: str
    stages: tuple[TrainingStage, ...]
    batch_size: int
    augmentation: Augmentation
    validation_fraction: float = 0.1
    patience: int | None = None
    keep_undetected: bool = False
    start_share: float = 0.0

    def __post_init__(self):
        """Check the numbers."""
        if not self.stages:
            raise InputError(f"plan {self.name} needs at least one stage, got none")
        if self.batch_size < 1:
            raise InputError(f"plan {self.name} needs batches of at least one stamp, got {self.batch_size}")
        within(self.batch_size, low=1, high=_LARGEST_BATCH, place=f"batch_size of plan {self.name}")
        within(len(self.stages), low=1, high=_MOST_STAGES, place=f"the number of stages of plan {self.name}")
        if not 0 < self.validation_fraction < 1:
            raise InputError(f"validation_fraction must lie between 0 and 1, got {self.validation_fraction}")
        if not 0 <= self.start_share < 1:
            raise InputError(f"start_share must be at least 0 and below 1, got {self.start_share}")
        if self.patience is not None and self.patience < 1:
            raise InputError(f"patience must be at least one epoch, or None for no early end, got {self.patience}")

    @property
    def epochs(self) -> int:
        """Epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    def with_epochs(self, epochs: int) -> Plan:
        """The same plan over another number of epochs, shared in proportion.

        Parameters
        ----------
        epochs : int
            At least one for each stage.

        Returns
        -------
        Plan

        Raises
        ------
        InputError
            If there are fewer epochs than stages.
        """
        count = len(self.stages)
        if epochs < count:
            raise InputError(f"plan {self.name} has {count} stages and needs an epoch for each, got {epochs}")
        done = np.cumsum([stage.epochs for stage in self.stages]) / self.epochs
        # Every stage keeps at least one epoch, whatever the rounding.
        ends = [int(np.clip(round(epochs * end), i + 1, epochs - count + i + 1)) for i, end in enumerate(done)]
        lengths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
        stages = tuple(dataclasses.replace(s, epochs=n) for s, n in zip(self.stages, lengths, strict=True))
        return dataclasses.replace(self, stages=stages)

    def as_dict(self) -> dict[str, Any]:
        """Plan in JSON values, for ``plan.json`` and cards.

        Returns
        -------
        dict
            For ``plan_from_dict``.
        """
        stages = [
            dataclasses.asdict(stage) | {"schedule": {"kind": type(stage.schedule).__name__, **vars(stage.schedule)}}
            for stage in self.stages
        ]
        return dataclasses.asdict(self) | {"stages": stages}


_SCHEDULES = {kind.__name__: kind for kind in (CosineSchedule, ExponentialSchedule)}


def plan_from_dict(values: dict[str, Any]) -> Plan:
    """Plan from what ``Plan.as_dict`` made, also after a trip through JSON.

    Parameters
    ----------
    values : dict
        Contents of ``plan.json``'s plan.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If a field is missing or unknown, or a value is of another type or out of range.
    """
    if isinstance(values, dict) and isinstance(values.get("stages"), list | tuple):
        values = values | {"stages": [_with_schedule(stage) for stage in values["stages"]]}
    return from_table(Plan, values, place="a plan")


def _with_schedule(stage: Any) -> Any:
    """A stage whose schedule is of the class that its ``kind`` names."""
    schedule = stage.get("schedule") if isinstance(stage, dict) else None
    if not isinstance(schedule, dict):
        return stage
    kind = str(schedule.get("kind"))
    if kind not in _SCHEDULES:
        raise unknown_name("learning-rate schedule", kind, _SCHEDULES)
    fields = {name: value for name, value in schedule.items() if name != "kind"}
    return stage | {"schedule": from_table(_SCHEDULES[kind], fields, place=f"a {kind}")}
