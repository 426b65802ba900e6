"""``lensdetect demo``: the main job on a simulated sky."""

from __future__ import annotations

import argparse

from lensdetect.cli.parsing import count, seed
from lensdetect.cli.quiet import load_tensorflow_quietly
from lensdetect.errors import LensdetectError

SUMMARY = "simulate a small survey, and find the lenses in it"

DESCRIPTION = """\
Simulate a few overlapping tiles with their catalogues, lenses and glitches hidden in them, search them with
the detector that comes with the package, and say which lenses were found. Takes about a minute on two cores,
and no data.
"""

EPILOG = """\
It leaves in the output folder: survey/ (tiles, catalogues, truth), hidden_lenses.csv, and found/ with
report.html, candidates.csv and all else that lensdetect search writes. A second run uses what is there.

examples:
  lensdetect demo
  lensdetect demo --tiles 9 --output bigger-demo

exit codes: 0 done; 2 could not be done.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument(
        "--output", default="lensdetect-demo", metavar="DIR", help="folder to write (default: lensdetect-demo)"
    )
    parser.add_argument("--tiles", type=count, default=4, metavar="N", help="number of tiles (default: 4)")
    parser.add_argument("--side", type=count, default=800, metavar="PIX", help="side of a tile (default: 800 pixels)")
    parser.add_argument("--seed", type=seed, default=2026, metavar="S", help="of the simulation (default: 2026)")
    parser.add_argument("--workers", type=count, metavar="W", help="processes that simulate (default: one a core)")
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Run it."""
    from lensdetect.demo import run_demo

    print(f"simulating {args.tiles} tiles and searching them for lenses", flush=True)
    # before the search measures its time
    load_tensorflow_quietly()
    try:
        demo = run_demo(args.output, tiles=args.tiles, side_pix=args.side, seed=args.seed, workers=args.workers)
    except KeyboardInterrupt:
        raise LensdetectError("interrupted: run the same command again") from None
    print(f"\n{demo.report()}\n")
    print(f"report: {demo.found.folder / 'report.html'}")
    return 0
