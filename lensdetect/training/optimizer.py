"""The optimizer of a stage: AdamW, where need be with another learning rate for some parts of the detector."""

from __future__ import annotations

import keras

from lensdetect.artifact.weights import PARTS
from lensdetect.training.plan import TrainingStage

#: Keras numbers the optimizers of a process, and checkpoints go by name.
_NAME = "adamw"


class PartwiseAdamW(keras.optimizers.Adam):
    """AdamW whose step is multiplied by a factor of each variable's own.

    The gradient could not carry the factor, as Adam divides by its size. The
    decay of weights is part of the step, and so is multiplied too.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    decay : float
        Of weights, decoupled (Loshchilov & Hutter 2019, arXiv 1711.05101).
    rates : dict
        Beginning of a variable's path -> factor; 1 for all others.
    """

    def __init__(self, learning_rate, *, decay: float, rates: dict[str, float]):
        super().__init__(learning_rate, name=_NAME)
        self._decay, self._rates = decay, rates
        self._factors: list[float] = []

    def build(self, variables):
        """Make the moments, and look up the factor of each variable."""
        super().build(variables)
        self._factors = [self._factor(variable.path) for variable in variables]

    def _factor(self, path: str) -> float:
        return next((rate for begin, rate in self._rates.items() if path.startswith(begin)), 1.0)

    def update_step(self, gradient, variable, learning_rate):
        """One step of one variable."""
        rate = keras.ops.cast(learning_rate, variable.dtype) * self._factors[self._get_variable_index(variable)]
        self.assign_sub(variable, variable * self._decay * rate)
        super().update_step(gradient, variable, rate)


def optimizer_of(stage: TrainingStage, *, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """A fresh optimizer.

    Parameters
    ----------
    stage : TrainingStage
    steps_per_epoch : int

    Returns
    -------
    Optimizer
    """
    schedule = stage.schedule.build(steps_per_epoch=steps_per_epoch, epochs=stage.epochs)
    if not stage.part_rates:
        return keras.optimizers.AdamW(schedule, weight_decay=stage.weight_decay, name=_NAME)
    rates = {begin: rate for part, rate in stage.part_rates for begin in PARTS[part]}
    return PartwiseAdamW(schedule, decay=stage.weight_decay, rates=rates)
