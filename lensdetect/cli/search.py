"""``lensdetect search``: tiles and a catalogue in, a ranked catalogue of candidates out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from lensdetect.cli.images import add_limit_option
from lensdetect.cli.parsing import add_trust_option, add_views_option, arcsec, count, fraction, seed, words
from lensdetect.cli.quiet import load_tensorflow_quietly, quiet_astropy
from lensdetect.errors import InputError, LensdetectError
from lensdetect.flags import ARC_RADIUS_ARCSEC
from lensdetect.images.bounds import TILE_PIXELS

SUMMARY = "search the tiles of a survey for lenses"

DESCRIPTION = """\
Search the tiles of a survey around the objects of a catalogue, and rank these by how much they look like a lens.

Tiles are FITS images, one a band (plain, .fz or .gz), with weights and masks where there are such, told apart by
their names; or files with all bands in them. The catalogue is FITS, Parquet, CSV, ECSV, VOTable or a HATS folder.
"""

EPILOG = """\
OUTPUT gets report.html (look at it first; its pictures are in report/), candidates.parquet, .csv and .fits
(candidates, then near misses: what would be one but for a flag), cutouts/ of both as FITS, scores/ with the score of
every object, tiles.csv and known.csv (what became of tiles and known lenses), objects/outside.parquet (objects in no
tile), ordinary.parquet, .csv, .fits and ordinary/ (random objects that are not listed, for lensdetect grade).

examples:
  lensdetect search --tiles kids/ --catalogue kids.fits --survey kids --select lrg --output found
  lensdetect search --tiles 'kids/*_sci.fits' --catalogue kids.parquet --survey kids \\
      --select "Z_B < 0.4 and MAG_AUTO < 21" --prior 1e-3 --top 500 --output found
  lensdetect search --tiles cfhtls --catalogue objects.csv --survey cfhtls --known my_lenses.csv --output found
  lensdetect search --tiles kids/ --catalogue kids.fits --survey kids --scheduler tcp://10.0.0.1:8786 --output found

