"""``lensdetect demo``: the main job on simulated images."""

from __future__ import annotations

import argparse

from lensdetect.cli.parsing import count, seed
from lensdetect.cli.quiet import load_tensorflow_quietly
from lensdetect.errors import LensdetectError

SUMMARY = "simulate images, and find the lenses among them"

DESCRIPTION = """\
Simulate a few hundred images with one lens in ten, score them with the detector that comes with the
package, and compare with the truth. Takes about a minute on two cores, and no data.
"""

EPILOG = """\
It leaves in the output folder: stamps/ (images and truth), scores.csv (the ranked table), top.png (the best
25) and truth.png (how good the ranking is). A second run uses the stamps that are there.

examples:
  lensdetect demo
  lensdetect demo --count 1000 --output bigger-demo

exit codes: 0 done; 2 could not be done.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument(
        "--output", default="lensdetect-demo", metavar="DIR", help="folder to write (default: lensdetect-demo)"
    )
    parser.add_argument("--count", type=count, default=300, metavar="N", help="number of images (default: 300)")
    parser.add_argument("--seed", type=seed, default=2026, metavar="S", help="of the simulation (default: 2026)")
    parser.add_argument("--workers", type=count, metavar="W", help="processes that simulate (default: one a core)")
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Run it."""
    load_tensorflow_quietly()
    from lensdetect.demo import run_demo

    print(f"simulating {args.count} images and searching them for lenses", flush=True)
    try:
        demo = run_demo(args.output, count=args.count, seed=args.seed, workers=args.workers)
    except KeyboardInterrupt:
        raise LensdetectError("interrupted: run the same command again") from None
    print(f"\n{demo.report()}\n")
    print("\n".join(f"{what}: {path}" for what, path in demo.written.items()))
    return 0
