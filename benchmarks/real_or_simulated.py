"""How well simulated galaxies can be told from real ones: a number, what differs, and pictures to look at.

    python benchmarks/real_or_simulated.py --work /tmp/stamps --output /tmp/real_or_simulated
    python benchmarks/real_or_simulated.py --detector runs/kids --page benchmarks/real_or_simulated.md

Each ordinary real galaxy has a simulated partner of its magnitude, or of its colours too (galaxy_pairs.py). A logistic
regression on the features (``embed``) of a network that was never asked to tell them is fitted on the other folds of
the sky and scores the pairs of this one: 0.5 is what a perfect simulation would have, 1 what two kinds of pictures
have that a line parts. The control is the same with real and simulated swapped in pairs drawn at random. Single
measured properties stand beside it: above 0.5, real ones have more of it. Writes table.csv, table.md and a contact
sheet for each row in ``--output``; ``--page`` puts the table between two marks of a Markdown page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from galaxy_pairs import BANDS, SCALE_ARCSEC, SOURCES, ZERO_POINT_MAG, Pairs, make_pairs, properties
from galaxy_pairs import side_by_side as beside
from real_sets import DATA
from real_sky_table import into_page
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lensdetect import artifact
from lensdetect.errors import LensdetectError
from lensdetect.figures import mosaic
from lensdetect.metrics import roc_curve
from lensdetect.metrics.intervals import auroc_interval

#: Weight of the data against the ridge: strong enough for fewer pairs than features.
_C = 0.01
_CONFIDENCE, _SHUFFLES = 0.95, 20
_SHOWN, _COLUMNS = 40, 10


def told_apart(real: np.ndarray, simulated: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Out-of-fold score of each: higher is more like a real one.

    Parameters
    ----------
    real, simulated : ndarray
        Features ``(n, dim)``, in pairs.
    fold : ndarray of int
        ``(n,)``; a pair is scored by the classifier that has not seen its fold.

    Returns
    -------
    ndarray
        ``(2, n)``: of the real, of the simulated.
    """
    scores = np.empty((2, len(fold)))
    for held in np.unique(fold):
        seen = fold != held
        model = make_pipeline(StandardScaler(), LogisticRegression(C=_C, max_iter=2000))
        model.fit(np.concatenate([real[seen], simulated[seen]]), np.repeat([1, 0], seen.sum()))
        for place, features in enumerate((real, simulated)):
            scores[place, ~seen] = model.decision_function(features[~seen])
    return scores


def auroc(real: np.ndarray, simulated: np.ndarray) -> tuple[float, float, float]:
    """AUROC of a score that real ones shall have more of, and its interval."""
    score = np.nan_to_num(np.concatenate([real, simulated]).astype(float), nan=-1e9)
    roc = roc_curve(np.repeat([True, False], [len(real), len(simulated)]), score)
    return (roc.auroc, *auroc_interval(roc, confidence=_CONFIDENCE))


def shuffled(real: np.ndarray, simulated: np.ndarray, fold: np.ndarray, *, seed: int) -> np.ndarray:
    """AUROC of the same with real and simulated swapped in half of the pairs, several times."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(_SHUFFLES):
        swap = rng.random(len(fold))[:, None] < 0.5
        one, other = np.where(swap, simulated, real), np.where(swap, real, simulated)
        found.append(auroc(*told_apart(one, other, fold))[0])
    return np.array(found)


def measure(pairs: Pairs, features: tuple[np.ndarray, np.ndarray], *, seed: int) -> dict[str, float]:
    """One row of the table.

    Parameters
    ----------
    pairs : Pairs
    features : tuple of ndarray
        Of the real and of the simulated ones.
    seed : int
        Of the control.

    Returns
    -------
    dict
    """
    area, low, high = auroc(*told_apart(*features, pairs.fold))
    control = shuffled(*features, pairs.fold, seed=seed)
    row = {"pairs": len(pairs.fold), "auroc": area, "low": low, "high": high}
    row |= {"shuffled": control.mean(), "shuffled_low": control.min(), "shuffled_high": control.max()}
    real, simulated = properties(pairs.real), properties(pairs.simulated)
    return row | {name: auroc(real[name], simulated[name])[0] for name in real}


def as_markdown(table: pd.DataFrame) -> str:
    """The table for a page."""
    measured = [name for name in table if name not in _OWN]
    head = ["real galaxies", "alike in", "pairs", "AUROC", "shuffled", *measured]
    lines = [" | ".join(head), " | ".join(["---"] * len(head))]
    for row in table.to_dict("records"):
        area = f"{row['auroc']:.2f} ({row['low']:.2f}-{row['high']:.2f})"
        control = f"{row['shuffled']:.2f} ({row['shuffled_low']:.2f}-{row['shuffled_high']:.2f})"
        cells = [row["set"], row["alike in"], str(row["pairs"]), area, control]
        lines.append(" | ".join([*cells, *(f"{row[name]:.2f}" for name in measured)]))
    return "\n".join(f"| {line} |" for line in lines) + "\n"


_OWN = ("set", "alike in", "pairs", "auroc", "low", "high", "shuffled", "shuffled_low", "shuffled_high")


def draw(pairs: Pairs, path: Path, *, title: str) -> None:
    """Contact sheet: a row of real ones, their partners below, in one stretch."""
    cutouts = beside(pairs, count=_SHOWN, columns=_COLUMNS)
    words = np.tile(np.repeat(["real", "simulated"], _COLUMNS), len(cutouts) // (2 * _COLUMNS))
    figure = mosaic(cutouts, list(words), bands=BANDS, pixel_scale_arcsec=SCALE_ARCSEC, columns=_COLUMNS, title=title)
    figure.savefig(path, dpi=90, bbox_inches="tight")
    plt.close(figure)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default="arcformer_small-bologna", help="whose features (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real sets (default: %(default)s)")
    parser.add_argument("--work", type=Path, default=Path("real_or_simulated"), help="for the simulated stamps")
    parser.add_argument("--output", type=Path, default=Path("real_or_simulated"), help="for tables and sheets")
    parser.add_argument("--seed", type=int, default=7130)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--page", type=Path, help="Markdown page to put the table into")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> pd.DataFrame:
    """All sets, paired in all ways."""
    scorer, rows = artifact.load_detector(args.detector), []
    args.output.mkdir(parents=True, exist_ok=True)
    for name, source in SOURCES.items():
        print(name, file=sys.stderr, flush=True)
        made = make_pairs(source, args.work, data=args.data, seed=args.seed, workers=args.workers)
        for alike, pairs in made.items():
            form = {"bands": BANDS, "zero_points_mag": ZERO_POINT_MAG}
            features = tuple(scorer.embed(cutouts, **form) for cutouts in (pairs.real, pairs.simulated))
            rows.append({"set": name, "alike in": alike} | measure(pairs, features, seed=args.seed))
            sheet = args.output / f"{name} {alike}.png".replace(", ", "").replace(" ", "_")
            draw(pairs, sheet, title=f"{name}: real above, simulated below, alike in {alike}")
    return pd.DataFrame(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write; 2 where it could not be done."""
    args = parse(argv)
    try:
        table = run(args)
        table.to_csv(args.output / "table.csv", index=False, float_format="%.4g")
        text = as_markdown(table)
        (args.output / "table.md").write_text(text, encoding="utf-8")
        if args.page is not None:
            into_page(args.page, text)
    except LensdetectError as error:
        print(f"real_or_simulated: {error}", file=sys.stderr)
        return 2
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
