"""AUROC of two detectors after the same wall time of training, side by side, a core each.

    lensdetect simulate --survey bologna --count 20000 --seed 1 --output train
    lensdetect simulate --survey bologna --count 10000 --seed 2 --output test
    python benchmarks/bench_budget.py --data train --test test --minutes 12

Each detector trains with its own recipe, in a process of its own that is bound to
one core, so that both meet the same machine at the same time. How many epochs
fit is worked out from the first half minute, which is thrown away; a recipe with
more stages than epochs that fit keeps its first stage. Both are then scored on
the same stamps, which neither has seen.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The recipe of each detector; adamw where none is named.
PLANS = {"lens_detector_15": "published"}


def fitting_plan(name: str, stamps, *, seconds: float):
    """The detector's plan over as many epochs as fit."""
    import keras

    from lensdetect.data.pipeline import training_batches
    from lensdetect.network import build_detector
    from lensdetect.training import get_plan

    plan = get_plan(PLANS.get(name, "adamw"))
    rows = range(round(len(stamps) * (1 - plan.validation_fraction)))
    batches = training_batches(
        *(stamps, list(rows)),
        bands=tuple(stamps.manifest["bands"]),
        batch_size=plan.batch_size,
        seed=0,
        augmentation=plan.augmentation,
    )
    model = build_detector(name)
    model.compile(keras.optimizers.AdamW(1e-4), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(batches, steps_per_epoch=5, verbose=0, shuffle=False)
    began_s, steps = time.perf_counter(), 0
    while time.perf_counter() - began_s < min(30.0, seconds / 10):
        model.fit(batches, steps_per_epoch=20, verbose=0, shuffle=False)
        steps += 20
    rate = steps * plan.batch_size / (time.perf_counter() - began_s)
    epochs = max(1, int(seconds * rate / len(rows)))
    if epochs < len(plan.stages):
        plan = dataclasses.replace(plan, stages=plan.stages[:1])
    return plan.with_epochs(epochs), rate


def train_one(args: argparse.Namespace) -> None:
    """Train one detector on one core, and print its figures as JSON."""
    os.sched_setaffinity(0, {args.core})
    from lensdetect.artifact import load_card
    from lensdetect.stamps import Shards
    from lensdetect.survey import get_survey
    from lensdetect.training import export, train

    stamps, test = Shards(args.data), Shards(args.test)
    survey = get_survey(stamps.manifest["survey"])
    plan, rate = fitting_plan(args.only, stamps, seconds=60 * args.minutes)
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.perf_counter()
        run = train(args.only, stamps, f"{folder}/run", survey=survey, plan=plan, seed=args.seed)
        wall_s = time.perf_counter() - began_s
        figures = next(iter(load_card(export(run, stamps, survey=survey, test=test)).metrics.values()))
    print(json.dumps({"epochs": plan.epochs, "rate": rate, "wall_s": wall_s, **figures}))


def main() -> None:
    """Train both at once and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="stamps to train on")
    parser.add_argument("--test", type=Path, required=True, help="other stamps, to score")
    parser.add_argument("--minutes", type=float, default=12, help="budget (default: %(default)s)")
    parser.add_argument("--detectors", nargs=2, default=["arcformer_small", "lens_detector_15"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        train_one(args)
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("a core for each of two detectors is needed, this machine has one")
    same = ["--data", args.data, "--test", args.test, "--minutes", str(args.minutes), "--seed", str(args.seed)]
    children = [
        subprocess.Popen(
            [sys.executable, __file__, *same, "--only", name, "--core", str(core)], stdout=subprocess.PIPE, text=True
        )
        for name, core in zip(args.detectors, cores, strict=False)
    ]
    print(f"1 core each, {args.minutes:g} minutes, seed {args.seed}")
    for name, child in zip(args.detectors, children, strict=True):
        found = json.loads(child.communicate()[0].splitlines()[-1])
        low, high = found["auroc_interval"]
        print(
            f"{name}: AUROC {found['auroc']:.4f} [{low:.4f}, {high:.4f}], TPR10 {found['tpr10']:.3f} on "
            f"{found['stamps']} stamps, after {found['epochs']} epochs in {found['wall_s'] / 60:.1f} min "
            f"({found['rate']:.0f} stamps/s)"
        )


if __name__ == "__main__":
    main()
