"""Start from the shipped detector: keep what its stem has learned, train the rest on other images.

    python examples/04_transfer.py --output transferred

Takes about 2 minutes on 2 cores (about 145 s of processor time); --quick about 25 s.
The shipped detector knows the noise of the Bologna challenge; here it is taken to
KiDS, whose images are one and a half to three times as noisy. Its stem is restored,
encoder and head begin afresh, and all of it is trained on 1,000 KiDS-like stamps; then
the same is done without restoring anything. Expect AUROCs on 1,000 other stamps of about
0.86 for the shipped detector as it is, 0.85 with its stem, and 0.55 from nothing: the
stem brings what 1,000 stamps cannot teach, and so few are not yet enough to do better
than the detector as it is.

Leaves ``stem/`` and ``fresh/``, each a run with its artifact in ``model/1``.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np

import lensdetect
from lensdetect.errors import LensdetectError
from lensdetect.metrics import lens_metrics
from lensdetect.simulation import simulate
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS

SURVEY = SURVEYS["kids"]


def auroc(model: Path | str | None, test: Shards) -> float:
    """AUROC of a trained detector on test stamps."""
    logit = lensdetect.load_detector(model)(test.read(np.arange(len(test))), bands=SURVEY.band_names).logit
    return lens_metrics(test.truth["is_lens"], logit).auroc


def main() -> None:
    """Simulate, train with and without the stem, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", help="a trained detector, by name or folder (default: the shipped one)")
    parser.add_argument("--output", type=Path, default=Path("transferred"), help="folder (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=5, help="passes over the stamps (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of weights, order and views (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="80 stamps, two epochs, only the first of the two")
    args = parser.parse_args()
    # Imported here, so that the processes of the simulation need not load TensorFlow.
    from lensdetect.training import PLANS, export, train

    num_train, num_test, epochs = (80, 40, 2) if args.quick else (1000, 1000, args.epochs)
    shipped = lensdetect.load_detector(args.weights)

    stamps = Shards(simulate(SURVEY, args.output / "train", count=num_train, seed=1))
    test = Shards(simulate(SURVEY, args.output / "test", count=num_test, seed=2))
    print(f"{shipped.folder.parent.name} as it is: AUROC {auroc(shipped.folder, test):.4f}")

    plan = dataclasses.replace(PLANS["adamw"].with_epochs(epochs), batch_size=32, validation_fraction=0.1)
    starts = {"stem": shipped.folder, "fresh": None}
    if args.quick:
        del starts["fresh"]
    for name, weights in starts.items():
        output = args.output / name
        run = train(
            shipped.card.name,
            stamps,
            output,
            survey=SURVEY,
            plan=plan,
            seed=args.seed,
            weights=weights,
            parts=("stem",),
        )
        model = export(run, stamps, survey=SURVEY, test=test)
        print(f"trained for {epochs} epochs, {name}: AUROC {auroc(model, test):.4f}, detector in {model}")


if __name__ == "__main__":
    try:
        main()
    except (LensdetectError, OSError) as error:
        print(f"04_transfer.py: {error}", file=sys.stderr)
        sys.exit(2)
