"""``lensdetect train``: stamps in, a trained detector out."""

from __future__ import annotations

import argparse
import dataclasses
import logging
from typing import TYPE_CHECKING, Any

from lensdetect.cli.images import add_stamps_options
from lensdetect.cli.parsing import count, seed, words
from lensdetect.cli.quiet import load_keras_quietly
from lensdetect.errors import InputError, LensdetectError

if TYPE_CHECKING:
    from lensdetect.artifact import Card

logger = logging.getLogger(__name__)

SUMMARY = "train a detector on stamps with truth"

DESCRIPTION = """\
Train a detector, measure it, and leave it in a form that can be used.

The folder RUN holds plan.json (all that decides what happens), history.csv and curves.png (one point an
epoch), checkpoint/ (for --resume), and at the end model/1/: the detector, for lensdetect score --model RUN.
It trains on what Keras runs on: TensorFlow, or JAX or PyTorch with KERAS_BACKEND=jax or torch. Those leave
the last step to lensdetect export RUN.
"""

EPILOG = """\
examples:
  lensdetect simulate --survey bologna --count 20000 --seed 1 --output stamps
  lensdetect train --data stamps --detector arcformer_small --output run
  lensdetect train --data stamps --output run --resume                    after an interruption
  lensdetect train --data simulated painted --detector arcformer_small --output run
  lensdetect train --data stamps --detector arcformer_small --teacher first.csv second.csv --output run
                                                                          learns what two detectors say too
  lensdetect train --data stamps --detector tuned/spec.json --plan tuned/plan.json --output run
  lensdetect train --data found/cutouts --survey kids --truth graded/grades.csv --graded-only --output run \\
      --detector arcformer_small_subtracted --weights arcformer_small_subtracted-ground --plan fine_tune
                                                                          on what people graded
  lensdetect train --data Data.0 --truth classifications.csv --detector arcformer_small --output run \\
      --weights arcformer_small-bologna --parts stem --epochs 10          transfer learning

Every epoch is saved. A training that was interrupted goes on with --resume, and ends with the same
weights; what plan.json says cannot be changed then.

exit codes: 0 done; 2 could not be done, or was interrupted.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    data = parser.add_argument_group("what to train on")
    add_stamps_options(data, required=True)
    what = parser.add_argument_group("what to train")
    what.add_argument(
        "--detector",
        metavar="NAME",
        help="a name that lensdetect models lists, or a spec.json; needed without --resume",
    )
    what.add_argument("--weights", metavar="NAME_OR_DIR", help="trained detector to start from (default: none)")
    what.add_argument(
        "--parts", type=words, metavar="PART,...", help="of it: all, or some of stem, encoder, head (default: all)"
    )
    how = parser.add_argument_group("how to train")
    how.add_argument(
        "--plan",
        metavar="NAME",
        help="adamw; published, as Thuruthipilly+ 2022; fine_tune, to go on with --weights at low rates; "
        "or a plan.json (default: adamw)",
    )
    how.add_argument(
        "--epochs", type=count, metavar="N", help="passes over the stamps (default: 40; published: 400; fine_tune: 8)"
    )
    how.add_argument("--batch-size", type=count, metavar="N", help="stamps in a step (default: 64; published: 32)")
    how.add_argument(
        "--patience",
        type=count,
        metavar="N",
        help="stop after N epochs without a better AUROC and keep the best (default: train to the end)",
    )
    how.add_argument(
        "--keep-undetected",
        action="store_true",
        help="train on sources whose arcs cannot be seen, as others (default: they are left out)",
    )
    how.add_argument("--seed", type=seed, metavar="S", help="of weights, order and views (default: 0)")
    where = parser.add_argument_group("where")
    where.add_argument("--output", required=True, metavar="RUN", help="folder to write, new or empty")
    where.add_argument("--resume", action="store_true", help="go on with the training in RUN")
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Train or go on, export, print the figures."""
    load_keras_quietly()
    from lensdetect.training import Run

    output = Run(args.output)
    _check_place(args, output)
    if args.resume:
        _check_same(args, output.read_plan())
        if (output.model_folder / "saved_model.pb").is_file():
            _check_finished(args, output)
            print(f"this training is finished: {output.model_folder}")
            return 0
    try:
        card = _train(args, output)
    except KeyboardInterrupt:
        raise LensdetectError(_interrupted(args, output)) from None
    from lensdetect.cli.cards import figures_table

    exported = output.model_folder.exists()
    print(figures_table({str(output.model_folder if exported else args.output): card}))
    if exported:
        print(f"use it: lensdetect score IMAGES --model {args.output}")
    else:
        print(f"trained without TensorFlow: make the detector where that is, with lensdetect export {args.output}")
    return 0


