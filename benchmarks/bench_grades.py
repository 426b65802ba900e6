"""How much better six graders of mixed skill rank by the posterior than by the mean grade and the published rule.

Two kinds of simulated skies of grades. In ``independent`` each grader draws grades from a table of their own, as the
posterior assumes. In ``shared looks`` objects look more or less like a lens to everybody (half of the variance), so
that graders err together, which the posterior does not know of. Truth is known of planted lenses and duds alone; all
three ways get the same: each is turned into a probability with what the planted objects show, at the true share.

    python benchmarks/bench_grades.py --seeds 20      the figures of benchmarks/grading.md, 2 minutes on one core
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import expit, stdtrit

from lensdetect.inspection import combine, fit_posterior
from lensdetect.metrics import fit_calibration, prior_corrected, roc_curve

LEVELS = np.array([0.0, 1.0, 3.0, 5.0])
#: How many standard deviations lenses lie above others for each grader, and above which looks they give 1, 3 and 5.
SEPARATION = np.array([2.6, 2.2, 1.8, 1.2, 0.8, 0.2])
CUTS = np.array(
    [[1.0, 1.8, 2.6], [1.2, 1.8, 2.4], [0.6, 1.4, 2.4], [-0.2, 0.8, 1.6], [1.4, 2.4, 3.0], [-0.6, 0.4, 1.2]]
)
OBJECTS = 1000
#: Planted lenses and duds; shares of lenses among the others.
PLANTED = (10, 25, 50)
SHARES = (0.02, 0.1)


def draw(kind: str, *, planted: int, share: float, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Log of six graders, and the truth of all objects; the first ``2 * planted`` are planted."""
    truth = np.concatenate([np.arange(2 * planted) % 2 == 0, rng.random(OBJECTS) < share])
    common = rng.normal(size=(len(truth), 1)) * (np.sqrt(0.5) if kind == "shared looks" else 0.0)
    own = rng.normal(size=(len(truth), len(SEPARATION)))
    looks = truth[:, None] * SEPARATION + common + own * (np.sqrt(0.5) if kind == "shared looks" else 1.0)
    places = (looks[:, :, None] > CUTS).sum(axis=2)
    number, grader = np.meshgrid(np.arange(len(truth)), np.arange(len(SEPARATION)), indexing="ij")
    known = number.ravel() < 2 * planted
    log = pd.DataFrame(
        {
            "id": [f"{one:05d}" for one in number.ravel()],
            "grader": [f"grader {one}" for one in grader.ravel()],
            "grade": LEVELS[places.ravel()],
            "truth": np.where(known, truth[number.ravel()], np.nan),
        }
    )
    return log, truth


def by_posterior(log: pd.DataFrame, share: float, **options) -> np.ndarray:
    """Log-odds by the posterior."""
    return fit_posterior(log, prior=share, **options).log_odds.to_numpy()


def by_mean_grade(log: pd.DataFrame, share: float) -> np.ndarray:
    """Log-odds by the mean grade, calibrated on the planted objects."""
    table = combine(log, prior=share)
    known = table["truth"].notna()
    slope, intercept = fit_calibration(table["truth"][known] == 1, table["mean_grade"][known])
    return prior_corrected(slope * table["mean_grade"].to_numpy() + intercept, training_prior=0.5, prior=share)


def by_rule(log: pd.DataFrame, share: float) -> np.ndarray:
    """Log-odds by the published rule: what the planted objects that it takes, or leaves, show of it."""
    table = combine(log, prior=share)
    lenses, duds = table[table["truth"] == 1], table[table["truth"] == 0]
    hit, alarm = ((part["is_candidate"].sum() + 1) / (len(part) + 2) for part in (lenses, duds))
    taken = np.log(share / (1 - share)) + np.log(hit / alarm)
    left = np.log(share / (1 - share)) + np.log((1 - hit) / (1 - alarm))
    return np.where(table["is_candidate"], taken, left)


WAYS: dict[str, Callable] = {
    "posterior": by_posterior,
    "posterior, planted objects alone teach": lambda log, share: by_posterior(log, share, unknown_weight=0),
    "posterior, all objects teach alike": lambda log, share: by_posterior(log, share, unknown_weight=1),
    "mean grade": by_mean_grade,
    "published rule": by_rule,
}


def measure(kind: str, *, planted: int, share: float, seed: int) -> dict[str, tuple[float, float]]:
    """AUROC and Brier score of each way on the objects of unknown truth."""
    log, truth = draw(kind, planted=planted, share=share, rng=np.random.default_rng(seed))
    unknown = slice(2 * planted, None)
    found = {}
    for name, way in WAYS.items():
        log_odds = way(log, share)[unknown]
        brier = np.mean(np.square(expit(log_odds) - truth[unknown]))
        found[name] = roc_curve(truth[unknown], log_odds).auroc, brier
    return found


def with_interval(values: np.ndarray, form: str) -> str:
    """Mean over seeds and its 95 % interval by Student's t."""
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
    half = stdtrit(len(values) - 1, 0.975) * error
    return f"{mean:{form}} ({mean - half:{form}} to {mean + half:{form}})"


def rows(kind: str, planted: int, share: float, seeds: int) -> list[str]:
    """Rows of the table: each way, and how far the first is ahead of it, seed by seed."""
    runs = [measure(kind, planted=planted, share=share, seed=seed) for seed in range(seeds)]
    values = {name: np.array([run[name] for run in runs]) for name in WAYS}
    best = values["posterior"]
    lines = []
    for name, one in values.items():
        auroc, brier = with_interval(one[:, 0], ".4f"), with_interval(one[:, 1], ".4f")
        ahead = ["", ""]
        if name != "posterior":
            ahead = [with_interval(best[:, 0] - one[:, 0], "+.4f"), with_interval(one[:, 1] - best[:, 1], "+.4f")]
        lines.append(f"| {kind} | {planted} | {share:g} | {name} | {auroc} | {brier} | {' | '.join(ahead)} |")
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    args = parser.parse_args()
    print("| sky | planted lenses, and as many duds | share of lenses | ranked by | AUROC | Brier score "
          "| posterior ahead in AUROC | posterior lower in Brier score |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for kind in ("independent", "shared looks"):
        for planted in PLANTED:
            for share in SHARES:
                print("\n".join(rows(kind, planted, share, args.seeds)), flush=True)


if __name__ == "__main__":
    main()
