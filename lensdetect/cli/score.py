"""``lensdetect score``: images in, a ranked table and pictures out."""

from __future__ import annotations

import argparse
from pathlib import Path

from lensdetect.cli.images import add_image_options
from lensdetect.cli.parsing import add_trust_option, add_views_option, fraction
from lensdetect.cli.quiet import load_tensorflow_quietly
from lensdetect.errors import LensdetectError

SUMMARY = "rank images by how much they look like a lens"

DESCRIPTION = """\
Score images with a trained detector: a table with the most lens-like first, and pictures of the best.

A PATH is a file or folder: the layout of the Bologna Lens Challenge (Public/Band1/imageSDSS_R-ID.fits,
or folders around it), FITS files with one object each, .npy, .npz or HDF5 arrays (n, height, width,
band), or a folder that lensdetect simulate made.
"""

EPILOG = """\
The table has the columns id, path, logit, probability, flags, reason; highest logit first. Rank by
logit: a probability of 1.000 can hide many of them. An image that cannot be scored stands at the end,
without a logit and with its reason; flags are bits, spelled out in the reason.

examples:
  lensdetect score Data.0 --figure top.png
  lensdetect score cutouts.npy --survey kids --bands g,r,i --output scores.parquet
  lensdetect score *.fits --bands g,r,i --pixel-scale 0.2 --zero-point 30 --prior 1e-4
  lensdetect score Data.0 --truth classifications.csv

Scoring is quick, so one that is interrupted leaves nothing and is simply run again.
Header and background of the images are held against what was declared; images of another pixel scale
are resampled, and of another size cropped or padded.
exit codes: 0 all images scored; 1 some were refused, see their reason; 2 could not be done.
"""

_KEEP = 25
_FIGURES = (".png", ".pdf", ".svg", ".jpg", ".jpeg")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files or folders with images")
    parser.add_argument(
        "--model",
        metavar="NAME_OR_DIR",
        help="trained detector: a name that lensdetect models lists, or the folder of a training "
        "(default: that of the survey; lensdetect models says which)",
    )
    parser.add_argument(
        "--output",
        default="scores.csv",
        metavar="FILE",
        help="table to write, .csv or .parquet; replaced if it is there (default: scores.csv)",
    )
    parser.add_argument("--figure", metavar="FILE", help=f"picture of the best {_KEEP} to write (.png, .pdf, ...)")
    parser.add_argument(
        "--truth",
        metavar="FILE",
        help="table with id and is_lens (or the challenge's no_source), or folder of simulated stamps: "
        "print and draw how good the ranking is",
    )
    parser.add_argument(
        "--truth-figure",
        metavar="FILE",
        help="where to draw it (default: beside the table, scores_truth.png)",
    )
    parser.add_argument(
        "--prior",
        type=fraction,
        metavar="P",
        help="fraction of lenses among such images, as in 1e-4, to which the probability is corrected "
        "(default: that of the stamps on which the detector was calibrated)",
    )
    add_views_option(parser)
    add_trust_option(parser)
    add_image_options(parser)
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Score, print, write."""
    from lensdetect import artifact, scoring
    from lensdetect.data import read_truth

    places = _places(args)
    folder = artifact.find_detector(args.model, survey=scoring.survey_name(args.paths, args.survey))
    card = artifact.load_card(folder)
    images = scoring.open_images(
        args.paths,
        card,
        survey=args.survey,
        bands=args.bands,
        pixel_scale_arcsec=args.pixel_scale,
        zero_point_mag=args.zero_point,
        fit=None if args.fit == "refuse" else args.fit,
        max_pixels=args.max_pixels,
        trust_units=args.trust_units,
        resample=not args.no_resample,
    )
    truth = None
    if args.truth:
        truth = read_truth(args.truth)
        scoring.check_truth(images.source.ids, truth)
    load_tensorflow_quietly()
    try:
        scorer = artifact.load_detector(folder, trust_model=args.trust_model)
        ranking = scoring.rank(images, scorer, prior=args.prior, views=args.views, keep=_KEEP if args.figure else 0)
    except KeyboardInterrupt:
        raise LensdetectError("interrupted: nothing was written; run the same command again") from None
    written = scoring.write_results(ranking, truth=truth, **places)
    print(scoring.summary(ranking, truth=truth))
    print("".join(f"{note}\n" for note in images.told), end="")
    print("\n".join(f"{what}: {path}" for what, path in written.items()))
    return 1 if ranking.num_refused else 0


def _places(args: argparse.Namespace) -> dict[str, Path | None]:
    """Where to write, checked before any work is done."""
    from lensdetect.scoring import check_writable

    places: dict[str, Path | None] = {"output": check_writable(args.output), "figure": None, "truth_figure": None}
    if args.truth_figure and not args.truth:
        raise LensdetectError("a truth figure needs the truth: add --truth FILE")
    if args.figure:
        places["figure"] = check_writable(args.figure, kinds=_FIGURES)
    if args.truth:
        beside = places["output"].with_name(f"{places['output'].stem}_truth.png")
        places["truth_figure"] = check_writable(args.truth_figure or beside, kinds=_FIGURES)
    return places
