"""``lensdetect challenge``: many systems trained and ranked on the same stamps."""

from __future__ import annotations

import argparse
from pathlib import Path

from lensdetect.cli.parsing import count, seed
from lensdetect.cli.quiet import load_keras_quietly
from lensdetect.errors import LensdetectError

SUMMARY = "train and rank many systems on the same stamps"

DESCRIPTION = """\
Train each system on the same stamps, score the same test stamps, and say how they compare.

OUTPUT gets results.csv and results.md (figures of merit with their intervals and the published figures beside
them, and what each system costs), figures, and systems/ with what each has left. A system is a network that
lensdetect models lists, manchester_svm, all_star, or oracle: the ideal observer, on simulated stamps alone.
"""

EPILOG = """\
systems may be written
  arcformer_small                     with all bands of the stamps
  arcformer_small@gri                 trained and tested on these bands alone
  rank_mean:cnn_3+all_star            a committee: mean_logit, rank_mean or calibrated_product
  all                                 every network, manchester_svm, all_star, oracle

plans
  quick     ten systems and the oracle, 12 minutes of training for each network and at least one epoch; big
            networks have seen too little by then to be judged
  full      nine systems and the oracle, each with its whole recipe
  FILE      .toml or .json: systems, minutes or epochs, recipe (own, adamw, published), repeats,
            validation_fraction, test_fraction

examples:
  lensdetect challenge --data stamps --test unseen --output challenge
  lensdetect challenge --data stamps --systems arcformer_small cnn_3 manchester_svm --output challenge
  lensdetect challenge --data GroundBasedTraining --test TestSet3 --plan full --output challenge

Every epoch is saved: the same command goes on after an interruption, and tries again what failed.
exit codes: 0 all systems ranked; 1 some failed, see their error; 2 could not be done, or was interrupted.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    data = parser.add_argument_group("the stamps")
    data.add_argument(
        "--data", required=True, metavar="DIR", help="simulated stamps, or the challenge's training archive, unpacked"
    )
    data.add_argument("--truth", metavar="FILE", help="truth table of an archive (default: the one in DIR)")
    data.add_argument(
        "--test", metavar="DIR", help="stamps to test on (default: a fifth of --data is held out of the training)"
    )
    data.add_argument("--test-truth", metavar="FILE", help="truth table of a test archive (default: the one in DIR)")
    data.add_argument("--survey", metavar="NAME", help="survey of images that are none of the challenge's")
    data.add_argument(
        "--size", type=count, default=101, metavar="PIX", help="side of the images of an archive (default: 101 pixels)"
    )
    how = parser.add_argument_group("the challenge")
    how.add_argument("--systems", nargs="+", default=[], metavar="NAME", help="see below (default: those of the plan)")
    how.add_argument("--plan", default="quick", metavar="PLAN", help="quick, full, or a file (default: quick)")
    how.add_argument("--seed", type=seed, default=0, metavar="S", help="of splits and trainings (default: 0)")
    where = parser.add_argument_group("where")
    where.add_argument("--output", required=True, metavar="DIR", help="folder to write; a challenge in it goes on")
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Run the challenge, print its table."""
    load_keras_quietly()
    from lensdetect.challenge import StampSet, challenge

    data = StampSet(_place(args.data), truth=_place(args.truth), survey=args.survey, size=args.size)
    test = args.test and StampSet(_place(args.test), truth=_place(args.test_truth), survey=args.survey, size=args.size)
    try:
        table = challenge(data, args.output, systems=args.systems, plan=args.plan, test=test, seed=args.seed)
    except KeyboardInterrupt:
        raise LensdetectError(f"interrupted: run the same command again to go on in {args.output}") from None
    print(_summary(table))
    print(f"tables and figures: {args.output}")
    return int((table["error"] != "").any())


def _place(path: str | None) -> str | None:
    # Whole paths: the processes may be asked to go on from elsewhere.
    return path and str(Path(path).resolve())


def _summary(table) -> str:
    from lensdetect.scoring.report import aligned

    columns = {"system": table["system"].tolist(), "seed": table["seed"].astype(str).tolist()}
    for name, title in (("auroc", "AUROC"), ("tpr0", "TPR0"), ("tpr10", "TPR10"), ("accuracy", "accuracy")):
        columns[title] = ["" if value != value else f"{value:.4f}" for value in table[name]]
    columns["failed because"] = table["error"].tolist()
    return aligned(columns, left=("system", "failed because"))
