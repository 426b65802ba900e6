"""The readers of cards, plans, specs, surveys and populations that ``benchmarks/fuzz.py`` tries."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from fuzz_changes import mutate_json, mutate_toml
from fuzz_inputs import Reader

from lensdetect.artifact import CARD_FILE

_SURVEY = """\
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


def _cards() -> list[bytes]:
    from lensdetect.artifact import find_detector

    values = json.loads((find_detector() / CARD_FILE).read_text())
    # else each change would be found by this alone
    del values["card_sha256"]
    return [json.dumps(values, indent=2).encode()]


def _read_card(path: Path) -> None:
    from lensdetect.artifact import load_card

    load_card(path.parent.parent).probability(2.0)


def _plans() -> list[bytes]:
    from lensdetect.training import PLANS

    return [json.dumps(plan.as_dict(), indent=2).encode() for plan in PLANS.values()]


def _read_plan(path: Path) -> None:
    from lensdetect.training import find_plan

    find_plan(str(path)).with_epochs(4)


def _specs() -> list[bytes]:
    from lensdetect.network import DETECTORS, spec_to_dict

    return [json.dumps(spec_to_dict(spec), indent=2).encode() for spec in DETECTORS.values()]


def _read_spec(path: Path) -> None:
    from lensdetect.training import find_detector_spec

    find_detector_spec(str(path))


def _read_survey(path: Path) -> None:
    from lensdetect.survey import read_survey

    read_survey(path)


def _base(name: str):
    from lensdetect.simulation import SkyPopulation
    from lensdetect.simulation.bologna import BolognaPopulation

    return {"sky": SkyPopulation, "bologna": BolognaPopulation}[name]()


def _population(name: str) -> list[bytes]:
    from lensdetect.simulation.overrides import population_toml

    return [population_toml(_base(name)).encode()]


def _read_population(path: Path, *, name: str) -> None:
    from lensdetect.simulation.overrides import read_population

    read_population(path, _base(name))


READERS: dict[str, Reader] = {
    "card": Reader(CARD_FILE, _cards, _read_card, None, mutate_json),
    "plan": Reader("plan.json", _plans, _read_plan, None, mutate_json),
    "spec": Reader("spec.json", _specs, _read_spec, None, mutate_json),
    "survey": Reader("mine.toml", lambda: [_SURVEY.encode()], _read_survey, None, mutate_toml),
    **{
        f"population-{name}": Reader(
            "mine.toml", partial(_population, name), partial(_read_population, name=name), None, mutate_toml
        )
        for name in ("sky", "bologna")
    },
}
