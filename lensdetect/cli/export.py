"""``lensdetect export``: a run in, the detector that it trained out."""

from __future__ import annotations

import argparse
import os

from lensdetect.cli.images import add_stamps_options
from lensdetect.cli.quiet import load_keras_quietly
from lensdetect.errors import InputError

SUMMARY = "make the detector of a run that was trained without TensorFlow"

DESCRIPTION = """\
Make the detector of a run: RUN/model/1/, for lensdetect score --model RUN.

lensdetect train does this itself where Keras runs on TensorFlow. A training on JAX or PyTorch, perhaps on a
machine without TensorFlow, leaves a run that is calibrated and measured: copy it here, and export it.
"""

EPILOG = """\
examples:
  KERAS_BACKEND=jax lensdetect train --data stamps --detector arcformer_small --output run
  lensdetect export run
  lensdetect export run --data stamps --unfinished     the best epoch of a training that was interrupted

exit codes: 0 done; 2 could not be done.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("run", metavar="RUN", help="folder of a training")
    parser.add_argument("--unfinished", action="store_true", help="take the best epoch so far, if it has not ended")
    add_stamps_options(
        parser.add_argument_group("to calibrate and measure, if the training has not done it"), required=False
    )
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Export, print the figures."""
    # Only TensorFlow writes a detector, wherever it was trained.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    load_keras_quietly()
    from lensdetect.artifact import load_card
    from lensdetect.cli.cards import figures_table
    from lensdetect.cli.stamps import open_stamps_of
    from lensdetect.training import Run, export

    if args.data is None and (args.test or args.truth):
        raise InputError("--test and --truth go with the stamps of the training: add --data DIR")
    stamps, survey, test = (None, None, None) if args.data is None else open_stamps_of(args)
    folder = export(Run(args.run), stamps, survey=survey, test=test, unfinished=args.unfinished)
    print(figures_table({str(folder): load_card(folder)}))
    print(f"use it: lensdetect score IMAGES --model {args.run}")
    return 0
