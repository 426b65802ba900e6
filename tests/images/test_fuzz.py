"""A fixed number of damaged files for each reader; ``benchmarks/fuzz.py`` tries many more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
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
