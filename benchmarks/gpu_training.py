"""Train detectors within a budget of minutes where there is one GPU and no TensorFlow; what gpu_training.sh runs.

The training sky and a test sky of another seed are simulated on all cores. Then
each detector has an equal share of the minutes that are left, in a process of its
own: by its own recipe, as many epochs of it as fit. What is left of each is a run
with its card, for ``lensdetect export RUN``, without the state of the optimizer.

Printed of each: images a second; the share of the matrix peak, which is measured
here, by the multiply-adds of the network (three times those of scoring: forward,
and backward to features and to weights); and the share of the time that was spent
waiting for input.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

DETECTORS = ("arcformer_small", "arcformer_medium", "lens_detector_15", "cmu_deeplens")
#: Steps that compile, and steps that are timed.
FIRST_STEPS, TIMED_STEPS = 3, 20
#: Share of a detector's time that training may take; the rest is to build, compile and measure.
TRAINING_SHARE = 0.8


def device_name() -> str:
    """The card that Keras runs on, or the CPU."""
    import keras

    if keras.config.backend() == "jax":
        import jax

        return f"{jax.devices()[0].device_kind} ({jax.default_backend()})"
    if keras.config.backend() == "torch":
        import torch

        return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return keras.config.backend()


def matrix_peak(dtype: str) -> float:
    """Multiply-adds a second in one large product of matrices, the best of a few."""
    import keras
    from keras import ops

    from lensdetect.data.device import compiled

    size = 1024 if "cpu" in device_name() else 8192
    matrix = ops.cast(keras.random.normal((size, size), seed=1), dtype)
    # The sum has to wait for the product, and is all that travels back.
    product = compiled(lambda one: ops.sum(ops.cast(ops.matmul(one, one), "float32")))
    best_s = np.inf
    for _ in range(6):
        began_s = time.perf_counter()
        float(product(matrix))
        best_s = min(best_s, time.perf_counter() - began_s)
    return size**3 / best_s


def recipe(name: str, stamps):
    """The detector's own plan, whole."""
    from lensdetect.challenge.plan import ChallengePlan

    plan = ChallengePlan(name="gpu", systems=(name,), validation_fraction=0.05)
    return plan.training_plan(name, bands=tuple(stamps.manifest["bands"]))


def time_steps(record: dict, stamps, plan) -> dict[str, float]:
    """Images a second and share of the time spent waiting for input, over some steps."""
    import keras

    from lensdetect.data.pipeline import training_batches
    from lensdetect.data.resident import near_device
    from lensdetect.training.record import build_from_record

    batches = training_batches(
        *(near_device(stamps), np.arange(len(stamps))),
        **{"bands": tuple(stamps.manifest["bands"]), "batch_size": plan.batch_size, "seed": 0},
        augmentation=plan.augmentation,
    )
    model = build_from_record(record, size=stamps.shape[0])
    model.compile(keras.optimizers.AdamW(1e-4), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(batches, steps_per_epoch=FIRST_STEPS, shuffle=False, verbose=0)
    began_s, waited_s = time.perf_counter(), getattr(batches, "waited_s", np.nan)
    model.fit(batches, steps_per_epoch=TIMED_STEPS, shuffle=False, verbose=0)
    seconds = time.perf_counter() - began_s
    return {
        "images_per_s": TIMED_STEPS * plan.batch_size / seconds,
        "waiting": (getattr(batches, "waited_s", np.nan) - waited_s) / seconds,
        "multiply_adds": multiply_adds(model),
    }


def multiply_adds(model) -> float:
    """Of one image in training."""
    from lensdetect.network import operations

    return 3.0 * operations(model)


def fitting(plan, *, epochs: int):
    """The plan over as many epochs as fit, at most its own; its first stage where they are fewer than its stages."""
    if epochs < len(plan.stages):
        plan = dataclasses.replace(plan, stages=plan.stages[:1])
    return plan.with_epochs(max(1, min(epochs, plan.epochs)))


def train_one(args: argparse.Namespace) -> None:
    """Train and measure one detector; figures as a line of JSON."""
    began_s = time.perf_counter()
    from lensdetect.stamps import Shards
    from lensdetect.survey import get_survey
    from lensdetect.training import make_card, train
    from lensdetect.training.record import new_record

    stamps, test = Shards(args.data), Shards(args.test)
    survey, plan = get_survey(stamps.manifest["survey"]), recipe(args.only, stamps)
    arguments = {"survey": survey, "seed": args.seed}
    record = new_record(args.only, stamps, plan=plan, weights=None, parts="all", **arguments)
    timed = time_steps(record, stamps, plan)
    left_s = TRAINING_SHARE * 60 * args.minutes - (time.perf_counter() - began_s)
    epochs = int(left_s * timed["images_per_s"] / len(stamps))
    whole, plan = plan.epochs, fitting(plan, epochs=epochs)
    run = train(args.only, stamps, args.output / args.only, plan=plan, **arguments)
    card = make_card(run, stamps, survey=survey, test=test)
    keep_weights_alone(run, kept=card.training["kept_epoch"])
    history = run.read_history()
    dtype = record["precision"].removeprefix("mixed_")
    figures = {
        "detector": args.only,
        "device": device_name(),
        "precision": record["precision"],
        "epochs": f"{len(history)} of {whole}",
        "images_per_s": timed["images_per_s"],
        "share_of_peak": timed["images_per_s"] * timed["multiply_adds"] / matrix_peak(dtype),
        "waiting": timed["waiting"],
        "training_s": float(history["train_s"].sum()),
        "run_mb": sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file()) / 2**20,
        **next(iter(card.metrics.values())),
    }
    print(json.dumps(figures))


