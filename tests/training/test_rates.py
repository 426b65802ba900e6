"""Parts of a detector that learn at another rate."""

from __future__ import annotations

import keras
import pytest

from lensdetect.errors import InputError
from lensdetect.training import CosineSchedule, TrainingStage, plan_from_dict
from lensdetect.training.optimizer import optimizer_of
from lensdetect.training.plans import PLANS


def stage(**more) -> TrainingStage:
    return TrainingStage(2, CosineSchedule(0.1, warmup_epochs=0), **more)


def moved(optimizer) -> dict[str, float]:
    """How far one step moves a weight of 2 in each part, at a gradient of 1."""
    variables = [keras.Variable([2.0], name="kernel", dtype="float32") for _ in range(3)]
    for variable, layer in zip(variables, ("stem_a", "encoder_a", "head_a"), strict=True):
        variable._path = f"{layer}/kernel"
    optimizer.build(variables)
    optimizer.apply([keras.ops.ones(1) for _ in variables], variables)
    return {variable.path: 2.0 - float(variable.numpy()[0]) for variable in variables}


def test_a_part_moves_as_far_as_its_rate_says():
    found = moved(optimizer_of(stage(part_rates=(("stem", 0.1), ("encoder", 0.0))), steps_per_epoch=10))
    assert found["head_a/kernel"] == pytest.approx(0.1, rel=1e-3)
    assert found["stem_a/kernel"] == pytest.approx(0.01, rel=1e-3)
    assert found["encoder_a/kernel"] == 0.0


def test_without_rates_it_is_adamw_with_them_the_same_where_they_are_1():
    plain = moved(optimizer_of(stage(weight_decay=0.5), steps_per_epoch=10))
    partwise = moved(optimizer_of(stage(weight_decay=0.5, part_rates=(("stem", 1.0),)), steps_per_epoch=10))
    for path, distance in plain.items():
        assert partwise[path] == pytest.approx(distance, rel=1e-5)


def test_the_decay_of_weights_has_the_rate_too():
    found = moved(optimizer_of(stage(weight_decay=0.5, part_rates=(("stem", 0.1),)), steps_per_epoch=10))
    # the decay is 2 * 0.5 * rate, the step is the rate
    assert found["stem_a/kernel"] == pytest.approx(0.02, rel=1e-3)


def test_rates_travel_with_the_plan():
    plan = PLANS["fine_tune"]
    assert plan_from_dict(plan.as_dict()) == plan
    older = plan.as_dict()
    del older["stages"][0]["part_rates"]
    assert plan_from_dict(older).stages[0].part_rates == ()


@pytest.mark.parametrize("rates", [(("tail", 0.1),), (("stem", -1.0),)])
def test_rates_that_are_none(rates):
    with pytest.raises(InputError, match="unknown part 'tail'|the rate of part stem of a stage must be from 0"):
        stage(part_rates=rates)
