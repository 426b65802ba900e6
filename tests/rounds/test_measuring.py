from __future__ import annotations

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.rounds import compare


@pytest.fixture
def sample(rng):
    is_lens = np.arange(3000) % 10 == 0
    before = rng.normal(size=3000) + 1.5 * is_lens
    return is_lens, {"before": before, "after": before + 1.5 * is_lens}


def figure(table, detector: str, name: str):
    return table[(table["detector"] == detector) & (table["figure"] == name)].iloc[0]


def test_counts_are_those_of_the_ranking(sample):
    is_lens, logits = sample
    table = compare(is_lens, logits, completeness=(0.7,))
    threshold = np.sort(logits["before"][is_lens])[::-1][209]
    wrong = np.sum(logits["before"][~is_lens] >= threshold)
    found = figure(table, "before", "false positives for each lens at 70% completeness")
    assert found["value"] == pytest.approx(wrong / 210) and found["low"] < found["value"] < found["high"]
    assert figure(table, "before", "purity at 70% completeness")["value"] == pytest.approx(210 / (210 + wrong))


def test_a_better_detector_has_fewer_false_positives_and_the_interval_says_so(sample):
    row = figure(compare(*sample), "ratio", "fewer false positives at 70% completeness, times")
    assert row["low"] > 2 and row["low"] < row["value"] < row["high"]


def test_the_same_detector_twice_changes_nothing(sample):
    is_lens, logits = sample
    table = compare(is_lens, {"before": logits["before"], "after": logits["before"]})
    row = figure(table, "ratio", "fewer false positives at 50% completeness, times")
    assert (row["value"], row["low"], row["high"]) == (1.0, 1.0, 1.0), "both see the same draws"


def test_a_sky_with_fewer_lenses_has_more_false_positives_for_each(sample):
    is_lens, logits = sample
    name = "false positives for each lens at 50% completeness"
    here = figure(compare(is_lens, logits), "before", name)["value"]
    sky = figure(compare(is_lens, logits, prior=1e-3), "before", name)["value"]
    # one in ten in the sample
    assert sky / here == pytest.approx(999 / 9)


@pytest.mark.parametrize(("lenses", "others"), [(4, 50), (50, 4), (0, 0)])
def test_too_few_to_measure_on(lenses, others):
    is_lens = np.arange(lenses + others) < lenses
    with pytest.raises(InputError, match=f"must hold 5 graded lenses and 5 others .* got {lenses} and {others}"):
        compare(is_lens, {"before": np.zeros(len(is_lens)), "after": np.zeros(len(is_lens))})
