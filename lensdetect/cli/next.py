"""``lensdetect next``: a graded search in, what to grade next out."""

from __future__ import annotations

import argparse

from lensdetect.cli.grade_sources import add_grade_options, grades_of
from lensdetect.cli.parsing import add_trust_option, count, fraction, number, seed
from lensdetect.cli.quiet import load_tensorflow_quietly, quiet_astropy
from lensdetect.errors import InputError

SUMMARY = "choose what people should grade next"

DESCRIPTION = """\
Choose objects of a finished search to be graded next: those of the highest score, those on which the detectors
of a committee disagree most, those that look least like what was graded, some at random, or a mix of these. What
is graded already is never chosen, nor what is held out of all rounds (but with --held-out).
"""

EPILOG = """\
FILE.csv gets id, file, ra_deg, dec_deg, tile, logit, probability and why; FILE.cutouts/ the cutouts as FITS.
Grade them with lensdetect grade FILE.csv --survey NAME; lensdetect retrain takes them with --graded FILE.csv.

examples:
  lensdetect next found --count 200 --output next.csv
  lensdetect next found --count 200 --by score:0.5,disagreement:0.2,novelty:0.3 --output next.csv
  lensdetect next found --like "KIDS J1200" --count 50 --output alike.csv          more like this one
  lensdetect next found --held-out --by score:0.5,random:0.5 --output measure.csv  to measure rounds with

exit codes: 0 done; 1 done, but some objects had no pixels and were left out; 2 could not be done.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("search", metavar="SEARCH_DIR", help="output of lensdetect search")
    what = parser.add_argument_group("what is chosen")
    what.add_argument("--count", type=count, default=200, metavar="N", help="how many (default: 200)")
    what.add_argument(
        "--by",
        metavar="WAY[:SHARE],...",
        help="score, high, disagreement, novelty, random, or shares of them (default: high)",
    )
    what.add_argument("--like", metavar="ID", help="instead: what looks most like this object")
    what.add_argument(
        "--among",
        type=count,
        default=2000,
        metavar="N",
        help="how many of the highest scores are chosen from by high, novelty and --like (default: 2000)",
    )
    what.add_argument("--seed", type=seed, default=0, metavar="S", help="of what is chosen at random (default: 0)")
    known = parser.add_argument_group("what is known")
    add_grade_options(known)
    known.add_argument("--tiles", nargs="+", default=[], metavar="PATH", help="where the tiles are, if they have moved")
    known.add_argument("--survey", metavar="FILE", help="of the search, where it is a .toml of your own")
    known.add_argument(
        "--model",
        metavar="NAME_OR_DIR",
        help="detector that tells what is alike, and from whose rounds it is known what is held out "
        "(default: the first of the search)",
    )
    add_trust_option(known)
    known.add_argument("--held-out", action="store_true", help="choose from what is held out, and from nothing else")
    known.add_argument("--share", type=fraction, metavar="P", help="of the sky that is held out (default: 0.2)")
    known.add_argument("--cell", type=number, metavar="ARCMIN", help="side of the cells it consists of (default: 3)")
    parser.add_argument("--output", required=True, metavar="FILE.csv", help="table to write")
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Choose, print."""
    quiet_astropy()
    if args.like is not None or "novelty" in (args.by or ""):
        load_tensorflow_quietly()
    from lensdetect.rounds import HeldOut, SearchedSky, choose_next
    from lensdetect.rounds.choosing import USUAL, parse_wishes
    from lensdetect.text import for_screen

    if args.by is not None and args.like is not None:
        raise InputError("objects are chosen --by something or --like one, got both: leave one out")
    given = {"fraction": args.share, "cell_arcmin": args.cell}
    given = {name: value for name, value in given.items() if value is not None}
    found = choose_next(
        SearchedSky(args.search, tiles=args.tiles, survey=args.survey),
        args.output,
        count=args.count,
        wishes=parse_wishes(args.by or USUAL),
        like=args.like,
        graded=grades_of(args, needed=False)["id"].tolist(),
        model=args.model,
        held_out=HeldOut(**given) if given else None,
        measure=args.held_out,
        among=args.among,
        seed=args.seed,
        trust_model=args.trust_model,
    )
    whys = ", ".join(f"{number} by {why}" for why, number in found.table["why"].value_counts().items())
    print(f"{len(found.table)} objects to grade: {whys}" if len(found.table) else "no object has pixels to be graded")
    for row in found.missing.head(5).itertuples():
        print(for_screen(f"left out: {row.id}: {row.reason}"))
    print(f"grade them: lensdetect grade {args.output} --survey {args.survey or SearchedSky(args.search).survey.name}")
    return 1 if len(found.missing) else 0
