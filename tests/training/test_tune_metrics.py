from __future__ import annotations

import keras
import numpy as np
import pytest

from lensdetect.metrics import roc_curve
from lensdetect.training.tuning import StreamingAuroc, StreamingTpr


@pytest.fixture
def scores(rng):
    is_lens = rng.random(5000) < 0.3
    return is_lens, (rng.normal(0, 2, 5000) + 2.5 * is_lens).astype(np.float32)


def fed(metric, is_lens, logit, *, batch=700):
    for start in range(0, len(logit), batch):
        metric.update_state(is_lens[start : start + batch, None], logit[start : start + batch, None])
    return float(metric.result())


def tpr_at(is_lens, logit, fpr):
    roc = roc_curve(is_lens, logit)
    return roc.tpr[np.searchsorted(roc.fpr, fpr, side="right") - 1]


def test_auroc_is_that_of_the_curve(scores):
    assert fed(StreamingAuroc(), *scores) == pytest.approx(roc_curve(*scores).auroc, abs=1e-5)


@pytest.mark.parametrize("fpr", [0, 1e-3, 1e-2, 0.29, 0.5])
def test_tpr_is_that_of_the_curve(scores, fpr):
    # Lenses may share a bin with the other that ends the count, 0.0006 wide at a logit of 4.6.
    assert fed(StreamingTpr(fpr=fpr), *scores) == pytest.approx(tpr_at(*scores, fpr), abs=2.01 / scores[0].sum())


def test_ties_count_half_and_are_left_out_together():
    is_lens, logit = np.array([1, 1, 0, 1, 0, 0, 0]), np.array([3, 2, 2, 1, 0, 0, -1], np.float32)
    assert fed(StreamingAuroc(), is_lens, logit) == pytest.approx(roc_curve(is_lens, logit).auroc)
    assert fed(StreamingTpr(fpr=0.2), is_lens, logit) == pytest.approx(1 / 3)
    assert fed(StreamingTpr(fpr=0.25), is_lens, logit) == pytest.approx(1)


def test_scores_without_end_have_a_place():
    is_lens, logit = np.array([1, 0, 1, 0]), np.array([1e30, 900, 80, -1e30], np.float32)
    assert fed(StreamingAuroc(), is_lens, logit) == pytest.approx(0.75)


def test_batches_and_their_size_change_nothing(scores):
    assert fed(StreamingAuroc(), *scores, batch=64) == fed(StreamingAuroc(), *scores, batch=5000)


def test_reset_begins_anew_and_one_class_alone_is_0(scores):
    metric = StreamingAuroc()
    fed(metric, *scores)
    metric.reset_state()
    assert fed(metric, np.ones(10), np.arange(10.0)) == 0


def test_weights_count_stamps_more_than_once(scores):
    is_lens, logit = scores[0][:300], scores[1][:300]
    weight = np.arange(300) % 3
    metric = StreamingAuroc()
    metric.update_state(is_lens[:, None], logit[:, None], sample_weight=weight)
    repeated = roc_curve(np.repeat(is_lens, weight), np.repeat(logit, weight))
    assert float(metric.result()) == pytest.approx(repeated.auroc, abs=1e-4)


def test_metrics_work_in_a_compiled_model_and_come_back_from_their_config(scores):
    is_lens, logit = scores
    model = keras.Sequential([keras.Input((1,)), keras.layers.Activation("linear")])
    tpr = StreamingTpr.from_config(StreamingTpr(fpr=0.01, bins=5000).get_config())
    assert (tpr.fpr, tpr.bins) == (0.01, 5000)
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=[StreamingAuroc(), tpr])
    found = model.evaluate(
        logit[:, None], is_lens.astype(np.float32)[:, None], batch_size=999, verbose=0, return_dict=True
    )
    assert found["auroc"] == pytest.approx(roc_curve(is_lens, logit).auroc, abs=1e-4)
    assert found["tpr"] == pytest.approx(tpr_at(is_lens, logit, 0.01), abs=0.01)


def test_impossible_metrics():
    with pytest.raises(ValueError, match="FPR of a StreamingTpr must be from 0 on and below 1, got 1"):
        StreamingTpr(fpr=1)
    with pytest.raises(ValueError, match="at least two bins of logit, got 1"):
        StreamingAuroc(bins=1)
