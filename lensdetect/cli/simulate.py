"""``lensdetect simulate``: stamps with truth, arcs on real images, or whole tiles."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lensdetect.cli.images import add_limit_option
from lensdetect.cli.parsing import SURVEY_NAMES, count, number, one_of, seed, words
from lensdetect.errors import InputError, LensdetectError
from lensdetect.images.bounds import TILE_PIXELS

#: Genuine stamps whose sky is measured.
_GENUINE_STAMPS = 200

SUMMARY = "simulate stamps, tiles, or arcs on your own images"

DESCRIPTION = """\
Simulate images of lenses and of what is none, as a survey would take them, with their truth.

Survey bologna is the ground-based Bologna Lens Challenge. Every other survey is drawn from the real sky:
lenses whose arcs can be seen or not, and everything that fools a lens finder, under the survey's own
seeing, noise and faults.
"""

EPILOG = """\
examples:
  lensdetect simulate --survey bologna --count 20000 --seed 1 --output stamps
  lensdetect simulate --survey bologna --count 600 --seed 2 --layout challenge --output Data.0
  lensdetect simulate --survey kids --print-population > sky.toml         every rate, to be changed
  lensdetect simulate --survey kids --population sky.toml --count 20000 --seed 1 --output stamps
  lensdetect simulate --survey des --onto cutouts --seed 1 --output painted
  lensdetect simulate --survey kids --onto tiles --catalogue galaxies.csv --seed 1 --output painted
  lensdetect simulate --survey kids --tiles 4 --density 2 --seed 1 --output sky
  lensdetect simulate --check bologna_ground --output stamps              compare with the genuine challenge

The layout shards (float32 arrays and Parquet tables) is for training; challenge writes the files of the
Bologna Lens Challenge, Public/Band1/imageSDSS_R-ID.fits and so on, with classifications.csv.
A run that was interrupted goes on where it stopped when the same command is given again.

