"""Several systems asked together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import logit
from scipy.stats import rankdata

from lensdetect.errors import InputError, unknown_name
from lensdetect.metrics import fit_calibration


def combine(
    how: str, test: Mapping[str, np.ndarray], *, validation: Mapping[str, np.ndarray], is_lens: np.ndarray
) -> np.ndarray:
    """Scores of a committee.

    Parameters
    ----------
    how : str
        "mean_logit": the mean of the scores as they are, for networks, whose
        scores are logits. "rank_mean": the mean place in the ranking of the
        test stamps; 0 is the place above which there are as many as there are
        lenses in the validation. "calibrated_product": the likelihood ratios
        multiplied, each calibrated on the validation stamps, as of witnesses
        who know nothing of each other.
    test : mapping of str to ndarray
        For each member, ``(n,)`` scores of the test stamps.
    validation : mapping of str to ndarray
        For each member, ``(m,)`` scores of the validation stamps.
    is_lens : ndarray of bool
        ``(m,)`` Truth of the validation stamps.

    Returns
    -------
    ndarray
        float64 ``(n,)``.

    Raises
    ------
    InputError
        If there is no such combination, or the members differ in length.
    """
    if how not in COMBINATIONS:
        raise unknown_name("committee", how, COMBINATIONS)
    for scores in (test, validation):
        if len({len(values) for values in scores.values()}) != 1:
            raise InputError(f"members of a committee must score the same stamps, got {_lengths(scores)}")
    return COMBINATIONS[how](test, validation, np.asarray(is_lens, bool))


def _lengths(scores: Mapping[str, np.ndarray]) -> str:
    return ", ".join(f"{len(values)} of {name}" for name, values in scores.items()) or "none"


def _mean_logit(test: Mapping[str, np.ndarray], validation: Mapping[str, np.ndarray], is_lens: np.ndarray):
    return np.mean([np.asarray(values, np.float64) for values in test.values()], axis=0)


def _rank_mean(test: Mapping[str, np.ndarray], validation: Mapping[str, np.ndarray], is_lens: np.ndarray):
    places = np.mean([rankdata(values) / len(values) for values in test.values()], axis=0)
    return places - (1 - is_lens.mean())


def _calibrated_product(test: Mapping[str, np.ndarray], validation: Mapping[str, np.ndarray], is_lens: np.ndarray):
    prior = logit(is_lens.mean())
    total = prior
    for name, values in test.items():
        slope, intercept = fit_calibration(is_lens, validation[name])
        total = total + slope * np.asarray(values, np.float64) + intercept - prior
    return total


#: How the scores of members become one.
COMBINATIONS: dict[str, Callable[..., np.ndarray]] = {
    "mean_logit": _mean_logit,
    "rank_mean": _rank_mean,
    "calibrated_product": _calibrated_product,
}
