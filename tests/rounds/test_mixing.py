from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lensdetect.data.order import ShuffledBatches, shown_in_epoch
from lensdetect.errors import InputError
from lensdetect.rounds import Mixture, mix
from lensdetect.rounds.mixing import plan_for


class Numbers:
    """Stamps whose pixels are their own number."""

    def __init__(self, is_lens, *, first: int, survey: str = "bologna"):
        self.truth = pd.DataFrame({"id": [str(n) for n in range(len(is_lens))], "is_lens": is_lens})
        self.shape, self._first = (1, 1, 1), first
        self.manifest = {"survey": survey, "bands": ["r"], "pixel_scale_arcsec": 0.2, "seed": 4}

    def read(self, rows):
        return (self._first + np.asarray(rows, np.float32))[:, None, None, None]

    def sha256(self):
        return f"numbers from {self._first}"


def labels(kinds: dict[str, int], weight: float = 1.0) -> pd.DataFrame:
    kind = np.repeat(list(kinds), list(kinds.values()))
    return pd.DataFrame({"is_lens": kind == "lens", "weight": weight, "kind": kind})


@pytest.fixture
def graded():
    table = labels({"lens": 10, "ring": 90})
    return Numbers(table["is_lens"].to_numpy(), first=0), table


def test_an_epoch_has_the_share_that_was_asked_for(graded):
    simulated = Numbers(np.arange(5000) % 2 == 0, first=1000)
    joined = mix(*graded, [simulated], mixture=Mixture(0.25, most_times=4.0))
    rows = np.arange(len(joined))
    batches = ShuffledBatches(joined, rows, batch_size=50, seed=1)
    pixels = np.concatenate([batches.read(number)[0].ravel() for number in range(batches.steps)])
    assert shown_in_epoch(joined, rows) == len(pixels) == 1600
    assert np.mean(pixels < 1000) == pytest.approx(0.25, abs=0.01)
    # each epoch shows others of the simulated stamps
    later = np.concatenate([batches.read(batches.steps + number)[0].ravel() for number in range(batches.steps)])
    assert len(set(later[later >= 1000]) - set(pixels[pixels >= 1000])) > 500


def test_rare_kinds_are_shown_more_often(graded):
    joined = mix(*graded, [], mixture=Mixture(1.0, most_times=6.0))
    weight = joined.truth["weight"].to_numpy()
    # nine times as rare: three times as often
    assert weight[:10].mean() / weight[10:].mean() == pytest.approx(3.0)
    assert weight.mean() == pytest.approx(6.0)


def test_doubtful_grades_count_less():
    table = labels({"lens": 20, "ring": 20})
    table.loc[:9, "weight"] = 0.2
    joined = mix(Numbers(table["is_lens"].to_numpy(), first=0), table, [])
    weight = joined.truth["weight"].to_numpy()
    assert weight[:10].mean() == pytest.approx(0.2 * weight[10:20].mean())


def test_too_few_simulated_stamps_are_shown_once_and_the_graded_less_often(graded):
    joined = mix(*graded, [Numbers(np.arange(100) % 2 == 0, first=1000)], mixture=Mixture(0.5))
    weight = joined.truth["weight"].to_numpy()
    assert weight[100:].sum() == pytest.approx(100.0)
    assert weight[:100].sum() == pytest.approx(100.0)


def test_an_epoch_has_the_share_of_lenses_of_the_simulated(graded):
    # one lens in ten of the graded, two in five of the simulated
    joined = mix(*graded, [Numbers(np.arange(1000) % 5 < 2, first=1000)], mixture=Mixture(0.3, most_times=4.0))
    weight, is_lens = joined.truth["weight"].to_numpy(), joined.truth["is_lens"].to_numpy(bool)
    assert weight[is_lens].sum() / weight.sum() == pytest.approx(0.4)
    # of lenses alone there is nothing to balance with
    joined = mix(*graded, [Numbers(np.ones(1000, bool), first=1000)], mixture=Mixture(0.3, most_times=4.0))
    np.testing.assert_allclose(joined.truth["weight"][100:], 400 * 0.7 / 0.3 / 1000)


def test_shown_as_often_as_it_weighs():
    stamps = SimpleNamespace(
        truth=pd.DataFrame({"is_lens": [True, False, True, False], "weight": [2.3, 0.0, 0.5, 1.2]})
    )
    stamps.read = lambda rows: np.asarray(rows, np.float32)
    batches = ShuffledBatches(stamps, np.arange(4), batch_size=1, seed=5)
    assert batches.steps == 4
    shown = np.array(
        [np.bincount([int(batches.read(4 * e + n)[0][0]) for n in range(4)], minlength=4) for e in range(400)]
    )
    np.testing.assert_allclose(shown.mean(axis=0), [2.3, 0.0, 0.5, 1.2], atol=0.06)
    # never less than its whole part, nor more than the next whole number
    assert set(shown[:, 0]) <= {2, 3} and set(shown[:, 3]) <= {1, 2} and set(shown[:, 2]) <= {0, 1}


def test_a_weight_that_is_none():
    stamps = SimpleNamespace(truth=pd.DataFrame({"is_lens": [True, False], "weight": [1.0, np.nan]}))
    with pytest.raises(InputError, match="weights of stamps must be from 0 to 10000, got nan"):
        shown_in_epoch(stamps, np.arange(2))


def test_ids_of_two_sets_are_told_apart(graded):
    joined = mix(*graded, [Numbers(np.arange(100) % 2 == 0, first=1000)])
    assert not joined.truth["id"].duplicated().any()
    np.testing.assert_array_equal(joined.read(np.array([150, 3]))[:, 0, 0, 0], [1050, 3])


def test_one_class_alone_teaches_nothing():
    table = labels({"ring": 30})
    with pytest.raises(InputError, match="got 30 others alone: grade more, or mix simulated stamps in with --stamps"):
        mix(Numbers(table["is_lens"].to_numpy(), first=0), table, [])


def test_sets_of_two_surveys_are_not_joined(graded):
    with pytest.raises(InputError, match="must have one survey, got bologna and kids"):
        mix(*graded, [Numbers(np.arange(10) % 2 == 0, first=0, survey="kids")])


def test_the_plan_goes_on_with_the_bands_of_the_training_before():
    from lensdetect.training import get_plan

    before = get_plan("published").as_dict()
    plan = plan_for(before, epochs=5)
    assert plan.augmentation.band_sets == () and plan.epochs == 5
    assert plan.stages[0].part_rates == (("stem", 0.3),)
    assert plan_for(None).augmentation.band_sets
