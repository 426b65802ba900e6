"""Images per second of a detector, in training and in scoring, against another one.

    python benchmarks/bench_network.py --detector arcformer_small --against lens_detector_15

The two take turns on the same batches in one process, so that a machine whose
speed drifts slows both. Data are in memory: this times networks, not disks.
What is printed is the median over the rounds, of each and of their ratio.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from lensdetect.network import build_detector
from lensdetect.survey import SURVEYS
from lensdetect.training import get_plan

# The recipe that each detector is trained with decides its batch.
PLANS = {"lens_detector_15": "published"}
SCORING_BATCH = 128


def make_batches(batch_size: int, num_batches: int) -> tuple[np.ndarray, np.ndarray]:
    """Sky noise of the survey as cutouts, and random labels."""
    rng = np.random.default_rng(0)
    sigma = [band.noise_sigma for band in SURVEYS["bologna"].bands]
    cutouts = rng.normal(size=(batch_size * num_batches, 101, 101, 4)).astype(np.float32) * np.float32(sigma)
    return cutouts, rng.integers(0, 2, (len(cutouts), 1)).astype(np.float32)


class Contender:
    """A compiled detector and its timings."""

    def __init__(self, name: str, *, num_images: int):
        self.name = name
        self.model = build_detector(name)
        self.batch_size = get_plan(PLANS.get(name, "adamw")).batch_size
        self.model.compile(
            keras.optimizers.AdamW(1e-4), keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False
        )
        self.data = make_batches(self.batch_size, num_images // self.batch_size)
        self.rates: dict[str, list[float]] = {"training": [], "scoring": []}

    def run(self, *, record: bool) -> None:
        """One round of each."""
        cutouts, labels = self.data
        for what, batch_size, act in (
            ("training", self.batch_size, self.model.train_on_batch),
            ("scoring", SCORING_BATCH, lambda batch, _: self.model.predict_on_batch(batch)),
        ):
            starts = range(0, len(cutouts), batch_size)
            began_s = time.perf_counter()
            for start in starts:
                act(cutouts[start : start + batch_size], labels[start : start + batch_size])
            if record:
                self.rates[what].append(len(cutouts) / (time.perf_counter() - began_s))


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default="arcformer_small")
    parser.add_argument("--against", default="lens_detector_15")
    parser.add_argument("--images", type=int, default=1024, help="images to a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    args = parser.parse_args()
    pair = [Contender(name, num_images=args.images) for name in (args.detector, args.against)]
    for number in range(args.rounds + 1):
        for contender in pair:
            contender.run(record=number > 0)
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, medians of {args.rounds} rounds")
    for what in ("training", "scoring"):
        ours, theirs = (np.asarray(contender.rates[what]) for contender in pair)
        ratio = np.median(ours / theirs)
        print(
            f"{what}: {pair[0].name} {np.median(ours):.0f} images/s, {pair[1].name} {np.median(theirs):.0f} images/s, "
            f"ratio {ratio:.2f} ({np.min(ours / theirs):.2f} to {np.max(ours / theirs):.2f})"
        )


if __name__ == "__main__":
    main()
