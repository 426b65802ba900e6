from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from lensdetect.challenge import COMBINATIONS, combine
from lensdetect.errors import InputError
from lensdetect.metrics import lens_metrics, reliability


@pytest.fixture
def witnesses(rng):
    """Two systems with noise of their own, one on a scale of its own."""
    truth = {"test": rng.random(4000) < 0.3, "validation": rng.random(4000) < 0.3}
    scores = {
        part: {"a": 2 * is_lens + rng.normal(0, 1, 4000), "b": 50 * (2 * is_lens + rng.normal(0, 1, 4000)) - 7}
        for part, is_lens in truth.items()
    }
    return truth, scores


@pytest.mark.parametrize("how", ["rank_mean", "calibrated_product"])
def test_two_witnesses_beat_one_whatever_their_scale(witnesses, how):
    truth, scores = witnesses
    together = combine(how, scores["test"], validation=scores["validation"], is_lens=truth["validation"])
    alone = max(lens_metrics(truth["test"], score).auroc for score in scores["test"].values())
    metrics = lens_metrics(truth["test"], together)
    assert metrics.auroc > alone + 0.02 and metrics.accuracy > 0.88


def test_calibrated_product_of_independent_witnesses_is_calibrated(witnesses):
    truth, scores = witnesses
    product = combine(
        "calibrated_product", scores["test"], validation=scores["validation"], is_lens=truth["validation"]
    )
    assert reliability(truth["test"], expit(product)).error < 0.02


def test_mean_logit_is_the_mean(witnesses):
    truth, scores = witnesses
    mean = combine("mean_logit", scores["test"], validation=scores["validation"], is_lens=truth["validation"])
    np.testing.assert_allclose(mean, (scores["test"]["a"] + scores["test"]["b"]) / 2)


def test_rank_mean_calls_as_many_lenses_as_there_were(witnesses):
    truth, scores = witnesses
    one = {part: {"a": values["a"]} for part, values in scores.items()}
    ranks = combine("rank_mean", one["test"], validation=one["validation"], is_lens=truth["validation"])
    assert (ranks >= 0).mean() == pytest.approx(truth["validation"].mean(), abs=1e-3)
    assert (np.argsort(ranks) == np.argsort(scores["test"]["a"])).all()


def test_bad_committee():
    scores = {"a": np.zeros(3), "b": np.zeros(2)}
    with pytest.raises(InputError, match="must score the same stamps, got 3 of a, 2 of b"):
        combine("mean_logit", scores, validation=scores, is_lens=[True, False, True])
    with pytest.raises(InputError, match="unknown committee 'median': did you mean"):
        combine("median", scores, validation=scores, is_lens=[True])
    assert set(COMBINATIONS) == {"mean_logit", "rank_mean", "calibrated_product"}
