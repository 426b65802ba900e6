"""A detector trained on the real sky's population beside one trained on the challenge's, both scored on the former.

    python benchmarks/bench_populations.py --output populations

Simulates two training sets of one size, trains the same network on each with the
same plan and seed, and scores both on the same stamps of survey kids, which
neither has seen: 10,000 without a source and 2,000 with. Purity is worked out for
a sky where one stamp in 100, 1,000 or 10,000 is a lens; false positives are
counted by kind. Sources whose arcs cannot be seen are left out of both sides.

Everything is resumable: the same command goes on where it stopped. Writes
``purity.png`` and prints two Markdown tables. Takes about two hours on 2 cores.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.artifact import load_detector
from lensdetect.figures import purity_figure, save_figure
from lensdetect.metrics import false_positives_by_kind, lens_metrics, purity_at, roc_curve, threshold_at
from lensdetect.simulation import simulate
from lensdetect.stamps import Shards, undetected
from lensdetect.survey import get_survey
from lensdetect.training import Run, export, get_plan, resume, train

POPULATIONS = ("kids", "bologna")
PRIORS = (1e-2, 1e-3, 1e-4)
COMPLETENESS = (0.3, 0.5, 0.8)


def trained_on(name: str, args: argparse.Namespace) -> Path:
    """Artifact of the network trained on one population; what is there already is used."""
    survey = get_survey(name)
    stamps = Shards(simulate(survey, args.output / f"train_{name}", count=args.stamps, seed=args.seed))
    run = Run(args.output / f"run_{name}")
    if run.model_folder.exists():
        return run.model_folder
    if run.exists:
        resume(run.folder, stamps, survey=survey)
    else:
        plan = get_plan("adamw").with_epochs(args.epochs)
        train(args.detector, stamps, run.folder, survey=survey, plan=plan, seed=args.seed)
    return export(run, stamps, survey=survey)


def test_stamps(args: argparse.Namespace) -> list[Shards]:
    """Stamps of kids without a source, and with."""
    survey = get_survey("kids")
    parts = (("others", args.others, 0.0, args.seed + 1000), ("lenses", args.lenses, 1.0, args.seed + 2000))
    return [
        Shards(simulate(survey, args.output / f"test_{name}", count=count, seed=seed, lens_fraction=fraction))
        for name, count, fraction, seed in parts
    ]


def scored(folder: Path, parts: list[Shards]) -> np.ndarray:
    """Logits of all stamps, in order."""
    detector = load_detector(folder)
    logits = []
    for stamps in parts:
        for start in range(0, len(stamps), 500):
            logits.append(detector(stamps.read(np.arange(start, min(start + 500, len(stamps))))).logit)
    return np.concatenate(logits)


def print_purity(truth: pd.DataFrame, scores: dict[str, np.ndarray]) -> None:
    """Completeness, false positive rate and purity."""
    is_lens = truth["is_lens"].to_numpy(bool)
    priors = " | ".join(f"purity at 1 in {1 / prior:,.0f}" for prior in PRIORS)
    print(f"\n| trained on | AUROC | completeness | others taken | {priors} |\n|---|---|---|---|{'---|' * len(PRIORS)}")
    for name, logit in scores.items():
        metrics = lens_metrics(is_lens, logit)
        low, high = metrics.auroc_interval
        for completeness in COMPLETENESS:
            threshold = threshold_at(roc_curve(is_lens, logit), completeness)
            wrong = int(np.sum(logit[~is_lens] >= threshold))
            rate = wrong / np.sum(~is_lens)
            purity = " | ".join(f"{purity_at(completeness, rate, prior=prior):.4f}" for prior in PRIORS)
            auroc = f"{metrics.auroc:.4f} [{low:.4f}, {high:.4f}]"
            print(f"| {name} | {auroc} | {completeness:.0%} | {wrong} of {np.sum(~is_lens):,} | {purity} |")


def print_kinds(truth: pd.DataFrame, scores: dict[str, np.ndarray], *, completeness: float = 0.5) -> None:
    """False positives by kind at one completeness, and by glitch; a stamp with two glitches counts for both."""
    is_lens, glitches = truth["is_lens"].to_numpy(bool), truth["glitches"].str.split(",")
    groups = [("kind", truth["kind"].to_numpy(object), None)]
    groups += [
        ("glitch", np.where([name in row for row in glitches], name, "other"), name)
        for name in sorted({name for row in glitches for name in row if name})
    ]
    print(f"\n| at {completeness:.0%} completeness | stamps | {' | '.join(f'{name}: taken' for name in scores)} |")
    print(f"|---|---|{'---|' * len(scores)}")
    for title, kind, wanted in groups:
        rows = {}
        for name, logit in scores.items():
            threshold = threshold_at(roc_curve(is_lens, logit), completeness)
            for row in false_positives_by_kind(is_lens, logit, kind=kind, threshold=threshold):
                if wanted in {None, row.kind}:
                    rows.setdefault(row.kind, {})[name] = row
        for group, by_name in sorted(rows.items(), key=lambda item: -max(row.rate for row in item[1].values())):
            cells = " | ".join(
                f"{row.rate:.2%} [{row.rate_interval[0]:.2%}, {row.rate_interval[1]:.2%}]" for row in by_name.values()
            )
            print(f"| {title} {group} | {next(iter(by_name.values())).count:,} | {cells} |")


def main() -> None:
    """Simulate, train, score, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for stamps, runs and the figure")
    parser.add_argument("--stamps", type=int, default=20_000, help="to train on (default: %(default)s)")
    parser.add_argument(
        "--others", type=int, default=10_000, help="test stamps without a source (default: %(default)s)"
    )
    parser.add_argument("--lenses", type=int, default=2_000, help="test stamps with one (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--detector", default="arcformer_small", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    parts = test_stamps(args)
    truth = pd.concat([part.truth for part in parts], ignore_index=True)
    keep = ~undetected(truth)
    truth = truth[keep].reset_index(drop=True)
    scores = {name: scored(trained_on(name, args), parts)[keep] for name in POPULATIONS}
    print(
        f"{args.detector}, {args.stamps:,} stamps, {args.epochs} epochs, seed {args.seed}; scored on {len(truth):,} "
        f"stamps of kids, {int(truth['is_lens'].sum()):,} of them lenses; {os.cpu_count()} cores"
    )
    print_purity(truth, scores)
    print_kinds(truth, scores)
    is_lens, kind = truth["is_lens"].to_numpy(bool), truth["kind"].to_numpy(object)
    named = {f"trained on {name}": logit for name, logit in scores.items()}
    save_figure(purity_figure(is_lens, named, kind=kind, prior=PRIORS[0]), args.output / "purity.png")
    print(f"\nfigure: {args.output / 'purity.png'}")


if __name__ == "__main__":
    main()
