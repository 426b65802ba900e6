"""Knobs: what a search may turn, one number each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras_tuner import HyperParameters

from lensdetect.training.plan import CosineSchedule, Plan

#: Factors on the widths of what a search starts from.
WIDTH_FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)
#: Rates of dropout; the published detectors go up to 0.5.
DROPOUTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class Knob:
    """One number that a search may turn.

    Parameters
    ----------
    name : str
        Begins with the part that it belongs to: ``stem_width``.
    default : int, float or str
        Where it stands in what the search starts from.
    values : tuple
        What it may be set to; for a range its two ends.
    turn : callable
        ``turn(spec, value)``, or ``turn(plan, value)``, gives the changed one.
    is_range : bool
        Whether every number between the two ends will do, drawn evenly in its logarithm.
    """

    name: str
    default: Any
    values: tuple
    turn: Callable[[Any, Any], Any]
    is_range: bool = False

    def declare(self, hyperparameters: HyperParameters) -> None:
        """Add the knob to a search space of keras-tuner.

        Parameters
        ----------
        hyperparameters : HyperParameters
            The space.
        """
        if self.is_range:
            low, high = self.values
            hyperparameters.Float(self.name, low, high, sampling="log", default=self.default)
        else:
            hyperparameters.Choice(self.name, list(self.values), default=self.default)


def choice(name: str, grid: tuple, *, default: Any, turn: Callable[[Any, Any], Any]) -> Knob:
    """Knob with a grid of values, to which where it stands is added.

    Parameters
    ----------
    name : str
        Of the knob.
    grid : tuple
        Values of one type.
    default : int, float or str
        Where it stands.
    turn : callable
        As ``Knob`` takes it.

    Returns
    -------
    Knob
    """
    default = type(grid[0])(default)
    return Knob(name, default, tuple(sorted({*grid, default})), turn)


def field_choice(part: str, field: str, grid: tuple, *, spec: Any) -> Knob:
    """Knob that is one field of a part.

    Parameters
    ----------
    part : str
        "stem", "encoder" or "head".
    field : str
        Name of the field.
    grid : tuple
        Values of one type.
    spec : DetectorSpec
        What the search starts from.

    Returns
    -------
    Knob
    """

    def turn(spec, value):
        return dataclasses.replace(spec, **{part: dataclasses.replace(getattr(spec, part), **{field: value})})

    name = f"{part}_{field.removeprefix('num_')}"
    return choice(name, grid, default=getattr(getattr(spec, part), field), turn=turn)


def plan_knobs(plan: Plan) -> tuple[Knob, ...]:
    """What can be turned in a plan: learning rate, weight decay, batch size.

    Parameters
    ----------
    plan : Plan
        What the search starts from.

    Returns
    -------
    tuple of Knob
    """
    rate, decay, batch = learning_rate(plan), plan.stages[0].weight_decay, plan.batch_size
    batches = {max(1, batch // 2), batch, 2 * batch}
    return (
        Knob("plan_learning_rate", rate, (rate / 8, rate * 4), with_learning_rate, is_range=True),
        choice("plan_weight_decay", (0.0, 0.002, 0.01, 0.02, 0.05, 0.1), default=decay, turn=_with_weight_decay),
        choice("plan_batch_size", tuple(sorted(batches)), default=batch, turn=_with_batch_size),
    )


def learning_rate(plan: Plan) -> float:
    """First or highest learning rate of the first stage of a plan.

    Parameters
    ----------
    plan : Plan
        Which plan.

    Returns
    -------
    float
    """
    schedule = plan.stages[0].schedule
    return schedule.peak if isinstance(schedule, CosineSchedule) else schedule.initial


def with_learning_rate(plan: Plan, rate: float) -> Plan:
    """Plan with another learning rate, that of all stages in proportion.

    Parameters
    ----------
    plan : Plan
        Which plan.
    rate : float
        For its first stage.

    Returns
    -------
    Plan
    """
    factor = rate / learning_rate(plan)
    stages = []
    for stage in plan.stages:
        field = "peak" if isinstance(stage.schedule, CosineSchedule) else "initial"
        schedule = dataclasses.replace(stage.schedule, **{field: getattr(stage.schedule, field) * factor})
        stages.append(dataclasses.replace(stage, schedule=schedule))
    return dataclasses.replace(plan, stages=tuple(stages))


def _with_weight_decay(plan: Plan, decay: float) -> Plan:
    return dataclasses.replace(plan, stages=tuple(dataclasses.replace(s, weight_decay=decay) for s in plan.stages))


def _with_batch_size(plan: Plan, batch_size: int) -> Plan:
    return dataclasses.replace(plan, batch_size=batch_size)
