"""Does self-attention help? Detectors against the convolutions alone, from the trainings of a challenge.

    lensdetect simulate --survey bologna --count 7200 --seed 13 --output small
    lensdetect simulate --survey bologna --count 10000 --seed 12 --output test
    lensdetect challenge --data small --test test --plan benchmarks/challenge/attention.toml --output attention
    python benchmarks/bench_attention.py attention --against cnn_3

Prints Markdown: for each system its mean AUROC on the test stamps; the difference
to the system it is compared with, seed by seed; how fast it learns (the mean of
the validation AUROC over the epochs, which is high for who is good early); how
much its validation AUROC jumps from epoch to epoch; and how much it overfits: its
AUROC on the very stamps that it was trained on, seen as they are, minus that on
the stamps held out. All intervals are at 95 %, by Student's t over the seeds.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lensdetect.challenge.job import is_done, job_from_dict
from lensdetect.challenge.report import mean_interval
from lensdetect.challenge.stamp_sets import open_split
from lensdetect.data.pipeline import evaluation_batches
from lensdetect.metrics import lens_metrics
from lensdetect.training import Run, plan_from_dict
from lensdetect.training.checkpoint import load_weights
from lensdetect.training.record import build_from_record, split_rows


@dataclass(frozen=True)
class Training:
    """What one training of one system came to."""

    system: str
    seed: int
    test_auroc: float
    mean_validation_auroc: float
    jump: float
    excess: float


def read_training(folder: Path) -> Training:
    """Figures of one job; what takes long is kept beside it."""
    kept = folder / "attention.json"
    if kept.is_file():
        return Training(**json.loads(kept.read_text()))
    job = job_from_dict(json.loads((folder / "job.json").read_text()))
    fraction, seed = job.plan.test_fraction, job.split_seed
    split = open_split(job.data, job.test, test_fraction=fraction, seed=seed, bands=job.entry.bands)
    with np.load(folder / "scores.npz") as saved:
        scores = dict(saved)
    validation = lens_metrics(scores["is_lens"], scores["validation"]).auroc
    curve = Run(folder / "run").read_history()["val_auroc"].to_numpy()
    found = Training(
        system=job.entry.label,
        seed=job.seed,
        test_auroc=lens_metrics(split.test.truth["is_lens"].to_numpy(bool), scores["test"]).auroc,
        mean_validation_auroc=float(curve.mean()),
        jump=float(np.abs(np.diff(curve)).mean()),
        excess=training_auroc(folder, split.training, seed=job.seed) - validation,
    )
    kept.write_text(json.dumps(vars(found)))
    return found


def training_auroc(folder: Path, stamps, *, seed: int) -> float:
    """AUROC on the stamps of the training, without augmentation and dropout, at the weights that were scored with."""
    run = Run(folder / "run")
    record, state = run.read_plan(), run.read_state()
    plan = plan_from_dict(record["plan"])
    model = build_from_record(record, size=stamps.shape[0], precision="float32", fresh=True)
    load_weights(run.checkpoint / state["best" if plan.patience is not None else "latest"], model)
    rows, _ = split_rows(stamps, plan, seed=seed)
    scores = model.predict(evaluation_batches(stamps, rows, batch_size=256), verbose=0)[:, 0]
    return lens_metrics(stamps.truth["is_lens"].to_numpy(bool)[rows], scores).auroc


def cell(values: list[float]) -> str:
    """Mean and interval."""
    mean, low, high = mean_interval(np.array(values))
    return f"{mean:+.4f}" if np.isnan(low) else f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"


def print_table(trainings: list[Training], *, against: str) -> None:
    """One row a system, in the order of their mean AUROC."""
    by_system: dict[str, dict[int, Training]] = {}
    for training in trainings:
        by_system.setdefault(training.system, {})[training.seed] = training
    rivals = by_system[against]
    print(f"| system | seeds | AUROC | minus {against} | mean over epochs | minus {against} | jump | overfit |")
    print("|---|---|---|---|---|---|---|---|")
    for system, found in sorted(by_system.items(), key=lambda item: -np.mean([t.test_auroc for t in item[1].values()])):
        shared = sorted(set(found) & set(rivals)) if system != against else []
        cells = [system, f"{len(found)}"]
        for name in ("test_auroc", "mean_validation_auroc"):
            cells.append(cell([getattr(training, name) for training in found.values()]).replace("+", ""))
            gains = [getattr(found[seed], name) - getattr(rivals[seed], name) for seed in shared]
            cells.append(cell(gains) if gains else "")
        cells += [cell([getattr(training, name) for training in found.values()]) for name in ("jump", "excess")]
        print("| " + " | ".join(cells) + " |")


def main() -> None:
    """Read, score what was trained on, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("challenge", type=Path, help="output of lensdetect challenge")
    parser.add_argument("--against", default="cnn_3", metavar="SYSTEM", help="compare with it (default: %(default)s)")
    args = parser.parse_args()
    folders = sorted(path for path in (args.challenge / "systems").iterdir() if is_done(path))
    print_table([read_training(path) for path in folders], against=args.against)


if __name__ == "__main__":
    main()
