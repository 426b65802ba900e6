"""Search a small simulated survey for lenses, and see which of the hidden ones were found.

    python examples/05_search.py --output searched
    python examples/05_search.py --tiles kids/ --catalogue kids.fits --survey kids --select lrg --output found

Takes about 45 s on 2 cores (20 s of processor time); --quick about 15 s. Without --tiles, a
survey of four overlapping tiles is simulated, with its catalogues, lenses and glitches.

Prints the best ten candidates and what became of the known lenses. Writes all that
``lensdetect search`` does: look at ``found/report.html`` first.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lensdetect.errors import LensdetectError
from lensdetect.search import Cut, committee_of, search_survey
from lensdetect.survey import get_survey


def simulate_sky(folder: Path, *, tiles: int, side_pix: int) -> Path:
    """Make a small survey that looks like the challenge on which the shipped detector was trained."""
    from lensdetect.simulation import simulate_tiles
    from lensdetect.simulation.tiles import TileRates

    # tiles so small would be covered by what goes wrong in a large one
    rates = TileRates(satellite_trails=0.5, bad_columns=0.5, shallow_strips=0.2, dead_strips=0.2, dead_border_pix=10)

    return simulate_tiles(
        get_survey("bologna"),
        folder,
        tiles=tiles,
        density=10.0,
        seed=5,
        tile_shape_pix=(side_pix, side_pix),
        lens_fraction=0.1,
        rates=rates,
    )


def main() -> None:
    """Simulate if need be, search, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", help="folder of images; a simulated survey by default")
    parser.add_argument("--catalogue", help="objects in them")
    parser.add_argument("--survey", default="bologna", help="survey of the tiles (default: %(default)s)")
    parser.add_argument("--select", help='which objects, as in "MAG_AUTO < 21"')
    parser.add_argument("--known", help="list of known lenses")
    parser.add_argument("--model", nargs="*", default=[], help="trained detectors (default: the shipped one)")
    parser.add_argument("--scheduler", help="address of a Dask scheduler")
    parser.add_argument("--output", type=Path, default=Path("searched"), help="folder (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="simulate two small tiles only")
    args = parser.parse_args()

    tiles, catalogue = args.tiles, args.catalogue
    args.output.mkdir(parents=True, exist_ok=True)
    if tiles is None:
        count, side_pix = (2, 300) if args.quick else (4, 800)
        tiles = simulate_sky(args.output / "survey", tiles=count, side_pix=side_pix)
        catalogue = tiles / "*_cat.fits"
    survey = get_survey(args.survey)
    found = search_survey(
        tiles,
        catalogue,
        args.output / "found",
        survey=survey,
        committee=committee_of(args.model, survey),
        select=args.select,
        prior=1e-3,
        cut=Cut(top=100),
        known=args.known,
        scheduler=args.scheduler,
        # so few objects are scored before other processes have loaded the detector
        workers=1 if args.tiles is None else None,
    )
    print(found.text())
    print(f"report: {found.folder / 'report.html'}")


if __name__ == "__main__":
    try:
        main()
    except (LensdetectError, OSError) as error:
        print(f"05_search.py: {error}", file=sys.stderr)
        sys.exit(2)
