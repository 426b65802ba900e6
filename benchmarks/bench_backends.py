"""Images a second of training under each backend of Keras, on this machine, side by side.

    pip install jax torch
    python benchmarks/bench_backends.py

Each backend trains the same detector on the same stamps, by the same pipeline
(reading, order, views, and what carries them to the device), in a process of its
own. The processes take turns, so that a machine on which other work runs meets all
of them alike, and the ratio to TensorFlow is taken within a turn. Each begins with
steps that are not counted: they compile. Beside the wall clock stands the time that
the cores have spent, on which other people's work tells less.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

BACKENDS = ("tensorflow", "jax", "torch")
SEED = 1


def train_some(args: argparse.Namespace) -> None:
    """Train in turns that standard input asks for; a line of JSON for each."""
    import time

    import keras

    from lensdetect.data.pipeline import training_batches
    from lensdetect.network import build_detector
    from lensdetect.stamps import Shards
    from lensdetect.training import get_plan

    stamps, plan = Shards(args.data), get_plan("adamw")
    bands = tuple(stamps.manifest["bands"])
    batches = training_batches(
        *(stamps, np.arange(len(stamps))),
        **{"bands": bands, "batch_size": args.batch_size, "seed": SEED, "augmentation": plan.augmentation},
    )
    model = build_detector(args.detector, bands, size=stamps.shape[0])
    model.compile(keras.optimizers.AdamW(1e-4), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(batches, steps_per_epoch=args.warm_up, shuffle=False, verbose=0)
    print(json.dumps({"ready": keras.config.backend()}), flush=True)
    for _ in sys.stdin:
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        model.fit(batches, steps_per_epoch=args.steps, shuffle=False, verbose=0)
        images = args.steps * args.batch_size
        rates = {
            "wall": images / (time.perf_counter() - began_s),
            "cpu": images / (time.process_time() - began_cpu_s),
        }
        print(json.dumps(rates), flush=True)


def start(backend: str, args: argparse.Namespace) -> subprocess.Popen:
    """Start a backend and wait until it is warm."""
    options = {"--data": args.data, "--detector": args.detector, "--batch-size": args.batch_size}
    options |= {"--steps": args.steps, "--warm-up": args.warm_up}
    words = [str(word) for pair in options.items() for word in pair]
    child = subprocess.Popen(
        [sys.executable, __file__, "--child", *words],
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if answer(child)["ready"] != backend:
        sys.exit(f"Keras did not run on {backend}")
    return child


def answer(child: subprocess.Popen) -> dict:
    """Next line of a child; ends with it if it has none."""
    line = child.stdout.readline()
    if not line:
        sys.exit(f"a backend ended with exit code {child.wait()}: its error is above")
    return json.loads(line)


def turn(child: subprocess.Popen) -> dict[str, float]:
    """Images a second of one turn."""
    child.stdin.write("\n")
    child.stdin.flush()
    return answer(child)


def simulate_stamps(folder: Path, *, count: int, size: int) -> None:
    """Stamps to train on; what they show does not matter."""
    from lensdetect.simulation import simulate
    from lensdetect.survey import get_survey

    simulate(get_survey("bologna"), folder, count=count, seed=SEED, size=size, progress=False)


def main() -> None:
    """Take turns, print the medians and the ratio of each turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default="arcformer_small")
    parser.add_argument("--data", type=Path, help="simulated stamps (default: 256 new ones)")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=4, help="of one turn (default: %(default)s)")
    parser.add_argument("--warm-up", type=int, default=3, help="steps that are not counted (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=4, help="(default: %(default)s)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        train_some(args)
        return
    there = [name for name in BACKENDS if importlib.util.find_spec(name) is not None]
    with tempfile.TemporaryDirectory() as folder:
        if args.data is None:
            args.data = Path(folder) / "stamps"
            simulate_stamps(args.data, count=256, size=101)
        children = {name: start(name, args) for name in there}
        rates = {name: [] for name in there}
        for _ in range(args.turns):
            for name, child in children.items():
                rates[name].append(turn(child))
        for child in children.values():
            child.communicate()
    report(rates, args)


def report(rates: dict[str, list[dict[str, float]]], args: argparse.Namespace) -> None:
    """Print a line for each backend and clock."""
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"{args.detector}, batches of {args.batch_size}, {args.turns} turns, {cores} cores, load {load:.1f}")
    for clock, unit in (("wall", "images/s"), ("cpu", "images per core and s")):
        base = np.asarray([row[clock] for row in rates[BACKENDS[0]]])
        for name, rows in rates.items():
            found = np.asarray([row[clock] for row in rows])
            ratio = found / base
            print(
                f"{name:10s} {np.median(found):7.1f} {unit}, {np.median(ratio):.2f} of {BACKENDS[0]} "
                f"(turns: {', '.join(f'{value:.2f}' for value in ratio)})"
            )


if __name__ == "__main__":
    main()
