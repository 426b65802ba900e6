"""From a score to a probability that can be believed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from lensdetect.errors import InputError
from lensdetect.metrics.roc import checked

_MAX_NEWTON_STEPS = 100


@dataclass(frozen=True)
class Reliability:
    """Promised and kept: how often a stamp of some probability is a lens.

    Parameters
    ----------
    edges : ndarray
        ``(bins + 1,)`` Equal bins of probability from 0 to 1.
    count : ndarray of int
        ``(bins,)`` Stamps in each bin.
    num_lenses : ndarray of int
        ``(bins,)`` Lenses among them.
    mean_probability : ndarray
        ``(bins,)`` What was promised on average; NaN in an empty bin.
    """

    edges: np.ndarray
    count: np.ndarray
    num_lenses: np.ndarray
    mean_probability: np.ndarray

    @property
    def lens_fraction(self) -> np.ndarray:
        """``(bins,)`` What was kept; NaN in an empty bin."""
        return np.divide(self.num_lenses, self.count, out=np.full(len(self.count), np.nan), where=self.count > 0)

    @property
    def error(self) -> float:
        """Expected calibration error: mean of |promised - kept| over the stamps."""
        gap = np.abs(self.mean_probability - self.lens_fraction)
        return float(np.nansum(gap * self.count) / self.count.sum())


def reliability(is_lens, probability, *, bins: int = 10) -> Reliability:
    """Compare probabilities with the fraction of lenses among those who got them.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth: booleans, or 0 and 1.
    probability : array_like
        ``(n,)`` Between 0 and 1.
    bins : int
        Number of equal bins.

    Returns
    -------
    Reliability

    Raises
    ------
    InputError
        If a probability is not between 0 and 1, or as in ``roc_curve``.
    """
    is_lens, probability = checked(is_lens, probability)
    if probability.min() < 0 or probability.max() > 1:
        raise InputError(
            f"probabilities must lie between 0 and 1, got {probability.min():g} to {probability.max():g}: "
            "a logit becomes one by 1 / (1 + exp(-logit))"
        )
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    total = np.bincount(place, weights=probability, minlength=bins)
    return Reliability(
        edges=np.linspace(0, 1, bins + 1),
        count=count,
        num_lenses=np.bincount(place[is_lens], minlength=bins),
        mean_probability=np.divide(total, count, out=np.full(bins, np.nan), where=count > 0),
    )


def fit_calibration(is_lens, logit) -> tuple[float, float]:
    """Slope and intercept that turn a logit into a calibrated one.

    The calibrated probability is ``1 / (1 + exp(-(slope * logit + intercept)))``,
    fitted by maximum likelihood on stamps that the detector has not learned
    from. The targets are those of Platt 1999 (Advances in Large Margin
    Classifiers, 61): ``(L + 1) / (L + 2)`` for ``L`` lenses and ``1 / (O + 2)``
    for ``O`` others instead of 1 and 0, so that a sample separated without an
    error has a finite slope.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth: booleans, or 0 and 1.
    logit : array_like
        ``(n,)`` Finite.

    Returns
    -------
    slope : float
        Greater than 0, so the ranking stays.
    intercept : float

    Raises
    ------
    InputError
        If a class is missing, a logit is infinite, all are equal, or a higher logit
        does not mean more lenses; or as in ``roc_curve``.
    """
    is_lens, logit = checked(is_lens, logit)
    logit = logit.astype(np.float64)
    lenses, others = int(is_lens.sum()), int((~is_lens).sum())
    if lenses == 0 or others == 0:
        raise InputError(f"calibration needs lenses and others, got {lenses} and {others}: use a mixed sample")
    if not np.isfinite(logit).all() or logit.min() == logit.max():
        raise InputError(
            f"calibration needs finite logits that differ, got {logit.min():g} to {logit.max():g}: check the detector"
        )
    target = np.where(is_lens, (lenses + 1) / (lenses + 2), 1 / (others + 2))
    centre, spread = logit.mean(), logit.std()
    scaled_slope, scaled_intercept = _fit_logistic((logit - centre) / spread, target)
    slope = scaled_slope / spread
    if slope <= 0:
        raise InputError(
            f"a higher logit must mean more lenses, got a slope of {slope:.3g} over {len(logit)} stamps: "
            "check that truth and scores go together"
        )
    return float(slope), float(scaled_intercept - slope * centre)


def _fit_logistic(x: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of least cross entropy, by Newton steps, halved where they overshoot."""
    design = np.stack([x, np.ones_like(x)], axis=1)
    weights = np.zeros(2)
    loss = _cross_entropy(design @ weights, target)
    for _ in range(_MAX_NEWTON_STEPS):
        predicted = expit(design @ weights)
        gradient = design.T @ (predicted - target)
        curvature = (design * (predicted * (1 - predicted))[:, None]).T @ design
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        while (shorter := _cross_entropy(design @ (weights - step), target)) > loss and np.abs(step).max() > 1e-12:
            step = step / 2
        weights, loss = weights - step, shorter
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[0]), float(weights[1])


def _cross_entropy(logit: np.ndarray, target: np.ndarray) -> float:
    return float(np.sum(np.logaddexp(0, logit) - target * logit))


def prior_corrected(logit, *, training_prior: float, prior: float):
    """Logit for a sky where lenses are rarer than in the training set.

    Bayes' rule: the odds change by the ratio of the prior odds,
    ``logit + log(prior / (1 - prior)) - log(training_prior / (1 - training_prior))``.
    A calibrated probability of 0.95 learned from half lenses is 0.0019 where one
    in 10,000 is a lens.

    Parameters
    ----------
    logit : float or array_like
        Calibrated at ``training_prior``.
    training_prior : float
        Fraction of lenses where the logit was calibrated.
    prior : float
        Fraction of lenses where it shall be used.

    Returns
    -------
    float or ndarray
        Same order, other zero point.

    Raises
    ------
    InputError
        If a prior is not between 0 and 1.
    """
    for name, value in (("training_prior", training_prior), ("prior", prior)):
        if not 0 < value < 1:
            raise InputError(
                f"{name} must be a fraction between 0 and 1, got {value}: lenses are about 1e-4 of galaxies"
            )
    shift = math.log(prior / (1 - prior)) - math.log(training_prior / (1 - training_prior))
    return np.asarray(logit) + shift
