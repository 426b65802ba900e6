"""Every network of the table: time to build, parameters, operations per image.

    python benchmarks/bench_zoo.py --bands u,g,r,i

Building is timed in processor time: the median of the rounds, and at the end
the slowest of all, which pays for what TensorFlow sets up once.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from lensdetect.network import SYSTEMS, build_detector, operations


def main() -> None:
    """Build and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bands", default="u,g,r,i", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("names", nargs="*", help="all of the table by default")
    args = parser.parse_args()
    bands = tuple(args.bands.split(","))
    print("| network | structure | parameters | trained | M multiply-adds | build s |")
    print("|---|---|---|---|---|---|")
    slowest = 0.0
    for name in args.names or SYSTEMS:
        times_s = []
        for _ in range(args.rounds):
            began_s = time.process_time()
            model = build_detector(name, bands)
            times_s.append(time.process_time() - began_s)
        slowest = max(slowest, *times_s)
        trained = sum(int(np.prod(variable.shape)) for variable in model.trainable_weights)
        print(
            f"| {name} | {SYSTEMS[name].structure} | {model.count_params():,} | {trained:,} "
            f"| {operations(model) / 1e6:.1f} | {statistics.median(times_s):.2f} |",
            flush=True,
        )
        del model
        gc.collect()
    print(f"\nslowest build of all: {slowest:.2f} s of processor time, bands {args.bands}")


if __name__ == "__main__":
    main()
