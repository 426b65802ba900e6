from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lensdetect.figures.challenge import Finding, cost_figure, found_by_truth, ranking_curves
from lensdetect.figures.challenge_panels import confusion_matrices, histories_figure, score_histograms
from lensdetect.metrics import lens_metrics, roc_curve


@pytest.fixture
def is_lens(rng):
    return rng.random(400) < 0.5


@pytest.fixture
def findings(is_lens, rng):
    """A good system and a guess."""
    scores = {"good": 4.0 * is_lens + rng.normal(0, 1, 400), "guess": rng.normal(0, 1, 400)}
    return [
        Finding(name, score, lens_metrics(is_lens, score), operations=operations)
        for (name, score), operations in zip(scores.items(), (2e6, np.nan), strict=True)
    ]


def lines(axes) -> dict[str, object]:
    return {line.get_label(): line for line in axes.lines}


def test_curves_are_those_of_the_scores_on_a_log_axis(is_lens, findings):
    axes = ranking_curves(is_lens, findings).axes[0]
    assert axes.get_xscale() == "log"
    line = lines(axes)[f"good  {findings[0].metrics.auroc:.4f}"]
    roc = roc_curve(is_lens, findings[0].scores)
    np.testing.assert_array_equal(line.get_ydata(), roc.tpr)
    # No false positive stands at half of one.
    assert line.get_xdata()[0] == 0.5 / np.sum(~is_lens)


def test_every_system_has_a_line_of_its_own(is_lens, findings):
    many = [Finding(f"{number}", findings[0].scores, findings[0].metrics) for number in range(28)]
    drawn = ranking_curves(is_lens, many).axes[0].lines[:28]
    assert len({(line.get_color(), line.get_linestyle()) for line in drawn}) == 28


def test_costs_have_the_auroc_at_the_operations(findings):
    figure = cost_figure(findings)
    points = {container.get_label(): container for container in figure.axes[0].containers}
    assert points["good"].lines[0].get_xydata().tolist() == [[2.0, findings[0].metrics.auroc]]
    assert lines(figure.axes[0])["guess (not counted)"].get_ydata()[0] == findings[1].metrics.auroc


def test_fraction_found_is_counted_in_bins_of_lenses(is_lens, rng):
    radius = np.where(is_lens, rng.uniform(0.3, 6, 400), np.nan)
    # Found from 3 arcsec on, and no other is ever as high.
    score = np.where(is_lens & (radius >= 3), 10.0, rng.normal(0, 1, 400))
    finding = Finding("large", score, lens_metrics(is_lens, score))
    axes = found_by_truth(is_lens, [finding], along=radius, label="Einstein radius (arcsec)").axes[0]
    found = axes.containers[0].lines[0].get_ydata()
    assert found[0] < 0.25 and found[-1] == 1 and "1 %" in axes.get_title()
    counts = [int(text.get_text().splitlines()[-1]) for text in axes.get_xticklabels()]
    assert sum(counts) == is_lens.sum() and max(counts) - min(counts) <= 1


def test_learning_curves_have_a_panel_for_each_network():
    history = pd.DataFrame({"epoch": [1, 2], "auroc": [0.6, 0.8], "val_auroc": [0.55, 0.7]})
    figure = histories_figure({"one": history, "two": history + 0.1})
    one = lines(figure.axes[0])
    assert one["training"].get_ydata().tolist() == [0.6, 0.8]
    assert one["validation"].get_ydata().tolist() == [0.55, 0.7]
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_histograms_hold_every_score(is_lens, findings):
    axes = score_histograms(is_lens, findings).axes[0]
    others = sum(bar.get_height() for bar in axes.containers[0])
    assert others == np.sum(~is_lens) and axes.get_title() == "good"


def test_scores_over_powers_of_ten_have_an_axis_for_it(is_lens, rng):
    score = rng.normal(0, 1e4, 400)
    axes = score_histograms(is_lens, [Finding("oracle", score, lens_metrics(is_lens, score))]).axes[0]
    assert axes.get_xscale() == "asinh"
    assert sum(bar.get_height() for bar in axes.containers[0]) == np.sum(~is_lens)


def test_confusion_has_the_counts(findings):
    figure = confusion_matrices(findings)
    metrics = findings[0].metrics
    texts = " ".join(text.get_text() for text in figure.axes[0].texts)
    for count in (metrics.true_positives, metrics.false_negatives, metrics.false_positives, metrics.true_negatives):
        assert f"{count:,}\n" in texts
    assert f"{metrics.accuracy:.4f}" in figure.axes[0].get_title()
