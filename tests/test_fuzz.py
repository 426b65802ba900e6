"""A fixed number of damaged files for each reader; ``benchmarks/fuzz.py`` tries many more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lensdetect.artifact import CARD_FILE, load_card
from lensdetect.errors import LensdetectError
from lensdetect.simulation import SkyPopulation
from lensdetect.simulation.overrides import read_population
from lensdetect.survey import read_survey
from lensdetect.training import find_plan

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))
import fuzz
import fuzz_readers

#: Readers of which an input may take seconds.
_FEW = {"hdf5": 12}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", fuzz_readers.READERS)
def test_damaged_files_are_read_right_or_refused_in_one_line(name):
    bad = []

    def after(number, outcome, text):
        if outcome not in {"right", "refused"}:
            bad.append((number, outcome, text))

    counts = fuzz.try_all(name, range(_FEW.get(name, 40)), seed=11, after=after)
    assert not bad
    assert counts["right"] >= 1


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
