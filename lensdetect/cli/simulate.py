"""``lensdetect simulate``: stamps with truth."""

from __future__ import annotations

import argparse
from pathlib import Path

from lensdetect.cli.parsing import count, number, one_of, seed
from lensdetect.errors import LensdetectError

SUMMARY = "simulate stamps with and without lenses"

DESCRIPTION = """\
Simulate images of lenses and of galaxies that are none, as a survey would take them, with their truth.

Gravitational lensing is traced by lenstronomy; galaxies, PSF, noise and masks are those of the survey.
The same seed gives the same bytes for any number of workers. About 25 stamps a second on each core.
"""

EPILOG = """\
examples:
  lensdetect simulate --survey bologna --count 20000 --seed 1 --output stamps
  lensdetect simulate --survey bologna --count 600 --seed 2 --layout challenge --output Data.0

The layout shards (float32 arrays and Parquet tables) is for training; challenge writes the files of the
Bologna Lens Challenge, Public/Band1/imageSDSS_R-ID.fits and so on, with classifications.csv.
A run that was interrupted goes on where it stopped when the same command is given again.

exit codes: 0 done; 2 could not be done.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("--survey", required=True, metavar="NAME", help="survey to imitate: bologna, kids")
    parser.add_argument("--count", required=True, type=count, metavar="N", help="number of stamps")
    parser.add_argument("--seed", required=True, type=seed, metavar="S", help="of all that is random, from 0 on")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write, new or empty")
    parser.add_argument(
        "--layout",
        type=one_of("layout", ("shards", "challenge")),
        default="shards",
        metavar="shards|challenge",
        help="files to write (default: shards)",
    )
    parser.add_argument(
        "--lens-fraction",
        type=number,
        default=0.401,
        metavar="F",
        help="share of stamps with a lens, 0 to 1 (default: 0.401, as in the challenge)",
    )
    parser.add_argument("--size", type=count, default=101, metavar="PIX", help="side of a stamp (default: 101 pixels)")
    parser.add_argument("--workers", type=count, metavar="W", help="processes (default: one a core)")
    parser.add_argument(
        "--shard-size", type=count, default=500, metavar="N", help="stamps written at once (default: 500)"
    )
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Simulate."""
    from lensdetect.simulation import simulate
    from lensdetect.survey import get_survey

    survey = get_survey(args.survey)
    try:
        folder = simulate(
            survey,
            Path(args.output),
            count=args.count,
            seed=args.seed,
            workers=args.workers,
            size=args.size,
            shard_size=args.shard_size,
            layout=args.layout,
            lens_fraction=args.lens_fraction,
        )
    except KeyboardInterrupt:
        raise LensdetectError(
            f"interrupted: what is done is kept in {args.output}; the same command goes on from there"
        ) from None
    print(f"{args.count:,} stamps of survey {survey.name}, seed {args.seed}: {folder}")
    return 0