def keep_weights_alone(run, *, kept: int) -> None:
    """Make a finished run as small as its detector: what only a resume needs goes."""
    from lensdetect.training.run import checkpoint_name

    path = run.checkpoint / checkpoint_name(kept)
    with np.load(path) as saved:
        weights = {name: saved[name] for name in saved.files if name.startswith("weights/")}
    np.savez_compressed(path, **weights)
    for other in run.checkpoint.glob("epoch_*.npz"):
        if other != path:
            other.unlink()


def simulate(folder: Path, *, count: int, seed: int, args: argparse.Namespace) -> Path:
    """Simulate a sky on all cores."""
    words = ["--survey", args.survey, "--count", count, "--size", args.size, "--seed", seed, "--output", folder]
    words += ["--workers", len(os.sched_getaffinity(0))]
    words += ["--population", args.population] if args.population else []
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lensdetect.cli", "simulate", *map(str, words)], check=True)
    print(f"{count / (time.perf_counter() - began_s):.0f} stamps/s simulated", flush=True)
    return folder


def main() -> None:
    """Simulate, train one after the other, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--minutes", type=float, default=9, help="for all together (default: %(default)s)")
    parser.add_argument("--detectors", nargs="+", default=DETECTORS)
    parser.add_argument("--survey", default="kids", help="sky (default: %(default)s)")
    parser.add_argument("--population", help="TOML file of a population (default: that of the survey)")
    parser.add_argument("--count", type=int, default=20_000, help="training stamps (default: %(default)s)")
    parser.add_argument("--size", type=int, default=101, help="of a stamp, in pixels (default: %(default)s)")
    parser.add_argument("--data", type=Path, help="training stamps that are there already")
    parser.add_argument("--test", type=Path, help="test stamps that are there already")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        train_one(args)
        return
    began_s = time.monotonic()
    sky = args.output.with_name(f"{args.output.name}-sky")
    data = args.data or simulate(sky / "train", count=args.count, seed=args.seed, args=args)
    test = args.test or simulate(sky / "test", count=max(args.count // 5, 40), seed=args.seed + 1, args=args)
    failed = []
    for number, name in enumerate(args.detectors):
        left = args.minutes - (time.monotonic() - began_s) / 60
        minutes = max(left, 0.1) / (len(args.detectors) - number)
        failed += [] if report(name, data, test, minutes=minutes, args=args) else [name]
    if failed:
        sys.exit(f"not trained: {', '.join(failed)}")


def report(name: str, data: Path, test: Path, *, minutes: float, args: argparse.Namespace) -> bool:
    """Train one detector in a process of its own; whether it went through."""
    options = {"--output": args.output, "--data": data, "--test": test, "--minutes": minutes, "--seed": args.seed}
    words = [str(word) for pair in options.items() for word in pair]
    child = subprocess.run([sys.executable, __file__, "--only", name, *words], stdout=subprocess.PIPE, text=True)
    if child.returncode:
        return False
    found = json.loads(child.stdout.splitlines()[-1])
    (args.output / name / "figures.json").write_text(json.dumps(found, indent=2) + "\n")
    print(
        f"{name} on {found['device']}, {found['precision']}: {found['images_per_s']:.0f} images/s, "
        f"{found['share_of_peak']:.2%} of the matrix peak, {found['waiting']:.1%} of the time waiting for input; "
        f"{found['epochs']} epochs in {found['training_s']:.0f} s; AUROC {found['auroc']:.4f} on "
        f"{found['stamps']} stamps; {found['run_mb']:.1f} MB",
        flush=True,
    )
    return True


if __name__ == "__main__":
    main()
