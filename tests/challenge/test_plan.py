from __future__ import annotations

import pytest

from lensdetect.challenge import CHALLENGE_PLANS, ChallengePlan, get_challenge_plan, parse_entry
from lensdetect.challenge.plan import plan_from_values, shortened
from lensdetect.errors import InputError
from lensdetect.training import PLANS

BANDS = ("u", "g", "r", "i")


@pytest.mark.parametrize("name", CHALLENGE_PLANS)
def test_systems_of_the_plans_exist(name):
    plan = get_challenge_plan(name)
    assert plan.name == name and len(plan.systems) >= 9
    for system in plan.systems:
        parse_entry(system, bands=BANDS)
    assert plan_from_values(plan.as_dict()) == plan


def test_ours_and_the_others_have_their_own_recipes():
    plan = get_challenge_plan("full")
    assert plan.training_plan("arcformer_small", bands=BANDS).stages == PLANS["adamw"].stages
    assert plan.training_plan("cnn_3", bands=BANDS).stages == PLANS["published"].stages
    # The same stamps are held out of all trainings.
    fractions = {plan.training_plan(name, bands=BANDS).validation_fraction for name in ("arcformer_small", "cnn_3")}
    assert fractions == {plan.validation_fraction} == {plan.splitting_plan().validation_fraction}


def test_sets_of_bands_beyond_the_stamps_are_left_out():
    plan = get_challenge_plan("full").training_plan("arcformer_small", bands=("g", "r", "i"))
    assert [names for names, _ in plan.augmentation.band_sets] == [("r",)]


@pytest.mark.parametrize(("epochs", "stages"), [(1, [1]), (2, [1, 1]), (8, [6, 2]), (400, [300, 100])])
def test_recipe_at_another_length(epochs, stages):
    assert [stage.epochs for stage in shortened(PLANS["published"], epochs).stages] == stages


def test_plan_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('systems = ["cnn_3", "all_star"]\nepochs = 3\nrepeats = 2\n')
    expected = ChallengePlan("mine", ("cnn_3", "all_star"), epochs=3, repeats=2)
    assert get_challenge_plan(path) == expected
    (tmp_path / "mine.json").write_text('{"systems": ["cnn_3", "all_star"], "epochs": 3, "repeats": 2}')
    assert get_challenge_plan(tmp_path / "mine.json") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "unknown field 'epoch': a plan has epochs, minutes"),
        ("epochs = 3\nminutes = 2", "must set minutes or epochs, got both"),
        ("minutes = 0", "minutes of plan bad must be more than 0, got 0"),
        ("validation_fraction = 1", "validation_fraction of plan bad must lie between 0 and 1, got 1"),
        ('recipe = "adam"', "unknown plan 'adam': did you mean adamw"),
        ("repeats = ", "bad.toml must hold a plan: "),
        ('epochs = "three"', "bad.toml must hold a plan: "),
    ],
)
def test_bad_file_says_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        get_challenge_plan(path)


def test_no_such_plan():
    with pytest.raises(InputError, match="a plan must be quick, full, or a .toml or .json file, got quik"):
        get_challenge_plan("quik")