A search that was interrupted goes on where it stopped when the same command is given again; what failed is
tried anew. Another list of known lenses, --top or --ordinary takes no new scoring.
exit codes: 0 done; 1 done, but some tiles or objects could not be searched and are listed; 2 could not be done.
"""


@dataclass(frozen=True)
class Quietly:
    """A factory of scorers that keeps what TensorFlow and astropy have to say from the terminal.

    Parameters
    ----------
    make_scorer : callable
    """

    make_scorer: Callable

    def __call__(self) -> Callable:
        """Make the scorer."""
        load_tensorflow_quietly()
        quiet_astropy()
        return self.make_scorer()


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    what = parser.add_argument_group("what is searched")
    what.add_argument("--tiles", required=True, nargs="+", metavar="PATH", help="folders, files, or patterns in quotes")
    what.add_argument(
        "--catalogue", "--catalog", required=True, nargs="+", metavar="FILE", help="tables of objects to look at"
    )
    add_limit_option(what, most=TILE_PIXELS, what="an image of a tile")
    what.add_argument("--survey", required=True, metavar="NAME_OR_FILE", help="survey of the tiles: kids, des, ...")
    what.add_argument(
        "--select",
        metavar="EXPRESSION",
        help='which objects, as in "Z_B < 0.4", or a name: lrg, bg (default: all); odd names of columns in backticks',
    )
    what.add_argument(
        "--columns",
        nargs="+",
        default=[],
        metavar="ROLE=NAME",
        help="columns of the catalogue for id, ra_deg, dec_deg, where they are not found; an id may be A+B",
    )
    how = parser.add_argument_group("how")
    how.add_argument(
        "--model",
        nargs="+",
        default=[],
        metavar="NAME_OR_DIR",
        help="trained detectors; several are a committee (default: that of the survey)",
    )
    add_trust_option(how)
    add_views_option(how)
    how.add_argument(
        "--prior", type=fraction, metavar="P", help="share of lenses among the objects, for the probabilities, as 1e-3"
    )
    how.add_argument("--workers", type=count, metavar="W", help="processes (default: one a core)")
    how.add_argument("--scheduler", metavar="ADDRESS", help="of Dask, whose workers are used instead")
    result = parser.add_argument_group("what becomes a candidate")
    result.add_argument("--top", type=count, metavar="N", help="the best N scenes (default: 1000)")
    result.add_argument("--threshold", type=fraction, metavar="P", help="instead: all with at least this probability")
    result.add_argument(
        "--reject",
        type=words,
        metavar="FLAG,...",
        help="flags that make an object a near miss, or none (default: glitches)",
    )
    result.add_argument(
        "--scene",
        type=arcsec,
        metavar="ARCSEC",
        help=f"candidates so near to a better one share its place (default: {ARC_RADIUS_ARCSEC:g})",
    )
    result.add_argument(
        "--glitch-radius",
        type=arcsec,
        default=ARC_RADIUS_ARCSEC,
        metavar="ARCSEC",
        help=f"glitches farther from an object than arcs can lie do not count (default: {ARC_RADIUS_ARCSEC:g})",
    )
    result.add_argument(
        "--examine",
        choices=("candidates", "all"),
        default="candidates",
        help="who is looked at for glitches: all takes about as long again as to score them (default: candidates)",
    )
    result.add_argument(
        "--ordinary",
        type=seed,
        default=200,
        metavar="N",
        help="random objects that are not listed and get cutouts too, for lensdetect grade (default: 200)",
    )
    result.add_argument("--known", metavar="FILE", help="list of known lenses of your own, to be named first")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write; a search in it goes on")
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Search, print."""
    import dataclasses

    from lensdetect.search import Catalogue, committee_of, search_survey
    from lensdetect.survey import get_survey

    quiet_astropy()
    survey = get_survey(args.survey)
    columns = _columns(args.columns)
    # What is wrong with the catalogue is said before anything is loaded.
    Catalogue(args.catalogue, survey=survey, select=args.select, columns=columns)
    if args.model:
        # The program of a detector from elsewhere is looked at, which takes TensorFlow.
        load_tensorflow_quietly()
    committee = committee_of(args.model, survey, views=args.views, trust_model=args.trust_model)
    try:
        found = search_survey(
            args.tiles,
            args.catalogue,
            args.output,
            survey=survey,
            committee=dataclasses.replace(committee, make_scorer=Quietly(committee.make_scorer)),
            select=args.select,
            columns=columns,
            prior=args.prior,
            cut=_cut(args),
            examine_all=args.examine == "all",
            glitch_arcsec=args.glitch_radius,
            ordinary=args.ordinary,
            known=args.known,
            workers=args.workers,
            scheduler=args.scheduler,
            max_pixels=args.max_pixels,
            command=args.command_line,
        )
    except KeyboardInterrupt:
        raise LensdetectError(
            f"interrupted: what is scored is kept in {args.output}; the same command goes on from there"
        ) from None
    print(found.text())
    print(f"report: {found.folder / 'report.html'}")
    return 0 if found.ok else 1


def _cut(args: argparse.Namespace):
    from lensdetect.search import Cut

    if args.top is not None and args.threshold is not None:
        raise InputError("candidates are chosen by --top or by --threshold, got both: leave one out")
    chosen = {"top": args.top or 1000} if args.threshold is None else {"top": None, "threshold": args.threshold}
    if args.scene is not None:
        chosen["scene_arcsec"] = args.scene
    if args.reject is not None:
        chosen["rejected"] = () if args.reject == ("none",) else args.reject
    return Cut(**chosen)


def _columns(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        role, equals, name = pair.partition("=")
        if not (role and equals and name):
            raise InputError(f"--columns must be ROLE=NAME, as in ra_deg=ALPHA_J2000, got {pair!r}")
        found[role] = name
    return found