exit codes: 0 done; 1 done, but some images could not be used and are listed in refused.csv, or a check
found the simulation unlike the challenge; 2 could not be done.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument(
        "--survey", metavar="NAME_OR_FILE", help=f"survey to imitate: {SURVEY_NAMES}; or a .toml of your own"
    )
    parser.add_argument("--seed", type=seed, metavar="S", help="of all that is random, from 0 on")
    parser.add_argument("--output", metavar="DIR", help="folder to write, new or empty")
    parser.add_argument("--workers", type=count, metavar="W", help="processes (default: one a core)")
    parser.add_argument("--population", metavar="FILE", help="TOML that changes rates and distributions")
    parser.add_argument(
        "--print-population", action="store_true", help="write all parameters as TOML to standard output, and stop"
    )
    parser.add_argument(
        "--lens-fraction",
        type=number,
        metavar="F",
        help="share with a source, 0 to 1 (default: 0.401 of stamps as in the challenge, 0.5 with --onto, "
        "0.01 with --tiles)",
    )
    stamps = parser.add_argument_group("stamps")
    stamps.add_argument("--count", type=count, metavar="N", help="number of stamps")
    stamps.add_argument("--size", type=count, default=101, metavar="PIX", help="side of a stamp (default: 101 pixels)")
    stamps.add_argument(
        "--layout",
        type=one_of("layout", ("shards", "challenge")),
        default="shards",
        metavar="shards|challenge",
        help="files to write (default: shards)",
    )
    stamps.add_argument(
        "--shard-size", type=count, default=500, metavar="N", help="stamps written at once (default: 500)"
    )
    stamps.add_argument(
        "--check",
        metavar="GENUINE",
        help="compare the stamps in --output, made now or before, with the challenge's table classifications.csv "
        "or a folder that holds it; writes check.png",
    )
    real = parser.add_argument_group("arcs on real images")
    real.add_argument("--onto", metavar="PATH", help="cutouts or tiles of the survey: a folder, a glob or a file")
    real.add_argument(
        "--catalogue",
        "--catalog",
        metavar="FILE",
        help="of the galaxies: id and file, or ra_deg and dec_deg (default: one a cutout)",
    )
    real.add_argument("--psf", metavar="PATH", help="images of the PSF, by band (default: the survey's typical one)")
    real.add_argument("--plane-bands", type=words, metavar="BAND,...", help="bands of unnamed planes, in order")
    add_limit_option(real, most=TILE_PIXELS, what="a real image")
    tiles = parser.add_argument_group("whole tiles")
    tiles.add_argument("--tiles", type=count, metavar="N", help="number of tiles, which overlap")
    tiles.add_argument("--density", type=number, metavar="D", help="galaxies to be searched, per square arcmin")
    tiles.add_argument(
        "--tile-shape", type=words, metavar="HEIGHT,WIDTH", help="in pixels (default: 19500,18500 as in KiDS)"
    )
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Simulate what was asked for."""
    if args.print_population:
        return _print_population(args)
    make = _what(args)
    try:
        return make(args)
    except KeyboardInterrupt:
        raise LensdetectError(
            f"interrupted: what is done is kept in {args.output}; the same command goes on from there"
        ) from None


def _what(args: argparse.Namespace):
    """The one thing that the options ask for."""
    asked = [name for name in ("count", "onto", "tiles") if getattr(args, name) is not None]
    if len(asked) > 1:
        raise InputError(
            f"one of --count, --onto and --tiles must be given, got {' and '.join('--' + n for n in asked)}"
        )
    if not asked and args.check is None:
        raise InputError("one of --count (stamps), --onto (arcs on real images) and --tiles must be given, got none")
    needed = ["output"] if not asked else ["survey", "seed", "output"]
    missing = [f"--{name}" for name in needed if getattr(args, name) is None]
    if missing:
        raise InputError(f"simulate needs {', '.join(missing)}: add it, see lensdetect simulate --help")
    return {(): _check, ("count",): _stamps, ("onto",): _onto, ("tiles",): _tiles}[tuple(asked)]


def _population(args: argparse.Namespace, survey):
    from lensdetect.simulation import default_population, read_population

    base = default_population(survey)
    return base if args.population is None else read_population(args.population, base)


def _print_population(args: argparse.Namespace) -> int:
    from lensdetect.simulation import population_toml
    from lensdetect.survey import get_survey

    if args.survey is None:
        raise InputError("--print-population needs --survey: each survey has its own")
    print(population_toml(_population(args, get_survey(args.survey))))
    return 0


def _stamps(args: argparse.Namespace) -> int:
    from lensdetect.simulation import simulate
    from lensdetect.survey import get_survey

    survey = get_survey(args.survey)
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
        population=_population(args, survey),
    )
    print(f"{args.count:,} stamps of survey {survey.name}, seed {args.seed}: {folder}")
    return 0 if args.check is None else _check(args)


def _check(args: argparse.Namespace) -> int:
    """Compare with the genuine challenge, print, and draw."""
    import numpy as np

    from lensdetect.data import open_cutouts, read_truth
    from lensdetect.figures import likeness_figure, save_figure
    from lensdetect.simulation.likeness import compare_with_genuine
    from lensdetect.stamps import Shards
    from lensdetect.survey import get_survey

    genuine = Path(args.check)
    table = genuine / "classifications.csv" if genuine.is_dir() else genuine
    pixels = None
    if (genuine / "Public").is_dir():
        source = open_cutouts(genuine, survey=get_survey("bologna"))
        pixels = source.read(np.arange(min(len(source), _GENUINE_STAMPS))).pixels
    found = compare_with_genuine(Shards(args.output), read_truth(table), genuine_pixels=pixels)
    print(found.text())
    picture = Path(args.output) / "check.png"
    save_figure(likeness_figure(found.simulated, found.genuine), picture)
    print(f"figure: {picture}")
    return 0 if found.ok else 1


def _onto(args: argparse.Namespace) -> int:
    from lensdetect.simulation import paint
    from lensdetect.survey import get_survey

    survey = get_survey(args.survey)
    folder = paint(
        survey,
        args.onto,
        args.catalogue,
        Path(args.output),
        seed=args.seed,
        lens_fraction=0.5 if args.lens_fraction is None else args.lens_fraction,
        size=args.size,
        population=_population(args, survey),
        psf=args.psf,
        plane_bands=args.plane_bands,
        max_pixels=args.max_pixels,
        workers=args.workers,
        shard_size=args.shard_size,
    )
    manifest = json.loads((folder / "manifest.json").read_text())
    print(f"{manifest['count']:,} cutouts of survey {survey.name}, seed {args.seed}: {folder}")
    if scales := manifest["onto"]["resampled_from_arcsec"]:
        print(f"resampled from {', '.join(map(str, scales))} to {survey.pixel_scale_arcsec} arcsec, flux kept")
    if not manifest["refused"]:
        return 0
    print(f"{manifest['refused']:,} could not be used; {folder / 'refused.csv'} says why")
    return 1


def _tiles(args: argparse.Namespace) -> int:
    from lensdetect.simulation import simulate_tiles
    from lensdetect.survey import get_survey

    if args.density is None:
        raise InputError("--tiles needs --density: galaxies to be searched per square arcmin, such as 2")
    survey = get_survey(args.survey)
    folder = simulate_tiles(
        survey,
        Path(args.output),
        tiles=args.tiles,
        density=args.density,
        seed=args.seed,
        tile_shape_pix=_tile_shape(args.tile_shape),
        workers=args.workers,
        lens_fraction=0.01 if args.lens_fraction is None else args.lens_fraction,
        population=_population(args, survey),
    )
    print(f"{args.tiles:,} tiles of survey {survey.name}, seed {args.seed}: {folder}")
    return 0


def _tile_shape(words_given: tuple[str, ...] | None) -> tuple[int, int] | None:
    if words_given is None:
        return None
    if len(words_given) != 2 or not all(word.isdigit() for word in words_given):
        raise InputError(f"--tile-shape must be two whole numbers as in 2000,2000, got {','.join(words_given)}")
    return int(words_given[0]), int(words_given[1])
