"""What the mean over eight views is worth and costs, and whether the calibration of one view holds for it.

    python benchmarks/bench_views.py --stamps 2000

Simulated stamps of survey ground that no detector has seen; sources that cannot be seen are left out. The probability
is the card's, moved to the share of lenses among these stamps. Beside its log loss stands that of a calibration
fitted on the same number of views, on one half of the stamps and measured on the other: what is lost by the card's.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from scipy.special import expit

from lensdetect import load_detector
from lensdetect.artifact import Scorer
from lensdetect.metrics import fit_calibration, reliability, roc_curve
from lensdetect.metrics.intervals import auroc_interval
from lensdetect.simulation import simulate
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS

SURVEY = SURVEYS["ground"]


def load_stamps(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and truth of stamps whose class can be seen."""
    shards = Shards(folder)
    truth = shards.truth
    rows = np.flatnonzero(truth["is_lens"] | ~truth["has_source"])
    return shards.read(rows), truth["is_lens"].to_numpy(bool)[rows]


def log_loss(is_lens: np.ndarray, logit: np.ndarray) -> float:
    """Mean of minus the logarithm of the probability given to the truth."""
    return float(np.mean(np.logaddexp(0.0, np.where(is_lens, -logit, logit))))


def own_calibration(is_lens: np.ndarray, logit: np.ndarray) -> np.ndarray:
    """Logit calibrated on the half of the stamps that each is not in."""
    first, found = np.arange(len(logit)) % 2 == 0, np.empty(len(logit))
    for half in (first, ~first):
        slope, intercept = fit_calibration(is_lens[half], logit[half])
        found[~half] = slope * logit[~half] + intercept
    return found


def row(scorer: Scorer, cutouts: np.ndarray, is_lens: np.ndarray, *, bands: str, views: int) -> tuple[str, float]:
    """A line of the table, and the processor time."""
    places = [SURVEY.band_names.index(band) for band in bands]
    form = {"bands": tuple(bands), "zero_points_mag": [SURVEY.bands[place].zero_point_mag for place in places]}
    scorer(cutouts[:128][..., places], **form, views=views)
    began_s = time.process_time()
    logit = scorer(cutouts[..., places], **form, views=views).logit
    spent_s = time.process_time() - began_s
    roc = roc_curve(is_lens, logit)
    low, high = auroc_interval(roc, confidence=0.95)
    promised = scorer.card.calibration_of(bands).logit(logit, prior=is_lens.mean())
    error = reliability(is_lens, expit(promised)).error
    losses = f"{log_loss(is_lens, promised):.3f} | {log_loss(is_lens, own_calibration(is_lens, logit)):.3f}"
    return f"| {bands} | {views} | {roc.auroc:.3f} ({low:.3f}-{high:.3f}) | {error:.3f} | {losses} |", spent_s


def main() -> None:
    """Score with one view and with eight, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", help="(default: that of the survey)")
    parser.add_argument("--data", type=Path, help="stamps of survey ground (default: new ones)")
    parser.add_argument("--stamps", type=int, default=2000)
    parser.add_argument("--bands", nargs="+", default=["ugri", "gri", "r"])
    args = parser.parse_args()
    scorer = load_detector(args.detector, survey=SURVEY.name)
    with tempfile.TemporaryDirectory() as folder:
        data = args.data or simulate(SURVEY, Path(folder) / "stamps", count=args.stamps, seed=88011, progress=False)
        cutouts, is_lens = load_stamps(data)
    cutouts, is_lens = cutouts[: args.stamps], is_lens[: args.stamps]
    print(f"{scorer.title}, {len(is_lens):,} stamps, {is_lens.sum():,} lenses")
    print("| bands | views | AUROC | calibration error | log loss | if calibrated for it |\n|---|---|---|---|---|---|")
    for bands in args.bands:
        (one, one_s), (eight, eight_s) = (row(scorer, cutouts, is_lens, bands=bands, views=n) for n in (1, 8))
        print(f"{one}\n{eight}\n(processor time of eight views over one: {eight_s / one_s:.2f})", flush=True)


if __name__ == "__main__":
    main()
