from __future__ import annotations

import keras
import pytest

from lensdetect.errors import InputError
from lensdetect.network import DETECTORS, SYSTEMS, DetectorSpec, MergedSpec, build_detector
from lensdetect.training import PLANS, find_detector_spec, find_plan
from lensdetect.training.tuning import PARTS, knobs_of, turned

PLAN = PLANS["adamw"]


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_has_knobs_that_stand_where_it_does(name):
    spec = DETECTORS[name]
    knobs = knobs_of(spec, PLAN)
    assert turned(spec, PLAN, knobs=knobs, values={knob.name: knob.default for knob in knobs}) == (spec, PLAN)
    assert len({knob.name for knob in knobs}) == len(knobs)
    for knob in knobs:
        assert knob.is_range or knob.default in knob.values
        changed = next(value for value in knob.values if value != knob.default)
        others = {other.name: other.default for other in knobs} | {knob.name: changed}
        assert turned(spec, PLAN, knobs=knobs, values=others) != (spec, PLAN), knob.name
    if isinstance(spec, MergedSpec):
        assert {knob.name.split("_")[0] for knob in knobs} == {"plan"}


def test_arcformer_is_tuned_in_all_its_parts():
    knobs = knobs_of(DETECTORS["arcformer_small"], PLAN)
    assert {knob.name.split("_")[0] for knob in knobs} == set(PARTS)
    assert {"stem_width", "stem_token_stride", "encoder_heads", "encoder_blocks", "head_dropout"} < {
        knob.name for knob in knobs
    }


def test_heads_change_the_width_of_the_tokens_and_any_setting_can_be_built():
    spec = DETECTORS["arcformer_test"]
    knobs = knobs_of(spec, PLAN, parts=("stem", "encoder", "head"))
    for pick in (0, -1):
        changed, _ = turned(spec, PLAN, knobs=knobs, values={knob.name: knob.values[pick] for knob in knobs})
        heads, dim = changed.encoder.num_heads, changed.stem.stages[-1].filters
        values = {knob.name: knob.values[pick] for knob in knobs}
        assert (heads, dim) == (values["encoder_heads"], values["encoder_heads"] * values["encoder_head_dim"])
        assert changed.encoder.mlp_dim == values["encoder_mlp_ratio"] * dim
        if pick == 0:
            assert isinstance(build_detector(changed, size=33), keras.Model)


def test_plan_of_stages_keeps_their_proportions():
    plan = PLANS["published"]
    knobs = knobs_of(DETECTORS["cnn_3"], plan, parts=["plan"])
    values = {knob.name: knob.default for knob in knobs} | {"plan_learning_rate": 3e-4, "plan_batch_size": 64}
    _, changed = turned(DETECTORS["cnn_3"], plan, knobs=knobs, values=values)
    assert [stage.schedule.initial for stage in changed.stages] == pytest.approx([3e-4, 3e-5])
    assert changed.batch_size == 64 and changed.epochs == plan.epochs


def test_parts_that_are_none_or_have_nothing():
    with pytest.raises(InputError, match="unknown part to tune 'steam': did you mean stem"):
        knobs_of(DETECTORS["arcformer_small"], PLAN, parts=["steam"])
    without = next(n for n in SYSTEMS if isinstance(DETECTORS.get(n), DetectorSpec) and DETECTORS[n].encoder is None)
    with pytest.raises(InputError, match="needs something to turn, got nothing in encoder"):
        knobs_of(DETECTORS[without], PLAN, parts=["encoder"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "x.json must be JSON with a plan"),
        ("[]", "x.json must be JSON with a plan, got a list"),
        ("{}", "x.json: a plan must have exactly its known fields; missing:"),
    ],
)
def test_plan_files_that_are_none(tmp_path, text, message):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=message):
        find_plan(str(tmp_path / "x.json"))


def test_spec_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="none.json must be a file with a spec, got No such file"):
        find_detector_spec(str(tmp_path / "none.json"))
    (tmp_path / "x.json").write_text('{"kind": "PreNormEncoder"}')
    with pytest.raises(InputError, match="x.json must hold a whole detector, got a PreNormEncoder"):
        find_detector_spec(str(tmp_path / "x.json"))
    assert find_detector_spec("arcformer_small") == "arcformer_small" and find_plan("adamw") == PLAN
