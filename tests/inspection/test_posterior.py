"""The probability that an object is a lens, from the grades of people of unequal skill."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError
from lensdetect.inspection import combine, fit_posterior
from lensdetect.inspection.posterior import SHARE_COUNTS, TABLE_COUNTS
from lensdetect.metrics import roc_curve

from .graded_logs import TRUTH, graded, mixed_log


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return mixed_log()


def by_graders(skills, *, truth=TRUTH, known) -> pd.DataFrame:
    """What graders of some skill say, always with the same luck."""
    return graded(truth, skills=skills, known=known, rng=np.random.default_rng(7))


def simple(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "grader", "grade", "truth"])


def table_of(posterior, grader):
    return posterior.tables[posterior.graders.index(grader)]


def test_odds_are_those_of_the_prior_times_the_ratio_of_each_grade():
    log = simple(("a", "ann", 5.0, np.nan), ("a", "bob", 1.0, np.nan), ("b", "ann", 0.0, np.nan))
    found = fit_posterior(log, prior=0.1, unknown_weight=0)
    rising, falling = np.array([1, 2, 3, 4]) / 10, np.array([4, 3, 2, 1]) / 10
    ratio = rising / falling
    assert found.converged
    assert found.log_odds["a"] == pytest.approx(math.log(1 / 9 * ratio[3] * ratio[1]))
    assert found.log_odds["b"] == pytest.approx(math.log(1 / 9 * ratio[0]))
    assert found.probability["a"] == pytest.approx(1 / (1 + 9 / (ratio[3] * ratio[1])))


def test_tables_are_counts_of_planted_objects_and_the_stated_prior_counts():
    log = simple(*[(f"l{n}", "ann", 5.0, 1.0) for n in range(6)], ("m", "ann", 0.0, 1.0), ("d", "ann", 0.0, 0.0))
    lens, other = table_of(fit_posterior(log, prior=0.1), "ann")[::-1]
    rising = TABLE_COUNTS * np.array([1, 2, 3, 4]) / 10
    assert lens == pytest.approx((np.array([1, 0, 0, 6]) + rising) / (7 + TABLE_COUNTS))
    assert other == pytest.approx((np.array([1, 0, 0, 0]) + rising[::-1]) / (1 + TABLE_COUNTS))


def test_table_rows_tell_by_how_much_a_grade_changes_the_odds(log):
    found = fit_posterior(log)
    rows = found.table_rows()
    assert rows["grader"].unique().tolist() == list(found.graders) and rows["grade"].unique().tolist() == [0, 1, 3, 5]
    assert rows.groupby("grader")[["given_lens", "given_other"]].sum().to_numpy() == pytest.approx(1.0)
    ratio = rows.set_index(["grader", "grade"])["ratio"]
    assert ratio["ann", 5.0] > 20 and ratio["ann", 0.0] < 0.2
    assert ratio["dee"].between(0.5, 2).all()


def test_the_adversary_is_inverted(log):
    ratio = fit_posterior(log).table_rows().set_index(["grader", "grade"])["ratio"]
    assert ratio["foe", 5.0] < 0.2 and ratio["foe", 0.0] > 10


def test_one_perfect_grader_among_those_who_guess_decides():
    perfect = {"sure": [[1, 0, 0, 0], [0, 0, 0, 1]]} | {name: [[0.25] * 4] * 2 for name in "xyz"}
    log = by_graders(perfect, known=range(100))
    probability = fit_posterior(log).probability
    assert (probability > 0.5).to_numpy().tolist() == TRUTH.tolist()
    assert probability[TRUTH].min() > 0.9 and probability[~TRUTH].max() < 0.1


@pytest.mark.parametrize("prior", [None, 1e-3, 0.2])
def test_order_of_rows_does_not_matter(log, prior):
    first = fit_posterior(log, prior=prior)
    second = fit_posterior(log.sample(frac=1, random_state=1), prior=prior)
    pd.testing.assert_series_equal(first.log_odds, second.log_odds, check_exact=True)
    assert np.array_equal(first.tables, second.tables) and first.prior == second.prior


@pytest.mark.parametrize("prior", [None, 1e-3])
def test_each_step_raises_what_is_maximised(log, prior):
    found = fit_posterior(log, prior=prior)
    assert found.converged and not found.note
    assert len(found.objectives) > 5
    assert np.diff(found.objectives).min() > -1e-9 * abs(found.objectives[-1])


def test_a_fit_that_has_not_settled_says_so(log, monkeypatch):
    monkeypatch.setattr("lensdetect.inspection.posterior._MOST_STEPS", 3)
    found = fit_posterior(log)
    assert not found.converged and "not settled in 3 steps" in found.note


def test_the_share_of_lenses_is_found_where_it_is_not_stated(log):
    found = fit_posterior(log)
    assert found.estimated and found.prior == pytest.approx(TRUTH[80:].mean(), abs=0.04)
    assert not fit_posterior(log, prior=0.3).estimated and fit_posterior(log, prior=0.3).prior == 0.3


def test_grades_of_unknown_objects_teach_the_tables(log):
    """With few planted objects: the tables come nearer to those that drew the grades."""
    few = log.assign(truth=log["truth"].where(log["id"] < "0020"))
    truth = np.array([[0.90, 0.07, 0.02, 0.01], [0.05, 0.10, 0.25, 0.60]])

    def off(weight):
        return np.abs(table_of(fit_posterior(few, unknown_weight=weight), "ann") - truth).sum()

    assert off(1) < 0.6 * off(0)


def test_it_is_better_than_the_mean_grade_and_the_published_rule(log):
    """As a ranking and as a probability; benchmarks/grading.md has by how much, with intervals."""
    combined = combine(log)
    unknown = combined[combined["truth"].isna()]
    is_lens = TRUTH[combined["truth"].isna().to_numpy()]
    ways = {"posterior": unknown["posterior"], "mean": unknown["mean_grade"] / 5, "rule": unknown["is_candidate"]}
    auroc = {name: roc_curve(is_lens, way.to_numpy(float)).auroc for name, way in ways.items()}
    brier = {name: np.mean(np.square(way.to_numpy(float) - is_lens)) for name, way in ways.items()}
    assert auroc["posterior"] > max(auroc["mean"], auroc["rule"]) + 0.1
    assert brier["posterior"] < 0.5 * min(brier["mean"], brier["rule"])


def test_many_graders_do_not_overflow():
    skills = {f"g{n}": [[0.97, 0.01, 0.01, 0.01], [0.01, 0.01, 0.01, 0.97]] for n in range(400)}
    found = fit_posterior(by_graders(skills, truth=np.array([True, False, False]), known=[]), prior=1e-4)
    assert np.isfinite(found.log_odds).all() and found.probability.between(0, 1).all()
    assert found.log_odds["0000"] > 300 and found.log_odds["0001"] < -300


def test_no_grades_at_all():
    found = fit_posterior(simple())
    assert found.converged and len(found.log_odds) == 0 and found.graders == ()
    assert found.prior == pytest.approx(SHARE_COUNTS[0] / sum(SHARE_COUNTS))
    assert combine(simple()).empty


def test_one_grade():
    found = fit_posterior(simple(("a", "ann", 3.0, np.nan)), prior=0.01)
    assert found.converged and found.probability["a"] == pytest.approx(0.01, abs=0.005)


def test_all_grades_equal_leave_the_prior_alone():
    """Of a grader who always says the same nothing is learned."""
    log = simple(*[(f"{n:02d}", "ann", 3.0, float(n % 2) if n < 40 else np.nan) for n in range(80)])
    found = fit_posterior(log, prior=0.1)
    assert found.probability.to_numpy() == pytest.approx(0.1, abs=0.02) and found.probability.nunique() == 1


def test_grades_that_err_together_are_trusted_less():
    """Six who see the same thing are no six witnesses."""
    table = [[0.7, 0.15, 0.1, 0.05], [0.1, 0.2, 0.3, 0.4]]
    one = by_graders({"ann": table}, known=range(100))
    six = pd.concat([one.assign(grader=name) for name in "abcdef"])
    apart = by_graders(dict.fromkeys("abcdef", table), known=range(100))
    assert fit_posterior(six).trust < 0.3 and fit_posterior(apart).trust > 0.6
    alone = fit_posterior(one, prior=0.1).probability
    assert fit_posterior(six, prior=0.1).probability.to_numpy() == pytest.approx(alone.to_numpy(), abs=0.15)


@pytest.mark.parametrize("kept", [1.0, 0.0])
def test_without_both_truths_the_evidence_is_taken_as_it_is(log, kept):
    assert fit_posterior(log.assign(truth=log["truth"].where(log["truth"] == kept))).trust == 1.0


def test_unknown_objects_weigh_together_as_much_as_known_ones(log):
    known, unknown = log.loc[log["truth"].notna(), "id"].nunique(), log.loc[log["truth"].isna(), "id"].nunique()
    same = fit_posterior(log, unknown_weight=known / unknown)
    pd.testing.assert_series_equal(fit_posterior(log).log_odds, same.log_odds, check_exact=True)
    blind = log.assign(truth=np.nan)
    pd.testing.assert_series_equal(
        fit_posterior(blind).log_odds, fit_posterior(blind, unknown_weight=1).log_odds, check_exact=True
    )


def test_an_impossible_weight_is_refused(log):
    with pytest.raises(InputError, match="unknown_weight must be from 0 to 1, got 1.5"):
        fit_posterior(log, unknown_weight=1.5)


def test_any_number_of_levels():
    two = {name: [[0.9, 0.1], [0.2, 0.8]] for name in ("ann", "bob", "cem")}
    log = by_graders(two, known=range(100))
    found = fit_posterior(log, levels=(0, 1))
    assert found.levels.tolist() == [0, 1] and found.tables.shape == (3, 2, 2)
    assert table_of(found, "ann") == pytest.approx(np.array(two["ann"]), abs=0.08)
    # half grades, as means of earlier lists, are levels of their own
    assert fit_posterior(log.assign(grade=log["grade"] * 2.5)).levels.tolist() == [0, 1, 2.5, 3, 5]


@pytest.mark.parametrize("prior", [0, 1, -0.1, 2.0])
def test_an_impossible_prior_is_refused(log, prior):
    with pytest.raises(InputError, match=f"prior must be a fraction between 0 and 1, got {prior}"):
        fit_posterior(log, prior=prior)


def test_an_infinite_grade_is_refused():
    with pytest.raises(InputError, match="grades must be finite"):
        fit_posterior(simple(("a", "ann", np.inf, np.nan)))


def dawid_skene(log, **options):
    """The fit of crowd-kit to a log, which is an oracle for tests alone."""
    reason = "crowd-kit is not installed: it brings transformers, so it is no requirement"
    with warnings.catch_warnings():
        # its own ways with pandas are its own business
        warnings.simplefilter("ignore")
        crowdkit = pytest.importorskip("crowdkit.aggregation", reason=reason)
        data = log.rename(columns={"id": "task", "grader": "worker", "grade": "label"})[["task", "worker", "label"]]
        return crowdkit.DawidSkene(n_iter=500, tol=1e-12).fit(data, **options)


@pytest.fixture
def no_prior_counts(monkeypatch):
    """Maximum likelihood, as crowd-kit has it."""
    monkeypatch.setattr("lensdetect.inspection.posterior.TABLE_COUNTS", 1e-9)
    monkeypatch.setattr("lensdetect.inspection.posterior.SHARE_COUNTS", (1e-9, 9e-9))


@pytest.mark.slow
def test_like_dawid_and_skene_in_crowd_kit(no_prior_counts):
    """The same maximum from another start."""
    skills = {name: [[0.9, 0.1], [0.2, 0.8]] for name in "abc"} | {name: [[0.7, 0.3], [0.4, 0.6]] for name in "def"}
    log = by_graders(skills, known=[])
    ours, theirs = fit_posterior(log, levels=(0, 1)), dawid_skene(log)
    assert ours.prior == pytest.approx(theirs.priors_[1.0], abs=1e-4)
    assert ours.probability.to_numpy() == pytest.approx(theirs.probas_[1.0].sort_index().to_numpy(), abs=1e-4)
    for name in skills:
        errors = theirs.errors_.loc[name].sort_index()
        assert table_of(ours, name) == pytest.approx(errors[[0.0, 1.0]].to_numpy().T, abs=1e-4)


def test_like_crowd_kit_with_known_truths():
    skills = {name: [[0.8, 0.2], [0.3, 0.7]] for name in "abcd"}
    log = by_graders(skills, known=range(200))
    ours = fit_posterior(log, levels=(0, 1), unknown_weight=1)
    known = log.dropna(subset="truth").drop_duplicates("id").set_index("id")["truth"]
    theirs = dawid_skene(log, true_labels=known)
    for name in skills:
        errors = theirs.errors_.loc[name].sort_index()
        assert table_of(ours, name) == pytest.approx(errors[[0.0, 1.0]].to_numpy().T, abs=0.03)
