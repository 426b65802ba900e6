"""Train a detector on stamps of your own and see how good it is on others.

    python examples/03_train.py --output trained

Takes about 2.5 minutes on 2 cores (estimated from 190 s of processor time); --quick
about 20 s. Simulates 2,000 stamps to train on and 1,000 of another seed to test on,
trains ``arcformer_small`` for 10 epochs, makes the artifact and scores the test set
with it. Expect an AUROC of about 0.75, interval 0.71 to 0.78: so small a set teaches
little, the shipped detector saw 40,000 stamps. With --quick a tiny detector sees 80
stamps, which teach it nothing.

Leaves ``run/`` with ``curves.png`` and ``history.csv``, the artifact in
``run/model/1``, and ``truth.png`` with the ROC on the test set.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from pathlib import Path

import numpy as np

import lensdetect
from lensdetect.errors import LensdetectError
from lensdetect.figures import save_figure, truth_figure
from lensdetect.metrics import lens_metrics
from lensdetect.simulation import simulate
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS

SURVEY = SURVEYS["bologna"]


def show_quality(model: Path, test: Shards, path: Path) -> None:
    """Score the test set with the artifact, as a user of it would; print and draw how good it is."""
    scores = lensdetect.load_detector(model)(test.read(np.arange(len(test))), bands=SURVEY.band_names)
    metrics = lens_metrics(test.truth["is_lens"], scores.logit)
    print(metrics)
    save_figure(
        truth_figure(test.truth["is_lens"], scores.logit, probability=scores.probability, metrics=metrics), path
    )


def main() -> None:
    """Simulate, train, export, score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("trained"), help="folder (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=10, help="passes over the stamps (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of weights, order and views (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tiny detector and 80 stamps, to see that it works")
    args = parser.parse_args()
    # Imported here, so that the processes of the simulation need not load TensorFlow.
    from lensdetect.training import PLANS, export, train

    logging.basicConfig(format="%(message)s")
    logging.getLogger("lensdetect").setLevel(logging.INFO)
    detector, num_train, num_test, epochs = ("arcformer_small", 2000, 1000, args.epochs)
    if args.quick:
        detector, num_train, num_test, epochs = ("arcformer_test", 80, 40, 2)

    stamps = Shards(simulate(SURVEY, args.output / "train", count=num_train, seed=1))
    test = Shards(simulate(SURVEY, args.output / "test", count=num_test, seed=2))

    plan = dataclasses.replace(PLANS["adamw"].with_epochs(epochs), batch_size=32, validation_fraction=0.1)
    run = train(detector, stamps, args.output / "run", survey=SURVEY, plan=plan, seed=args.seed)
    print(run.read_history().round(4).to_string(index=False))

    model = export(run, stamps, survey=SURVEY, test=test)
    show_quality(model, test, args.output / "truth.png")
    print(f"learning curves in {run.folder / 'curves.png'}, the detector in {model}")


if __name__ == "__main__":
    try:
        main()
    except (LensdetectError, OSError) as error:
        print(f"03_train.py: {error}", file=sys.stderr)
        sys.exit(2)