def _check_place(args: argparse.Namespace, output) -> None:
    """What can be seen to be wrong before any data is opened."""
    if args.resume and not output.exists:
        raise InputError(f"a training to resume must have a plan.json, got none in {args.output}: leave --resume out")
    if not args.resume:
        output.check_free()
    if not args.resume and args.detector is None:
        raise InputError("a training needs a detector: add --detector NAME, as in arcformer_small")


def _check_finished(args: argparse.Namespace, output) -> None:
    """Refuse to pass a detector off as trained or measured on other stamps than it was."""
    from lensdetect.artifact import load_card
    from lensdetect.cli.stamps import open_stamps_of
    from lensdetect.training.record import check_stamps

    stamps, _, test = open_stamps_of(args)
    check_stamps(output.read_plan(), stamps)
    measured_on = load_card(output.model_folder).training.get("measured_on", {})
    if test is not None and test.sha256() != measured_on.get("sha256"):
        raise InputError(
            f"this training is finished, and its figures are of other stamps than those in {args.test}: "
            f"leave --test out, or move {output.model_folder} away to measure again"
        )


def _train(args: argparse.Namespace, output) -> Card:
    import keras

    from lensdetect import training
    from lensdetect.artifact import load_card
    from lensdetect.cli.stamps import open_stamps_of

    stamps, survey, test = open_stamps_of(args)
    if args.resume:
        logger.info("going on after epoch %d of %d", output.read_state()["epoch"], _epochs(output.read_plan()))
        training.resume(args.output, stamps, survey=survey)
    else:
        plan = _plan(args)
        logger.info(
            "training %s on %d stamps with plan %s, epochs 1 to %d", args.detector, len(stamps), plan.name, plan.epochs
        )
        training.train(
            training.find_detector_spec(args.detector),
            stamps,
            args.output,
            survey=survey,
            plan=plan,
            seed=args.seed or 0,
            weights=args.weights,
            parts=_parts(args.parts),
        )
    logger.info("measuring")
    if keras.config.backend() != "tensorflow":
        return training.make_card(output, stamps, survey=survey, test=test)
    return load_card(training.export(output, stamps, survey=survey, test=test))


def _plan(args: argparse.Namespace):
    from lensdetect.training import find_plan

    plan = find_plan(args.plan or "adamw")
    if args.epochs is not None:
        plan = plan.with_epochs(args.epochs)
    changes = {"batch_size": args.batch_size, "patience": args.patience}
    changes["keep_undetected"] = args.keep_undetected or None
    return dataclasses.replace(plan, **{name: value for name, value in changes.items() if value is not None})


def _parts(parts: tuple[str, ...] | None) -> str | list[str]:
    return "all" if parts in {None, ("all",)} else list(parts)


def _epochs(record: dict[str, Any]) -> int:
    return sum(stage["epochs"] for stage in record["plan"]["stages"])


def _check_same(args: argparse.Namespace, record: dict[str, Any]) -> None:
    """Refuse to go on with a training in another way than it began."""
    from lensdetect.artifact import find_detector
    from lensdetect.training import find_plan

    plan = record["plan"]
    asked_plan = None if args.plan is None else find_plan(args.plan).name
    weights = None if args.weights is None else str(find_detector(args.weights).resolve())
    for option, asked, began in (
        ("--detector", args.detector, _began_with(args.detector, record)),
        ("--plan", asked_plan, plan["name"]),
        ("--epochs", args.epochs, _epochs(record)),
        ("--batch-size", args.batch_size, plan["batch_size"]),
        ("--patience", args.patience, plan["patience"]),
        ("--keep-undetected", args.keep_undetected or None, plan.get("keep_undetected", False)),
        ("--seed", args.seed, record["seed"]),
        ("--weights", weights, record["weights"] and record["weights"]["folder"]),
        ("--parts", args.parts and _parts(args.parts), record["parts"]),
    ):
        if asked is not None and asked != began:
            raise InputError(
                f"a training goes on as it began: {option} is {began or 'none'} in {args.output}/plan.json, "
                f"got {asked}: leave it out, or train anew in another folder"
            )


def _began_with(detector: str | None, record: dict[str, Any]) -> str:
    """What a training began with, under the name that was given if it is that file's spec."""
    from lensdetect.network import spec_to_dict
    from lensdetect.training import find_detector_spec

    spec = None if detector is None else find_detector_spec(detector)
    same = spec is not None and not isinstance(spec, str) and spec_to_dict(spec) == record["spec"]
    return detector if same else record["detector"]


def _interrupted(args: argparse.Namespace, output) -> str:
    if not output.exists:
        return "interrupted before the training began: nothing is kept"
    done, truth = output.read_state()["epoch"], f" --truth {args.truth}" if args.truth else ""
    return (
        f"interrupted after {done} of {_epochs(output.read_plan())} epochs: go on with "
        f"lensdetect train --data {' '.join(args.data)}{truth} --output {args.output} --resume"
    )
