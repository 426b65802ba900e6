"""The options that say what images are: the same for every verb that reads some."""

from __future__ import annotations

import argparse

from lensdetect.cli.parsing import SURVEY_NAMES, count, fraction, number, numbers, one_of, words
from lensdetect.images.bounds import CUTOUT_PIXELS


def add_image_options(parser: argparse.ArgumentParser) -> None:
    """Options by which images are declared."""
    group = parser.add_argument_group(
        "what the images are",
        "Folders of simulated stamps and of the Bologna Lens Challenge say it themselves. For all else\n"
        "give --survey, or --bands, --pixel-scale and --zero-point together.",
    )
    group.add_argument("--survey", metavar="NAME", help=f"survey they are from: {SURVEY_NAMES}; or a .toml")
    group.add_argument(
        "--bands",
        type=words,
        metavar="A,B,...",
        help="bands they hold, in the order of their planes, as in g,r,i (default: all of the survey); "
        "a band of the detector that is not among them counts as masked",
    )
    group.add_argument("--pixel-scale", type=number, metavar="ARCSEC", help="side of a pixel, in arcsec")
    group.add_argument(
        "--zero-point",
        type=numbers,
        metavar="MAG[,MAG...]",
        help="AB magnitude of one flux unit: one for all bands, or one for each",
    )
    group.add_argument(
        "--fit",
        type=one_of("way to fit images", ("crop", "pad", "both", "refuse")),
        default="both",
        metavar="crop|pad|both|refuse",
        help="what to do with images of another size: take the centre of larger ones, surround smaller ones with "
        "masked pixels (default: both)",
    )
    add_limit_option(group, most=CUTOUT_PIXELS, what="the images in one file")
    group.add_argument(
        "--no-resample", action="store_true", help="refuse images of another pixel scale than the detector's"
    )
    group.add_argument(
        "--trust-units",
        action="store_true",
        help="believe survey, pixel scale and zero point against what headers and background of the images say",
    )


def add_fit_option(group) -> None:
    """Option for images of another size to train on; ``group`` takes arguments as a parser does."""
    group.add_argument(
        "--fit",
        type=one_of("way to fit images", ("crop", "pad")),
        metavar="crop|pad",
        help="take the centre of larger images, or surround smaller ones with masked pixels "
        "(default: other sizes are refused)",
    )
    add_limit_option(group, most=CUTOUT_PIXELS, what="the images in one file")


def add_limit_option(group, *, most: int, what: str) -> None:
    """Option for larger images than are believed in; ``group`` takes arguments as a parser does."""
    group.add_argument(
        "--max-pixels",
        type=count,
        default=most,
        metavar="N",
        help=f"pixels that {what} may have; files that claim more are refused unread (default: {most})",
    )


def add_stamps_options(options, *, required: bool) -> None:
    """Add the options that say what was, or shall be, trained on.

    Parameters
    ----------
    options : argument group
        Of a parser.
    required : bool
        Whether the verb needs stamps.
    """
    options.add_argument(
        "--data",
        nargs="+",
        required=required,
        metavar="DIR",
        help="simulated stamps, one folder or several; or files of the challenge's layout with --truth",
    )
    options.add_argument(
        "--truth", metavar="FILE", help="truth table of --data: id and is_lens, or the challenge's own"
    )
    options.add_argument(
        "--survey", metavar="NAME", help=f"survey of --data, if it does not say so itself: {SURVEY_NAMES}; or a .toml"
    )
    options.add_argument(
        "--size", type=count, default=101, metavar="PIX", help="side of the images of --data (default: 101 pixels)"
    )
    add_fit_option(options)
    options.add_argument(
        "--graded-only",
        action="store_true",
        help="leave images of --data out that have no row in --truth, as where people graded some of them",
    )
    options.add_argument(
        "--validation",
        metavar="DIR",
        help="simulated stamps of their own to validate with: epochs are judged and probabilities calibrated on them "
        "(default: a part of --data, as the plan says)",
    )
    options.add_argument(
        "--teacher",
        nargs="+",
        metavar="SCORES",
        help="learn from what other detectors say too: tables of lensdetect score of --data, one a detector; "
        "of several, as a committee, the mean logit counts",
    )
    options.add_argument(
        "--teacher-share",
        type=fraction,
        default=0.5,
        metavar="S",
        help="weight of what the teachers say, against the truth (default: 0.5)",
    )
    options.add_argument(
        "--test",
        metavar="DIR",
        help="simulated stamps of another seed, to measure on (default: the stamps held out for validation)",
    )
