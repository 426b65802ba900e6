"""Plans: checked, shared over epochs, through JSON and back."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.network import Augmentation
from lensdetect.training import (
    PLANS,
    CosineSchedule,
    ExponentialSchedule,
    Plan,
    TrainingStage,
    get_plan,
    plan_from_dict,
)

STAGE = TrainingStage(2, ExponentialSchedule(1e-3, 10, 0.9))


def rates(schedule, steps) -> np.ndarray:
    return np.asarray([float(schedule(step)) for step in steps])


@pytest.mark.parametrize("name", PLANS)
def test_plan_survives_json(name):
    plan = dataclasses.replace(get_plan(name), patience=7)
    assert plan_from_dict(json.loads(json.dumps(plan.as_dict()))) == plan


def test_published_plan_is_that_of_the_paper():
    plan = get_plan("published")
    assert [stage.epochs for stage in plan.stages] == [300, 100]
    assert [stage.schedule for stage in plan.stages] == [
        ExponentialSchedule(1e-4, 10_000, 0.9),
        ExponentialSchedule(1e-5, 1_000, 0.9),
    ]
    assert (plan.batch_size, plan.patience, [stage.weight_decay for stage in plan.stages]) == (32, None, [0, 0])


@pytest.mark.parametrize(
    ("epochs", "shared"), [(400, [300, 100]), (40, [30, 10]), (10, [8, 2]), (5, [4, 1]), (3, [2, 1]), (2, [1, 1])]
)
def test_epochs_are_shared_in_proportion(epochs, shared):
    plan = get_plan("published").with_epochs(epochs)
    assert [stage.epochs for stage in plan.stages] == shared
    assert plan.epochs == epochs


@pytest.mark.parametrize("epochs", [3, 7, 11, 100])
@pytest.mark.parametrize("lengths", [(1, 1, 98), (98, 1, 1), (1, 98, 1)])
def test_every_stage_keeps_an_epoch(lengths, epochs):
    stages = tuple(dataclasses.replace(STAGE, epochs=length) for length in lengths)
    plan = Plan("three", stages, 8, Augmentation()).with_epochs(epochs)
    assert plan.epochs == epochs
    assert min(stage.epochs for stage in plan.stages) >= 1


def test_fewer_epochs_than_stages():
    with pytest.raises(InputError, match="plan published has 2 stages and needs an epoch for each, got 1"):
        get_plan("published").with_epochs(1)


def test_unknown_plan():
    with pytest.raises(InputError, match="unknown plan 'adam': did you mean adamw"):
        get_plan("adam")


def test_cosine_rises_and_falls_to_zero():
    schedule = CosineSchedule(2e-3, warmup_epochs=2).build(steps_per_epoch=10, epochs=12)
    found = rates(schedule, [0, 10, 20, 70, 120])
    np.testing.assert_allclose(found, [0, 1e-3, 2e-3, 1e-3, 0], rtol=1e-4, atol=1e-9)


def test_cosine_without_warm_up_and_of_a_single_step():
    np.testing.assert_allclose(
        rates(CosineSchedule(2e-3, warmup_epochs=0).build(steps_per_epoch=10, epochs=1), [0, 5, 10]), [2e-3, 1e-3, 0]
    )
    assert rates(CosineSchedule(2e-3).build(steps_per_epoch=1, epochs=1), [0])[0] == pytest.approx(2e-3)


def test_short_cosine_still_comes_down():
    schedule = CosineSchedule(2e-3, warmup_epochs=5).build(steps_per_epoch=10, epochs=1)
    np.testing.assert_allclose(rates(schedule, [5, 10]), [2e-3, 0], atol=1e-9)


def test_exponential_decay_is_continuous():
    schedule = ExponentialSchedule(1e-4, 10_000, 0.9).build(steps_per_epoch=1, epochs=1)
    np.testing.assert_allclose(rates(schedule, [0, 5_000, 20_000]), 1e-4 * np.asarray([1, 0.9**0.5, 0.81]), rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stages": ()}, "plan p needs at least one stage, got none"),
        ({"batch_size": 0}, "batches of at least one stamp, got 0"),
        ({"validation_fraction": 0.0}, "validation_fraction must lie between 0 and 1, got 0.0"),
        ({"validation_fraction": 1.0}, "validation_fraction must lie between 0 and 1, got 1.0"),
        ({"patience": 0}, "patience must be at least one epoch, .* got 0"),
    ],
)
def test_bad_plans(changes, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(Plan("p", (STAGE,), 8, Augmentation()), **changes)


def test_stage_without_epochs():
    with pytest.raises(InputError, match="a stage of training needs at least one epoch, got 0"):
        dataclasses.replace(STAGE, epochs=0)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["batch_sise"], 8, "a plan must have exactly its known fields; .*batch_sise"),
        (["augmentation", "rotate"], True, "augmentation of a plan must have exactly its known fields; .*rotate"),
        (["stages", 0, "momentum"], 0.9, "part 1 of stages of a plan must have exactly its known fields; .*momentum"),
        (["stages", 0, "schedule", "kind"], "CosinSchedule", "unknown learning-rate schedule .* did you mean Cosine"),
        (["stages", 0, "schedule", "peak"], "1", "peak of a CosineSchedule must be a number, got '1'"),
        (
            ["stages", 0, "schedule"],
            None,
            "schedule of part 1 of stages of a plan must be a table or a table, got None",
        ),
        (["stages", 0, "epochs"], 10**12, "epochs of a stage must be from 1 to 1e.06, got 1e.12"),
        (["stages"], 3, "stages of a plan must be a list, each part of it a table, got 3"),
        (["batch_size"], 10**15, "batch_size of plan adamw must be from 1 to 65536, got 1e.15"),
        (["batch_size"], 64.5, "batch_size of a plan must be a whole number, got 64.5"),
        (["augmentation", "max_shift_pix"], 10**400, "max_shift_pix of augmentation of a plan must be a whole number"),
        (
            ["augmentation", "band_sets"],
            [["r", 0.5]],
            "part 1 of part 1 of band_sets of augmentation of a plan must be a l",
        ),
        (["patience"], "soon", "patience of a plan must be a whole number or nothing, got 'soon'"),
    ],
)
def test_unknown_fields(path, value, message):
    values = json.loads(json.dumps(get_plan("adamw").as_dict()))
    *inner, last = path
    place = values
    for key in inner:
        place = place[key]
    place[last] = value
    with pytest.raises(InputError, match=message):
        plan_from_dict(values)


def test_missing_field():
    values = get_plan("adamw").as_dict()
    del values["stages"]
    with pytest.raises(InputError, match=r"a plan must have exactly its known fields; missing: \['stages'\]"):
        plan_from_dict(values)
