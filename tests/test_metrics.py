"""Figures of merit: hand-made cases, scikit-learn, and the coverage of intervals."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.special import expit, ndtr, ndtri
from sklearn import metrics as sklearn_metrics
from sklearn.linear_model import LogisticRegression

from lensdetect.errors import InputError
from lensdetect.metrics import (
    fit_calibration,
    lens_metrics,
    prior_corrected,
    reliability,
    roc_curve,
    tpr_at_fpr_interval,
)
from lensdetect.metrics.intervals import tpr0_interval, tpr_bootstrap_interval, wilson_interval


def draw(rng, num_lenses, num_others, *, separation=2.0):
    """Normal scores of unit width, the lenses' higher by ``separation``."""
    is_lens = np.repeat([True, False], [num_lenses, num_others])
    return is_lens, rng.normal(size=num_lenses + num_others) + separation * is_lens


# --- the curve


def test_vertices_stand_at_distinct_scores_only():
    roc = roc_curve([1, 0, 1, 1, 0, 0], [3.0, 2.0, 2.0, 2.0, 1.0, 0.0])
    np.testing.assert_array_equal(roc.threshold, [np.inf, 3, 2, 1, 0])
    np.testing.assert_array_equal(roc.true_positives, [0, 1, 3, 3, 3])
    np.testing.assert_array_equal(roc.false_positives, [0, 0, 1, 2, 3])
    np.testing.assert_allclose(roc.tpr, [0, 1 / 3, 1, 1, 1])
    np.testing.assert_allclose(roc.fpr, [0, 0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("digits", [0, 1, 8])
def test_curve_and_area_are_those_of_scikit_learn(rng, digits):
    is_lens, score = draw(rng, 150, 250)
    score = score.round(digits).astype(np.float32)
    roc = roc_curve(is_lens, score)
    fpr, tpr, threshold = sklearn_metrics.roc_curve(is_lens, score, drop_intermediate=False)
    np.testing.assert_allclose(roc.fpr, fpr)
    np.testing.assert_allclose(roc.tpr, tpr)
    np.testing.assert_array_equal(roc.threshold, threshold)
    assert roc.auroc == pytest.approx(sklearn_metrics.roc_auc_score(is_lens, score), abs=1e-12)


def test_scores_of_one_value_are_a_guess():
    metrics = lens_metrics([1, 0, 1, 0], [5.0] * 4)
    assert (metrics.auroc, metrics.tpr0) == (0.5, 0.0)


# --- TPR at a false positive rate


@pytest.mark.parametrize("digits", [0, 8])
@pytest.mark.parametrize("rate", [0.0, 0.003, 0.01, 0.07, 0.29, 1.0])
def test_tpr_at_a_rate_is_the_highest_of_scikit_learns_vertices(rng, rate, digits):
    is_lens, score = draw(rng, 60, 100)
    score = score.round(digits)
    fpr, tpr, _ = sklearn_metrics.roc_curve(is_lens, score, drop_intermediate=False)
    assert roc_curve(is_lens, score).tpr_at_fpr(rate) == tpr[fpr <= rate + 1e-12].max()


def test_rate_below_one_false_positive_is_tpr0(rng):
    is_lens, score = draw(rng, 60, 100)
    roc = roc_curve(is_lens, score)
    assert roc.tpr_at_fpr(0.009) == roc.tpr_below(1)
    assert tpr_at_fpr_interval(roc, 0.009, confidence=0.95) == tpr0_interval(roc, confidence=0.95)
    np.testing.assert_array_equal(roc.tpr_at_fpr(np.array([0.01, 0.1])), [roc.tpr_below(2), roc.tpr_below(11)])


def test_rate_interval_holds_the_truth(rng):
    truth = 1 - ndtr(ndtri(1 - 0.05) - 2.0)
    inside = 0
    for _ in range(60):
        low, high = tpr_at_fpr_interval(roc_curve(*draw(rng, 80, 120)), 0.05, confidence=0.95)
        inside += low <= truth <= high
    assert inside >= 50


def test_rates_that_are_none_and_samples_without_others(rng):
    roc = roc_curve(*draw(rng, 60, 100))
    with pytest.raises(
        InputError, match="a false positive rate must be from 0 to 1, got 10.0: 0.01 is one in a hundred"
    ):
        roc.tpr_at_fpr(10)
    lenses = roc_curve([1, 1], [0.0, 1.0])
    assert math.isnan(lenses.tpr_at_fpr(0.1))
    assert all(map(math.isnan, tpr_at_fpr_interval(lenses, 0.1, confidence=0.95)))


# --- TPR0 and TPR10


def test_tpr0_and_tpr10_counted_by_hand():
    # From the top: 2 lenses, an other, 3 lenses, 8 others, 1 lens, the tenth other, 4 lenses.
    is_lens = [1] * 2 + [0] + [1] * 3 + [0] * 8 + [1] + [0] + [1] * 4
    metrics = lens_metrics(is_lens, -np.arange(len(is_lens)))
    assert metrics.tpr0 == 0.2
    assert metrics.tpr10 == 0.6


def test_a_tie_with_the_tenth_false_positive_is_left_out_whole():
    # Nine others alone at the top; then the tenth shares its score with five lenses.
    is_lens = [0] * 9 + [0] + [1] * 5 + [1] * 5
    score = [9.0] * 9 + [5.0] * 6 + [1.0] * 5
    assert lens_metrics(is_lens, score).tpr10 == 0.0
    score[9] = 4.9
    assert lens_metrics(is_lens, score).tpr10 == 0.5


def test_one_tie_of_many_others_counts_each_of_them():
    # A curve by index would take the tie of 94 others for a single false positive.
    is_lens = [1] * 10 + [0] * 94 + [1] * 90 + [0] * 50
    score = [3.0] * 10 + [2.0] * 94 + [1.0] * 90 + [0.0] * 50
    metrics = lens_metrics(is_lens, score)
    assert metrics.tpr0 == metrics.tpr10 == 0.1


def test_saturated_probabilities_cost_tpr0_and_the_report_says_so(rng):
    is_lens, logit = draw(rng, 2000, 2000, separation=4.0)
    logit = (8 * logit).astype(np.float32)
    probability = expit(logit)
    by_logit, by_probability = lens_metrics(is_lens, logit), lens_metrics(is_lens, probability, threshold=0.5)
    assert np.sum(probability[~is_lens] == 1) > 10
    assert by_logit.tpr0 > 0.3
    assert (by_probability.tpr0, by_probability.tpr10) == (0.0, 0.0)
    assert by_probability.tied_lenses == np.sum(probability[is_lens] == 1)
    assert "rank by logit, not by probability" in by_probability.report()
    assert by_logit.tied_lenses == 0 and by_logit.notes == ()


def test_tpr_below_is_the_definition_counted_naively(rng):
    is_lens, score = draw(rng, 60, 60)
    score = score.round(1)
    roc = roc_curve(is_lens, score)
    for count in (1, 2, 10, 40, 61):
        thresholds = [np.inf, *score]
        allowed = [t for t in thresholds if np.sum(score[~is_lens] >= t) < count]
        assert roc.tpr_below(count) == max(np.mean(score[is_lens] >= t) for t in allowed)


# --- confusion


def test_confusion_counts_the_threshold_as_a_lens():
    metrics = lens_metrics([True, True, True, False, False], [2.0, 0.0, -1.0, 0.0, -3.0])
    counts = (metrics.true_positives, metrics.false_negatives, metrics.false_positives, metrics.true_negatives)
    assert counts == (2, 1, 1, 1)
    assert (metrics.accuracy, metrics.purity, metrics.completeness) == (0.6, 2 / 3, 2 / 3)


def test_threshold_moves_confusion_alone():
    is_lens, score = [1, 1, 0, 0], [3.0, 1.0, 2.0, 0.5]
    low, high = lens_metrics(is_lens, score, threshold=0.6), lens_metrics(is_lens, score, threshold=2.5)
    assert (low.completeness, low.purity) == (1.0, 2 / 3)
    assert (high.completeness, high.purity) == (0.5, 1.0)
    assert (low.auroc, low.tpr0) == (high.auroc, high.tpr0)


@pytest.mark.parametrize(("is_lens", "note"), [([0, 0, 0], "no lens in the sample"), ([1, 1, 1], "no non-lens in")])
def test_one_class_gives_confusion_and_says_what_is_missing(is_lens, note):
    metrics = lens_metrics(is_lens, [1.0, -1.0, 2.0])
    assert metrics.true_positives + metrics.false_positives == 2
    for name in ("auroc", "tpr0", "tpr10"):
        assert math.isnan(getattr(metrics, name))
        assert all(math.isnan(end) for end in getattr(metrics, f"{name}_interval"))
    assert note in metrics.report()
    assert "AUROC         not defined" in metrics.report()
    assert metrics.as_dict()["auroc"] is None


def test_nothing_above_the_threshold_has_no_purity():
    metrics = lens_metrics([1, 0], [1.0, 0.0], threshold=5.0)
    assert math.isnan(metrics.purity)
    assert metrics.completeness == 0.0
    assert "nothing reaches the threshold" in metrics.notes[-1]


def test_dict_is_json_and_report_tells_sample_sizes(rng):
    metrics = lens_metrics(*draw(rng, 1200, 1500))
    read = json.loads(json.dumps(metrics.as_dict(), allow_nan=False))
    assert read["num_lenses"] == 1200 and read["auroc"] == metrics.auroc
    assert read["tpr10_interval"] == list(metrics.tpr10_interval)
    lines = str(metrics).splitlines()
    assert lines[0] == "1,200 lenses, 1,500 others; intervals at 95 %"
    assert f"{metrics.tpr0:.4f}" in str(metrics)
    assert all(len(line) < 100 for line in lines)


# --- intervals


def test_wilson_interval_against_the_formula_solved():
    # The ends are where the score test just rejects: |p - x/n| = z sqrt(p (1 - p) / n).
    low, high = wilson_interval(15, 50, confidence=0.95)
    for end in (low, high):
        assert abs(end - 0.3) == pytest.approx(ndtri(0.975) * math.sqrt(end * (1 - end) / 50))
    assert wilson_interval(0, 10, confidence=0.95)[0] == 0.0
    assert wilson_interval(10, 10, confidence=0.95)[1] == 1.0


def test_intervals_hold_their_figures_and_shrink_with_the_sample(rng):
    small, large = (lens_metrics(*draw(rng, count, count)) for count in (100, 10_000))
    for metrics in (small, large):
        for name in ("auroc", "tpr0", "tpr10", "accuracy", "purity", "completeness"):
            low, high = getattr(metrics, f"{name}_interval")
            assert 0 <= low <= getattr(metrics, name) <= high <= 1, name
    assert np.ptp(large.auroc_interval) < np.ptp(small.auroc_interval) / 5


def test_bootstrap_by_ranks_is_the_bootstrap_by_resampling(rng):
    is_lens, score = draw(rng, 80, 120)
    lens, other = score[is_lens], score[~is_lens]
    fractions = []
    for _ in range(4000):
        tenth = np.sort(rng.choice(other, len(other)))[-10]
        fractions.append(np.mean(rng.choice(lens, len(lens)) > tenth))
    interval = tpr_bootstrap_interval(roc_curve(is_lens, score), below=10, confidence=0.9, resamples=4000, seed=1)
    np.testing.assert_allclose(interval, np.quantile(fractions, [0.05, 0.95]), atol=0.015)


def test_bootstrap_is_the_same_for_the_same_seed(rng):
    is_lens, score = draw(rng, 300, 300)
    intervals = [lens_metrics(is_lens, score, seed=seed).tpr10_interval for seed in (4, 4, 5)]
    assert intervals[0] == intervals[1] != intervals[2]


def test_auroc_of_a_perfect_sample_is_not_certain():
    low, high = lens_metrics([1] * 10 + [0] * 40, [1.0] * 10 + [-1.0] * 40).auroc_interval
    assert (low, high) == (pytest.approx(0.025**0.1), 1.0)


def test_few_others_leave_tpr10_without_interval():
    metrics = lens_metrics([1, 1, 0, 0], [4.0, 1.0, 2.0, 0.0])
    assert metrics.tpr10 == 1.0
    assert math.isnan(metrics.tpr10_interval[0])
    assert "only 2 others: TPR10 is 1 whatever the scores" in metrics.notes


@pytest.mark.parametrize(("separation", "num_lenses", "num_others"), [(1.5, 150, 300), (3.0, 400, 200)])
def test_intervals_cover_the_truth(rng, separation, num_lenses, num_others):
    """The binormal ROC is known: ``T(u) = Phi(separation + Phi^-1(u))``, and its area."""
    others = np.sort(rng.random((4000, num_others)))
    truth = {
        "auroc": ndtr(separation / math.sqrt(2)),
        "tpr0": ndtr(separation + ndtri(np.median(others[:, 0]))),
        "tpr10": ndtr(separation + ndtri(np.median(others[:, 9]))),
    }
    runs = [
        lens_metrics(*draw(rng, num_lenses, num_others, separation=separation), resamples=300, seed=seed)
        for seed in range(500)
    ]
    covered = {
        name: np.mean([low <= value <= high for low, high in (getattr(run, f"{name}_interval") for run in runs)])
        for name, value in truth.items()
    }
    assert 0.92 < covered["auroc"] < 0.98
    assert 0.92 < covered["tpr10"] < 0.99
    assert covered["tpr0"] > 0.95


def test_a_bootstrap_does_not_cover_tpr0_and_the_order_statistics_do(rng):
    truth = ndtr(2.0 + ndtri(1 - 0.5 ** (1 / 500)))
    curves = [roc_curve(*draw(rng, 1000, 500)) for _ in range(300)]
    ordered = [tpr0_interval(roc, confidence=0.95) for roc in curves]
    naive = [tpr_bootstrap_interval(roc, below=1, confidence=0.95, resamples=300, seed=0) for roc in curves]
    assert np.mean([low <= truth <= high for low, high in ordered]) > 0.95
    assert np.mean([low <= truth <= high for low, high in naive]) < 0.8


def test_high_end_of_tpr0_needs_no_concave_curve(rng):
    """One in two thousand others outscores every lens: a step that makes the ROC convex."""
    glitches = 5e-4
    rate = 1 - 0.5 ** (1 / 500)
    truth = ndtr(2.0 + ndtri((rate - glitches) / (1 - glitches)))
    highs = []
    for _ in range(300):
        is_lens, score = draw(rng, 500, 500)
        score[~is_lens & (rng.random(1000) < glitches)] = 99.0
        highs.append(tpr0_interval(roc_curve(is_lens, score), confidence=0.95)[1])
    assert np.mean(np.array(highs) >= truth) > 0.975
    assert np.mean(highs) < 0.6


def test_no_resample_is_sorted(rng, monkeypatch):
    is_lens, score = draw(rng, 5000, 5000)
    looked_through = []

    def counted(name):
        function = getattr(np, name)

        def count(values, *args, **options):
            looked_through.append(np.size(values))
            return function(values, *args, **options)

        return count

    for name in ("sort", "argsort", "lexsort", "unique", "partition", "cumsum"):
        monkeypatch.setattr(np, name, counted(name))
    lens_metrics(is_lens, score, resamples=1000)
    assert 0 < sum(size >= 5000 for size in looked_through) < 20


# --- calibration


def test_reliability_counts_by_hand():
    table = reliability([0, 1, 1, 0, 1], [0.05, 0.15, 0.12, 0.95, 1.0], bins=10)
    np.testing.assert_array_equal(table.count, [1, 2, 0, 0, 0, 0, 0, 0, 0, 2])
    np.testing.assert_array_equal(table.num_lenses, [0, 2, 0, 0, 0, 0, 0, 0, 0, 1])
    np.testing.assert_allclose(table.mean_probability[[0, 1, 9]], [0.05, 0.135, 0.975])
    np.testing.assert_allclose(table.lens_fraction[[0, 1, 9]], [0, 1, 0.5])
    assert np.isnan(table.lens_fraction[2])
    assert table.error == pytest.approx((0.05 + 2 * 0.865 + 2 * 0.475) / 5)


def test_calibration_finds_the_true_line(rng):
    truth = rng.normal(0.5, 2, size=40_000)
    is_lens = rng.random(len(truth)) < expit(truth)
    overconfident = (truth + 1) * 4
    slope, intercept = fit_calibration(is_lens, overconfident)
    assert (slope, intercept) == (pytest.approx(0.25, rel=0.03), pytest.approx(-1, abs=0.06))
    calibrated = expit(slope * overconfident + intercept)
    assert reliability(is_lens, calibrated).error < 0.01 < 0.05 < reliability(is_lens, expit(overconfident)).error


def test_calibration_is_plain_numbers_that_any_library_takes(rng):
    assert [type(value) for value in fit_calibration(*draw(rng, 50, 50))] == [float, float]


def test_calibration_agrees_with_scikit_learn(rng):
    is_lens, logit = draw(rng, 3000, 2000)
    logit = 100 + 30 * logit
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit((logit[:, None] - 130) / 30, is_lens)
    slope, intercept = fit_calibration(is_lens, logit)
    assert slope * 30 == pytest.approx(reference.coef_[0, 0], rel=5e-3)
    assert intercept + 130 * slope == pytest.approx(reference.intercept_[0], abs=5e-3)


def test_calibration_of_a_perfect_sample_is_finite():
    slope, intercept = fit_calibration([0] * 20 + [1] * 20, np.r_[np.linspace(-9, -5, 20), np.linspace(5, 9, 20)])
    assert 0 < slope < 5 and abs(intercept) < 0.1


def test_prior_turns_095_into_a_survey_probability():
    logit = math.log(0.95 / 0.05)
    assert expit(prior_corrected(logit, training_prior=0.5, prior=1e-4)) == pytest.approx(0.0019, abs=2e-5)
    np.testing.assert_allclose(prior_corrected(np.array([-1.0, 2.0]), training_prior=0.3, prior=0.3), [-1, 2])


# --- what cannot be used


@pytest.mark.parametrize(
    ("is_lens", "score", "message"),
    [
        ([1, 0, 1], [1.0, np.nan, np.nan], r"scores must be numbers, got 2 NaN among 3: leave out what could not"),
        ([1, 0], [1.0, 2.0, 3.0], r"same length, got shapes \(2,\) and \(3,\): give one score for each"),
        ([[1, 0]], [[1.0, 2.0]], r"one row each of the same length, got shapes \(1, 2\)"),
        ([1, 0, 2, 2], [1.0, 2.0, 3.0, 4.0], r"True or False, or 1 or 0, got .*2.* and 1 more such"),
        ([1.0, np.nan], [1.0, 2.0], r"True or False, or 1 or 0, got .*nan.*: leave out what has no truth"),
        (["yes", "no"], [1.0, 2.0], r"True or False, or 1 or 0, got .*'yes'"),
        ([1, 0], ["high", "low"], r"scores must be numbers, got <U4: convert them first"),
        ([], [], r"at least one scored stamp, got none"),
    ],
)
def test_unusable_input_is_one_clear_line(is_lens, score, message):
    for function in (lens_metrics, roc_curve, reliability, fit_calibration):
        with pytest.raises(InputError, match=message):
            function(is_lens, score)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"confidence": 95}, "confidence must be between 0 and 1, got 95"),
        ({"threshold": math.nan}, "threshold must be a finite number, got nan"),
    ],
)
def test_unusable_settings(keywords, message):
    with pytest.raises(InputError, match=message):
        lens_metrics([1, 0], [1.0, 0.0], **keywords)


def test_logits_are_no_probabilities():
    with pytest.raises(InputError, match=r"between 0 and 1, got -2 to 3: a logit becomes one by 1 / "):
        reliability([1, 0], [3.0, -2.0])


@pytest.mark.parametrize(
    ("is_lens", "logit", "message"),
    [
        ([1, 1], [1.0, 2.0], "needs lenses and others, got 2 and 0"),
        ([1, 0], [2.0, 2.0], "finite logits that differ, got 2 to 2"),
        ([1, 0], [np.inf, 2.0], "finite logits that differ, got 2 to inf"),
        ([0, 0, 1, 1], [4.0, 3.0, 2.0, 1.0], "a higher logit must mean more lenses, got a slope of -"),
    ],
)
def test_calibration_that_cannot_be(is_lens, logit, message):
    with pytest.raises(InputError, match=message):
        fit_calibration(is_lens, logit)


@pytest.mark.parametrize("prior", [0.0, 1.0, -1.0, math.nan])
def test_a_prior_is_a_fraction(prior):
    with pytest.raises(InputError, match=r"prior must be a fraction between 0 and 1, got "):
        prior_corrected(0.0, training_prior=0.5, prior=prior)
