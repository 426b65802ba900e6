"""``lensdetect retrain``: grades of a search in, a detector that has learned from them out."""

from __future__ import annotations

import argparse
from pathlib import Path

from lensdetect.cli.grade_sources import add_grade_options, grades_of
from lensdetect.cli.parsing import add_trust_option, count, fraction, number, seed
from lensdetect.cli.quiet import load_keras_quietly, quiet_astropy
from lensdetect.errors import InputError, LensdetectError

SUMMARY = "train a detector further on what people graded"

DESCRIPTION = """\
Train a detector further on the graded objects of a search, and measure what that has brought.

Lenses and hard negatives are cut out of the search once more, weighed by how sure their grades are, and shown
among simulated stamps; with --ungraded, objects at random that nobody graded too: where lenses are rare, hardly
one of them is a lens. A part of the sky is held out by position, for good: no round ever learns from it, and before is
measured against after on what was graded there. RUN holds graded/, held_out/, objects.csv (who is where, and
what could not be used), comparison.csv, and all that lensdetect train leaves: the detector is in model/1, for
lensdetect search --model RUN.
"""

EPILOG = """\
examples:
  lensdetect retrain found --from arcformer_small_subtracted-ground --stamps simulated --output round_1
  lensdetect retrain found --from round_1 --stamps simulated --output round_2           the next round
  lensdetect retrain found --from round_1 --grades grades.csv --unmeasured --output quick
  lensdetect retrain found --from round_1 --stamps simulated --output round_2 --resume  after an interruption

Stamps are of the sky that the detector was trained on (lensdetect simulate --survey ground for the one above),
or painted on the survey's own galaxies (--onto).
exit codes: 0 done; 1 done, but some graded objects had no pixels and are listed; 2 could not be done.
"""

#: Objects without pixels that are named, at most.
_NAMED = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("search", metavar="SEARCH_DIR", help="output of lensdetect search, graded")
    what = parser.add_argument_group("what is learned from")
    add_grade_options(what)
    what.add_argument("--stamps", nargs="+", default=[], metavar="DIR", help="simulated or painted stamps to mix in")
    what.add_argument(
        "--share", type=fraction, metavar="P", help="of graded objects in what an epoch shows (default: 0.3)"
    )
    what.add_argument(
        "--ungraded",
        type=count,
        default=0,
        metavar="N",
        help="objects at random that nobody graded, as no lenses, where lenses are rare: in a search with a --prior of "
        "at most 0.01 (default: none)",
    )
    what.add_argument("--tiles", nargs="+", default=[], metavar="PATH", help="where the tiles are, if they have moved")
    what.add_argument("--survey", metavar="FILE", help="of the search, where it is a .toml of your own")
    how = parser.add_argument_group("how")
    how.add_argument(
        "--from", dest="start", required=True, metavar="NAME_OR_DIR", help="the detector that is trained further"
    )
    add_trust_option(how)
    how.add_argument("--epochs", type=count, metavar="N", help="passes (default: 8)")
    how.add_argument("--seed", type=seed, default=0, metavar="S", help="of order and views (default: 0)")
    held = parser.add_argument_group("what is held out", "Settled by the first round of a detector, for good.")
    held.add_argument("--held-out", type=fraction, metavar="P", help="share of the sky (default: 0.2)")
    held.add_argument("--cell", type=number, metavar="ARCMIN", help="side of the cells it consists of (default: 3)")
    held.add_argument("--unmeasured", action="store_true", help="do not compare before and after on it")
    where = parser.add_argument_group("where")
    where.add_argument("--output", required=True, metavar="RUN", help="folder to write, new or empty")
    where.add_argument("--resume", action="store_true", help="go on with the round in RUN")
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Retrain, print what it has brought."""
    _check_place(args)
    load_keras_quietly()
    quiet_astropy()
    from lensdetect.rounds import Mixture, SearchedSky, retrain

    grades = grades_of(args, needed=True)
    try:
        done = retrain(
            SearchedSky(args.search, tiles=args.tiles, survey=args.survey),
            grades,
            args.output,
            start=args.start,
            stamps=args.stamps,
            mixture=Mixture() if args.share is None else Mixture(args.share),
            held_out=held_out_of(args),
            ungraded=args.ungraded,
            epochs=args.epochs,
            seed=args.seed,
            measured=not args.unmeasured,
            trust_model=args.trust_model,
        )
    except KeyboardInterrupt:
        raise LensdetectError(f"interrupted: the same command with --resume goes on in {args.output}") from None
    _print(done, args.output)
    return 1 if len(done.prepared.missing) else 0


def held_out_of(args: argparse.Namespace):
    """What is held out as the options say; None where they say nothing."""
    from lensdetect.rounds import HeldOut

    given = {"fraction": args.held_out, "cell_arcmin": args.cell}
    given = {name: value for name, value in given.items() if value is not None}
    return HeldOut(**given) if given else None


def _check_place(args: argparse.Namespace) -> None:
    begun = (Path(args.output) / "round.json").is_file()
    if begun and not args.resume:
        raise InputError(f"a round needs a new or empty folder, one has begun in {args.output}: add --resume to go on")
    if args.resume and not begun:
        raise InputError(f"a round to resume must have a round.json, got none in {args.output}: leave --resume out")


def _print(done, output: str) -> None:
    from lensdetect.rounds.ungraded import UNGRADED
    from lensdetect.text import for_screen

    objects = done.prepared.objects
    learned = objects[(objects["side"] == "learn") & (objects["reason"] == "")]
    graded = learned[learned["kind"] != UNGRADED]
    kinds = ", ".join(f"{count} {kind}" for kind, count in graded["kind"].value_counts().items())
    print(for_screen(f"learned from {len(graded)} graded objects: {kinds}"))
    if len(learned) > len(graded):
        print(f"and from {len(learned) - len(graded)} that nobody graded, as no lenses")
    sides = objects["side"].value_counts()
    print(f"held out: {sides.get('held out', 0)}; at its border, not used: {sides.get('border', 0)}")
    for row in done.prepared.missing.head(_NAMED).itertuples():
        print(for_screen(f"not used: {row.id}: {row.reason}"))
    if len(done.prepared.missing) > _NAMED:
        print(f"and {len(done.prepared.missing) - _NAMED} more, each with its reason in {output}/objects.csv")
    if done.comparison is not None:
        print("on what is held out, with intervals of 95 %:")
        print(comparison_text(done.comparison))
    print(f"use it: lensdetect search ... --model {output}")


def comparison_text(table) -> str:
    """Before against after, a line a figure."""
    lines = []
    for figure, rows in table.groupby("figure", sort=False):
        told = "; ".join(
            f"{'' if row.detector == 'ratio' else row.detector + ' '}{row.value:.3g} [{row.low:.3g}, {row.high:.3g}]"
            for row in rows.itertuples()
        )
        lines.append(f"  {figure}: {told}")
    return "\n".join(lines)
