"""Purity where lenses are rare, and the kinds that fool a ranking."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.figures import purity_figure, save_figure
from lensdetect.metrics import false_positives_by_kind, purity_at, purity_curve, roc_curve, threshold_at


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(3)
    is_lens = np.arange(4000) < 800
    kind = np.where(is_lens, "lens", np.where(np.arange(4000) % 2, "spiral", "elliptical"))
    score = rng.normal(2.0 * is_lens + 1.0 * (kind == "spiral"), 1.0)
    return is_lens, score, kind


def test_purity_is_what_counting_on_that_sky_would_give():
    # 10,000 galaxies, 100 lenses: 60 of them taken, and 2 % of 9,900 others
    assert purity_at(0.6, 0.02, prior=0.01) == pytest.approx(60 / (60 + 198))
    assert purity_at([1.0, 0.5], [0.0, 0.5], prior=0.2) == pytest.approx([1.0, 0.2])
    assert math.isnan(purity_at(0.0, 0.0, prior=0.5))


def test_threshold_takes_the_share_asked_for(sample):
    is_lens, score, _ = sample
    for completeness in (0.01, 0.5, 1.0):
        threshold = threshold_at(roc_curve(is_lens, score), completeness)
        assert np.mean(score[is_lens] >= threshold) == pytest.approx(completeness, abs=1 / 800)
        assert np.mean(score[is_lens] > threshold) < completeness


def test_kinds_that_look_like_lenses_come_first(sample):
    is_lens, score, kind = sample
    rows = false_positives_by_kind(is_lens, score, kind=kind, threshold=1.5)
    assert [row.kind for row in rows] == ["spiral", "elliptical"]
    for row in rows:
        here = (kind == row.kind) & ~is_lens
        assert (row.count, row.false_positives) == (here.sum(), (score[here] >= 1.5).sum())
        assert row.rate_interval[0] < row.rate < row.rate_interval[1]
    assert sum(row.share for row in rows) == pytest.approx(1.0)
    assert all(math.isnan(row.share) for row in false_positives_by_kind(is_lens, score, kind=kind, threshold=99))


def test_purity_curve_falls_with_rarity_and_never_claims_one(sample):
    is_lens, score, _ = sample
    completeness, common = purity_curve(is_lens, score, prior=0.2)
    _, rare = purity_curve(is_lens, score, prior=0.001)
    assert np.all(np.diff(completeness) >= 0) and completeness[-1] == 1.0
    assert common[-1] == pytest.approx(0.2)
    assert np.all(rare < common) and common.max() < 1.0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: purity_at(0.5, 0.1, prior=1.0), "prior must be a fraction between 0 and 1, got 1.0"),
        (lambda: threshold_at(roc_curve([0, 1], [1, 2]), 0.0), "completeness must be above 0 .* got 0.0"),
        (lambda: threshold_at(roc_curve([0, 0], [1, 2]), 0.5), "needs lenses in the sample, got none"),
        (lambda: false_positives_by_kind([0, 1], [1, 2], kind=["a"], threshold=0), "got 2 scores and 1 kinds"),
    ],
)
def test_what_has_no_answer(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_figure_shows_every_detector_and_kind(sample, tmp_path):
    is_lens, score, kind = sample
    figure = purity_figure(is_lens, {"ours": score, "other": np.round(score)}, kind=kind, prior=0.01)
    left, right = figure.axes
    assert [line.get_label() for line in left.lines] == ["ours", "other"]
    assert [label.get_text() for label in right.get_yticklabels()] == ["elliptical (1,600)", "spiral (1,600)"]
    assert "One lens in 100" in left.get_title()
    save_figure(figure, tmp_path / "purity.png")
    assert (tmp_path / "purity.png").stat().st_size > 10_000
