"""``lensdetect tune``: a search for a better detector and plan."""

from __future__ import annotations

import argparse
from pathlib import Path

from lensdetect.cli.images import add_fit_option
from lensdetect.cli.parsing import SURVEY_NAMES, count, fraction, seed, words
from lensdetect.cli.quiet import load_keras_quietly
from lensdetect.errors import LensdetectError

SUMMARY = "search for a better detector and training plan"

DESCRIPTION = """\
Train a detector many times, each time with other sizes and another plan, and keep what does best on
stamps that were held out.

DIR gets trials.csv (one row a trial), trials.png (the objective against trial and against all that was
turned), and of the best trial spec.json and plan.json, with which lensdetect train trains it in full.
"""

EPILOG = """\
examples:
  lensdetect tune --data stamps --output tuned
  lensdetect tune --data stamps --search bayesian --trials 30 --epochs 6 --parts plan --output tuned
  lensdetect tune --data stamps --objective tpr --fpr 0.001 --output tuned
  lensdetect train --data stamps --detector tuned/spec.json --plan tuned/plan.json --output run

The first trial is the detector and plan as they come. Every trial trains from fresh weights, and a trial
that fails is a row with its error. The same command goes on after an interruption, in the middle of a
trial too; with more --trials it prolongs a search that has ended.

exit codes: 0 done; 1 done, but some trials failed; 2 could not be done, or was interrupted.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    data = parser.add_argument_group("what to train on")
    data.add_argument(
        "--data", required=True, metavar="DIR", help="simulated stamps, or files of the challenge's layout with --truth"
    )
    data.add_argument("--truth", metavar="FILE", help="truth table of --data: id and is_lens, or the challenge's own")
    data.add_argument(
        "--survey", metavar="NAME", help=f"survey of --data, if it does not say so itself: {SURVEY_NAMES}; or a .toml"
    )
    data.add_argument(
        "--size", type=count, default=101, metavar="PIX", help="side of the images of --data (default: 101 pixels)"
    )
    add_fit_option(data)
    start = parser.add_argument_group("what to start from")
    start.add_argument(
        "--detector",
        default="arcformer_small",
        metavar="NAME",
        help="a name that lensdetect models lists, or a spec.json (default: arcformer_small)",
    )
    start.add_argument(
        "--plan", default="adamw", metavar="NAME", help="adamw, published, or a plan.json (default: adamw)"
    )
    _add_search_options(parser.add_argument_group("how to search"))
    where = parser.add_argument_group("where")
    where.add_argument(
        "--output", default="tuned", metavar="DIR", help="folder to write; a search in it goes on (default: tuned)"
    )
    parser.set_defaults(usage=parser.format_usage())


def _add_search_options(how) -> None:
    how.add_argument(
        "--search",
        default="hyperband",
        metavar="KIND",
        help="hyperband: many short trials, the best ones longer; bayesian: each where most is expected "
        "(default: hyperband)",
    )
    how.add_argument(
        "--trials", type=count, metavar="N", help="at most N trials (default: a round of hyperband; bayesian: 20)"
    )
    how.add_argument(
        "--epochs", type=count, default=9, metavar="N", help="of a trial, hyperband: of the longest ones (default: 9)"
    )
    how.add_argument(
        "--objective",
        default="auroc",
        metavar="NAME",
        help="auroc, or tpr: share of the lenses found at --fpr (default: auroc)",
    )
    how.add_argument(
        "--fpr", type=fraction, default=0.01, metavar="F", help="share of others taken for a lens (default: 0.01)"
    )
    how.add_argument(
        "--parts", type=words, metavar="PART,...", help="some of stem, encoder, head, plan (default: all of them)"
    )
    how.add_argument(
        "--validation",
        type=fraction,
        default=0.2,
        metavar="F",
        help="share of the stamps that is held out of every trial (default: 0.2)",
    )
    how.add_argument(
        "--seed", type=seed, default=0, metavar="S", help="of the choices and of every training (default: 0)"
    )


def run(args: argparse.Namespace) -> int:
    """Search or go on, print the best trials."""
    load_keras_quietly()
    from lensdetect.cli.stamps import open_stamps
    from lensdetect.training import find_detector_spec, find_plan
    from lensdetect.training.tuning import PARTS, Search, tune

    search = Search(
        kind=args.search,
        epochs=args.epochs,
        trials=args.trials,
        objective=args.objective,
        fpr=args.fpr,
        parts=args.parts or PARTS,
        validation_fraction=args.validation,
    )
    detector, plan = find_detector_spec(args.detector), find_plan(args.plan)
    stamps, survey = open_stamps(
        args.data,
        truth=args.truth,
        survey=args.survey,
        size=args.size,
        fit=args.fit,
        max_pixels=args.max_pixels,
    )
    try:
        table = tune(detector, stamps, args.output, survey=survey, plan=plan, search=search, seed=args.seed)
    except KeyboardInterrupt:
        raise LensdetectError(f"interrupted: run the same command again to go on in {args.output}") from None
    return _conclude(args, table, objective=search.objective_column)


def _conclude(args: argparse.Namespace, table, *, objective: str) -> int:
    failed = table[table["status"] == "failed"]
    if len(failed) == len(table):
        raise LensdetectError(
            f"none of {len(table)} trials went through, see {Path(args.output) / 'trials.csv'}: "
            f"the last failed with {table['error'].iloc[-1]}"
        )
    print(_best_lines(table, objective))
    if len(failed):
        print(f"{len(failed)} of {len(table)} trials failed: see {Path(args.output) / 'trials.csv'}")
    truth = f" --truth {args.truth}" if args.truth else ""
    print(
        f"train the best: lensdetect train --data {args.data}{truth} --detector {Path(args.output) / 'spec.json'} "
        f"--plan {Path(args.output) / 'plan.json'} --output RUN"
    )
    return int(len(failed) > 0)


def _best_lines(table, objective: str, *, rows: int = 10) -> str:
    from lensdetect.scoring.report import aligned

    shown = table[table["status"] == "done"].sort_values(objective, ascending=False, kind="stable").head(rows)
    return aligned(
        {
            "trial": shown["trial"].astype(str).tolist(),
            "epochs": shown["epochs"].astype(str).tolist(),
            "AUROC": [f"{value:.4f}" for value in shown["val_auroc"]],
            "TPR": [f"{value:.3f}" for value in shown["val_tpr"]],
            "parameters": [f"{value:,.0f}" for value in shown["parameters"]],
            "operations": [f"{value / 1e6:.1f} M" for value in shown["operations"]],
            "seconds": [f"{value:.0f}" for value in shown["train_s"]],
        }
    )
