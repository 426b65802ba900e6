"""How likely an object is a lens, given who graded it how and how well each grader is known to tell.

Each grader has a table: how often a lens, and how often another object, gets each
grade. The odds of an object are those of the prior times the ratio of the two for
each of its grades. Planted lenses, known lenses and duds teach the tables; so do the
objects of unknown truth, each weighted by its own posterior, by expectation and
maximisation in turn: Dawid and Skene 1979 (Applied Statistics 28, 20). Marshall+ 2016
(MNRAS 455, 1171) did so for Space Warps, with the answers yes and no and from training
images alone.

Graders are taken to err independently, given what the object is. They do not: a ring
fools several. Two things keep that from doing harm, both measured in
benchmarks/grading.md. All objects of unknown truth together weigh no more in the tables
than those of known truth: left alone, the many would turn "lens" into "looks like a lens
to everybody" (such weights: Nigam+ 2000, Machine Learning 39, 103). And the evidence of
all grades is raised to a power of at most 1, ``trust``, that fits the objects of known
truth, each judged with tables that have not learned from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from lensdetect.errors import InputError
from lensdetect.inspection.standing import SCALE, standing_grades

#: Grades that a new grader counts as having given to lenses, and as many to others (Dirichlet counts): they rise
#: towards the highest grade for lenses and fall for others, so that the highest grade means a lens until learned.
TABLE_COUNTS = 4.0
#: Lenses and others that are counted beside the graded ones where the share of lenses is estimated (Beta counts).
SHARE_COUNTS = (1.0, 9.0)
#: Spread of the natural logarithm of ``trust`` about 0 before any object of known truth is seen.
TRUST_SPREAD = 1.0
_TRUSTS = np.linspace(0.05, 1.0, 191)
_TOLERANCE = 1e-8
_MOST_STEPS = 5000


@dataclass(frozen=True)
class Posterior:
    """What grades say of objects and of graders.

    Parameters
    ----------
    log_odds : Series
        Natural logarithm of ``p / (1 - p)`` by id; of an object whose truth is known, what its grades alone say.
    tables : ndarray
        ``(grader, 2, level)`` chance of each grade for an object that is no lens, and for a lens.
    graders : tuple of str
    levels : ndarray
        ``(level,)`` grades, ascending.
    prior : float
        Share of lenses among the objects of unknown truth, as stated or estimated.
    estimated : bool
        Whether it was.
    trust : float
        Power of at most 1 that the ratios of the tables are raised to; 1 where lenses or others of known truth lack.
    converged : bool
        Whether the last step changed no probability by more than 1e-8.
    objectives : ndarray
        ``(step,)`` logarithm of the posterior density of tables and share after each step; it never falls.
    """

    log_odds: pd.Series
    tables: np.ndarray
    graders: tuple[str, ...]
    levels: np.ndarray
    prior: float
    estimated: bool
    trust: float
    converged: bool
    objectives: np.ndarray

    @property
    def probability(self) -> pd.Series:
        """Posterior by id."""
        return pd.Series(expit(self.log_odds.to_numpy()), index=self.log_odds.index, name="posterior")

    def table_rows(self) -> pd.DataFrame:
        """The tables of the graders for people: one row a grader and grade.

        Returns
        -------
        DataFrame
            ``grader``, ``grade``, ``given_lens``, ``given_other``, ``ratio``: by how much the grade changes the odds.
        """
        other, lens = self.tables[:, 0].ravel(), self.tables[:, 1].ravel()
        names = np.repeat(np.array(self.graders, object), len(self.levels))
        grades = np.tile(self.levels, len(self.graders))
        columns = {"grader": names, "grade": grades, "given_lens": lens, "given_other": other, "ratio": lens / other}
        return pd.DataFrame(columns)

    @property
    def note(self) -> str:
        """What a reader must know of the fit; empty when all is well."""
        if self.converged:
            return ""
        return (
            f"the posterior has not settled in {len(self.objectives):,} steps: take its order, not its values, "
            "or plant more lenses and duds"
        )


@dataclass(frozen=True)
class _Grades:
    """Grades as indices: of the object, and of grader and grade; of each object truth (NaN if unknown) and weight."""

    objects: np.ndarray
    cells: np.ndarray
    truth: np.ndarray
    weight: np.ndarray
    shape: tuple[int, int]

    @property
    def unknown(self) -> np.ndarray:
        return np.isnan(self.truth)


@dataclass(frozen=True)
class _Climbed:
    """Where expectation and maximisation have led: the chance of each object to be a lens, and the rest."""

    lens: np.ndarray
    tables: np.ndarray
    share: float
    objectives: list[float]
    converged: bool


def fit_posterior(
    log: pd.DataFrame, *, prior: float | None = None, levels=SCALE, unknown_weight: float | None = None
) -> Posterior:
    """Learn the graders' tables and the probability of each object from a log of grades.

    Parameters
    ----------
    log : DataFrame
        As ``read_log`` gives it; ``standing_grades`` says which of it counts.
    prior : float, optional
        Share of lenses among the objects of unknown truth, before any grade; estimated from the grades if not given.
    levels : sequence of float
        Grades that can be given; those that were are added.
    unknown_weight : float, optional
        Of an object of unknown truth in the tables, from 0 (planted and known ones alone
        teach) to 1 (each teaches as much as one of known truth, as Dawid and Skene have it). By default what
        makes them weigh together as much as those of known truth, at most 1; 1 where there is none of these.

    Returns
    -------
    Posterior
        The same to the last bit for any order of rows.

    Raises
    ------
    InputError
        If the prior is not between 0 and 1, the weight not from 0 to 1, or a grade not finite.
    """
    _check(prior, unknown_weight)
    standing = standing_grades(log)
    if not np.isfinite(standing["grade"]).all():
        raise InputError("grades must be finite numbers, got an infinite one: correct the log")
    levels = np.unique(np.concatenate([np.asarray(levels, np.float64), standing["grade"].to_numpy()]))
    grades, ids, names = _indexed(standing, levels, unknown_weight)
    climbed = _climb(grades, prior)
    trust = _fit_trust(grades, climbed)
    evidence = trust * _evidence(grades, climbed.tables)
    share = _settled_share(evidence[grades.unknown], climbed.share) if prior is None else prior
    return Posterior(
        pd.Series(logit(share) + evidence, index=pd.Index(ids, name="id"), name="log_odds"),
        climbed.tables,
        tuple(map(str, names)),
        levels,
        share,
        prior is None,
        trust,
        climbed.converged,
        np.array(climbed.objectives),
    )


def _check(prior: float | None, unknown_weight: float | None) -> None:
    if prior is not None and not 0 < prior < 1:
        raise InputError(f"prior must be a fraction between 0 and 1, got {prior}: it is the share of lenses graded")
    if unknown_weight is not None and not 0 <= unknown_weight <= 1:
        raise InputError(f"unknown_weight must be from 0 to 1, got {unknown_weight}: 1 is as much as a known object")


def _indexed(standing: pd.DataFrame, levels: np.ndarray, unknown_weight: float | None):
    graders, names = pd.factorize(standing["grader"], sort=True)
    objects, ids = pd.factorize(standing["id"], sort=True)
    truth = standing.groupby("id", sort=True)["truth"].first().reindex(ids).to_numpy(np.float64)
    unknown, known = int(np.isnan(truth).sum()), int((~np.isnan(truth)).sum())
    if unknown_weight is None:
        unknown_weight = min(1.0, known / unknown) if known and unknown else 1.0
    cells = graders * len(levels) + np.searchsorted(levels, standing["grade"].to_numpy())
    weight = np.where(np.isnan(truth), unknown_weight, 1.0)
    return _Grades(objects, cells, truth, weight, (len(names), len(levels))), ids, names


def _climb(grades: _Grades, prior: float | None) -> _Climbed:
    """Expectation and maximisation in turn, from what the objects of known truth teach."""
    known, truth = ~grades.unknown, np.nan_to_num(grades.truth)
    tables = _normal(_counts(grades, truth * known, (1.0 - truth) * known))
    share = prior if prior is not None else SHARE_COUNTS[0] / sum(SHARE_COUNTS)
    lens, objectives = np.full(len(truth), -1.0), []
    for _ in range(_MOST_STEPS):
        objectives.append(_objective(grades, tables, share, estimated=prior is None))
        before, lens = lens, np.where(known, truth, expit(logit(share) + _evidence(grades, tables)))
        if np.abs(lens - before).max(initial=0.0) <= _TOLERANCE:
            return _Climbed(lens, tables, share, objectives, True)
        tables = _normal(_counts(grades, lens, 1.0 - lens))
        share = _share(lens[~known], grades.weight[~known]) if prior is None else prior
    return _Climbed(lens, tables, share, objectives, False)


def _prior_counts(levels: int) -> np.ndarray:
    """``(2, level)`` Dirichlet counts of a new grader: falling for others, rising for lenses."""
    rising = np.arange(1.0, levels + 1.0)
    return TABLE_COUNTS * np.stack([rising[::-1], rising]) / rising.sum()


def _counts(grades: _Grades, lens: np.ndarray, other: np.ndarray) -> np.ndarray:
    """``(grader, 2, level)`` how often each grade was given, the prior counts among them."""
    counts = np.empty((grades.shape[0], 2, grades.shape[1]))
    for place, chance in enumerate((other, lens)):
        weight = (chance * grades.weight)[grades.objects]
        counts[:, place] = np.bincount(grades.cells, weights=weight, minlength=math.prod(grades.shape)).reshape(
            grades.shape
        )
    return counts + _prior_counts(grades.shape[1])


def _normal(counts: np.ndarray) -> np.ndarray:
    return counts / counts.sum(axis=2, keepdims=True)


def _share(lens: np.ndarray, weight: np.ndarray) -> float:
    return float((np.sum(lens * weight) + SHARE_COUNTS[0]) / (weight.sum() + sum(SHARE_COUNTS)))


def _settled_share(evidence: np.ndarray, share: float) -> float:
    """Share of lenses that agrees with the posteriors it leads to, now that the evidence is what can be trusted."""
    for _ in range(_MOST_STEPS):
        before, share = share, _share(expit(logit(share) + evidence), np.ones(len(evidence)))
        if abs(share - before) <= _TOLERANCE:
            break
    return share


def _log_likelihoods(grades: _Grades, tables: np.ndarray) -> np.ndarray:
    """``(2, object)`` logarithm of the chance of all its grades, if it is none and if it is a lens."""
    logs = np.log(tables)
    size = len(grades.truth)
    return np.stack(
        [np.bincount(grades.objects, weights=logs[:, place].ravel()[grades.cells], minlength=size) for place in (0, 1)]
    )


def _evidence(grades: _Grades, tables: np.ndarray) -> np.ndarray:
    """``(object,)`` logarithm of the ratio of the two."""
    other, lens = _log_likelihoods(grades, tables)
    return lens - other


def _objective(grades: _Grades, tables: np.ndarray, share: float, *, estimated: bool) -> float:
    """What each step raises: weighted likelihood of grades and truths, times the densities of tables and share."""
    other, lens = _log_likelihoods(grades, tables)
    either = np.logaddexp(math.log(share) + lens, math.log1p(-share) + other)
    seen = np.where(grades.unknown, either, np.where(grades.truth > 0.5, lens, other))
    density = np.sum(_prior_counts(grades.shape[1]) * np.log(tables))
    if estimated:
        density += SHARE_COUNTS[0] * math.log(share) + SHARE_COUNTS[1] * math.log1p(-share)
    return float(np.sum(grades.weight * seen) + density)


def _fit_trust(grades: _Grades, climbed: _Climbed) -> float:
    """Power of the evidence that best tells lenses from others of known truth, each left out of its tables."""
    known = ~grades.unknown
    is_lens = grades.truth[known] > 0.5
    if not is_lens.any() or is_lens.all():
        return 1.0
    evidence = _TRUSTS[:, None] * _evidence_left_out(grades, climbed.lens)[known]
    log_odds = math.log(is_lens.sum() / (~is_lens).sum()) + evidence
    fits = np.sum(is_lens * log_odds - np.logaddexp(0.0, log_odds), axis=1)
    return float(_TRUSTS[np.argmax(fits - 0.5 * np.square(np.log(_TRUSTS) / TRUST_SPREAD))])


def _evidence_left_out(grades: _Grades, lens: np.ndarray) -> np.ndarray:
    """``(object,)`` evidence by tables from which the grades of the object itself are taken out."""
    counts = _counts(grades, lens, 1.0 - lens)
    totals = counts.sum(axis=2)
    graders = grades.cells // grades.shape[1]
    logs = []
    for place, chance in enumerate((1.0 - lens, lens)):
        own = (chance * grades.weight)[grades.objects]
        logs.append(np.log(counts[:, place].ravel()[grades.cells] - own) - np.log(totals[graders, place] - own))
    return np.bincount(grades.objects, weights=logs[1] - logs[0], minlength=len(grades.truth))
