"""Cards, plans, specs, surveys and populations with something wrong in them: a reading, or one clear error."""

from __future__ import annotations

import copy
import json
import random

import pytest

from lensdetect.artifact import CARD_FILE, find_detector, load_card
from lensdetect.errors import LensdetectError
from lensdetect.network import DETECTORS, spec_to_dict
from lensdetect.simulation import SkyPopulation
from lensdetect.simulation.bologna import BolognaPopulation
from lensdetect.simulation.overrides import population_toml, read_population
from lensdetect.survey import read_survey
from lensdetect.training import PLANS, find_detector_spec, find_plan

#: What stands in files that were damaged, made by hand or made to harm.
VALUES = (
    *(None, True, "", "x", "1", [], {}, [[]], 0, -1, 1.5, 10**9, 10**400, -1e300, 1e-300),
    *(float("nan"), float("inf"), [1, 2], ["u", "u"], {"kind": "Stage"}, "\x00", "\ud800"),
)
SURVEY = """\
name = "mine"
pixel_scale_arcsec = 0.25
source = "a paper"
[[bands]]
name = "r"
zero_point_mag = 27.0
depth_mag = 25.0
psf_fwhm_arcsec = 0.9
psf_fwhm_range_arcsec = [0.7, 1.2]
noise_range = [0.8, 1.3]
sky_mag_arcsec2 = 21.2
made_of = {r = 0.6, i = 0.4}
"""


def mutate_json(values, rng: random.Random):
    """Some values of a tree replaced, removed, doubled or renamed."""
    values = copy.deepcopy(values)
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = values
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = rng.choice(list(keys))
            if not isinstance(place[key], dict | list) or rng.random() < 0.3:
                break
            place = place[key]
        if not (isinstance(place, dict | list) and place):
            continue
        if rng.random() < 0.2:
            del place[key]
        elif rng.random() < 0.1 and isinstance(place, dict):
            place[f"{key}x"] = place.pop(key)
        else:
            place[key] = copy.deepcopy(rng.choice(VALUES))
    return values


def mutate_text(text: str, rng: random.Random) -> bytes:
    """Lines and letters replaced, removed, doubled."""
    lines = text.splitlines()
    for _ in range(rng.choice((1, 1, 2))):
        row = rng.randrange(len(lines))
        name, equals, _ = lines[row].partition(" = ")
        value = rng.choice(("nan", "inf", "-1", "0", "1e300", "[]", "[1]", "true", '"x"', "1" * 400, "{}", "", "[[["))
        lines[row] = f"{name}{equals}{value}" if rng.random() < 0.7 else rng.choice((lines[row] * 2, "", "[" + name))
    content = bytearray("\n".join(lines).encode())
    if rng.random() < 0.3:
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def reads_or_tells(read, inputs: int) -> None:
    """Read so many mutated inputs; anything but a result or an error of ours comes through."""
    refused = 0
    for _ in range(inputs):
        try:
            read()
        except LensdetectError as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 3000
    assert 0 < refused < inputs


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20260215)


def test_cards(tmp_path, chance):
    values = json.loads((find_detector() / CARD_FILE).read_text())
    del values["card_sha256"]
    (tmp_path / CARD_FILE).parent.mkdir()

    def read():
        (tmp_path / CARD_FILE).write_text(json.dumps(mutate_json(values, chance)))
        load_card(tmp_path).probability(2.0)

    reads_or_tells(read, 400)


def test_plans(tmp_path, chance):
    path = tmp_path / "plan.json"

    def read():
        plan = PLANS[chance.choice(list(PLANS))].as_dict()
        path.write_text(json.dumps(mutate_json(plan, chance)))
        find_plan(str(path)).with_epochs(4)

    reads_or_tells(read, 400)


def test_specs(tmp_path, chance):
    path = tmp_path / "spec.json"

    def read():
        spec = spec_to_dict(DETECTORS[chance.choice(list(DETECTORS))])
        path.write_text(json.dumps(mutate_json(spec, chance)))
        find_detector_spec(str(path))

    reads_or_tells(read, 400)


def test_surveys(tmp_path, chance):
    def read():
        (tmp_path / "mine.toml").write_bytes(mutate_text(SURVEY, chance))
        read_survey(tmp_path / "mine.toml")

    reads_or_tells(read, 400)


@pytest.mark.parametrize("base", [SkyPopulation(), BolognaPopulation()], ids=["sky", "bologna"])
def test_populations(tmp_path, chance, base):
    text = population_toml(base)

    def read():
        (tmp_path / "mine.toml").write_bytes(mutate_text(text, chance))
        read_population(tmp_path / "mine.toml", base)

    reads_or_tells(read, 200)


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000])
def test_what_is_nested_too_deep(tmp_path, deep):
    (tmp_path / CARD_FILE).parent.mkdir()
    for path, read in (
        (tmp_path / CARD_FILE, lambda: load_card(tmp_path)),
        (tmp_path / "plan.json", lambda: find_plan(str(tmp_path / "plan.json"))),
        (tmp_path / "p.toml", lambda: read_population(tmp_path / "p.toml", SkyPopulation())),
        (tmp_path / "s.toml", lambda: read_survey(tmp_path / "s.toml")),
    ):
        path.write_text(f"x = {deep}" if path.suffix == ".toml" else deep)
        with pytest.raises(LensdetectError, match=r"must be (JSON|TOML)"):
            read()
