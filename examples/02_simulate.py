"""Simulate stamps of two skies, look at their truth, and draw contact sheets.

    python examples/02_simulate.py --output simulated

Takes about 15 s on 2 cores; --quick about 6 s. ``bologna`` imitates the ground-based
Bologna Lens Challenge: every stamp with a source counts as a lens, however faint.
``kids`` is the real sky of the Kilo-Degree Survey: a lens is what can be seen to be
one, and the others are drawn from everything that fools a lens finder. Prints how
many stamps of which kind there are, and writes ``bologna.png`` and ``kids.png``: lenses
in solid frames, from the brightest arcs down to middling ones, then a few of each kind
of what is no lens in dotted ones.

The rates are yours to change: write them with ``lensdetect simulate --survey kids
--print-population``, edit, and give the file with ``--population``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.errors import LensdetectError
from lensdetect.figures import mosaic, save_figure
from lensdetect.simulation import default_population, read_population, simulate
from lensdetect.stamps import Shards
from lensdetect.survey import get_survey

LENSES_SHOWN = 10


def print_truth(name: str, truth: pd.DataFrame) -> None:
    """Print what was put into the stamps."""
    lenses = truth[truth["is_lens"]]
    print(f"{name}: {len(lenses)} of {len(truth)} stamps are lenses")
    print(lenses[["einstein_radius_arcsec", "arc_pixel_count", "arc_snr"]].describe().round(2).to_string())
    others = ", ".join(f"{count} {kind}" for kind, count in truth["kind"][~truth["is_lens"]].value_counts().items())
    print(f"the others: {others}")
    glitched = (truth["glitches"] != "").sum()
    print(f"{glitched} stamps have a glitch\n")


def shown_rows(truth: pd.DataFrame) -> np.ndarray:
    """Rows of lenses from the brightest arcs down to the median, then of a few of each other kind."""
    lenses = truth[truth["is_lens"]].sort_values("arc_snr", ascending=False).index
    lenses = lenses[np.unique(np.linspace(0, len(lenses) // 2, LENSES_SHOWN).astype(int))]
    others = truth[~truth["has_source"]]
    each = max(1, 2 * LENSES_SHOWN // max(others["kind"].nunique(), 1))
    return np.concatenate([lenses, others.groupby("kind").head(each).sort_values("kind").index])


def contact_sheet(stamps: Shards, path: Path) -> None:
    """Draw lenses and others."""
    survey = get_survey(stamps.manifest["survey"])
    truth = stamps.truth
    rows = shown_rows(truth)
    figure = mosaic(
        stamps.read(rows),
        [
            f"{row.einstein_radius_arcsec:.1f} arcsec" if row.is_lens else f"{row.kind} {row.glitches}"
            for row in truth.loc[rows].itertuples()
        ],
        bands=survey.band_names,
        is_lens=truth["is_lens"].to_numpy()[rows],
        pixel_scale_arcsec=survey.pixel_scale_arcsec,
        title=f"Simulated {survey.name} stamps",
    )
    save_figure(figure, path)


def main() -> None:
    """Simulate, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surveys", nargs="+", default=["bologna", "kids"], help="default: %(default)s")
    parser.add_argument("--population", type=Path, help="TOML with other rates, for one survey")
    parser.add_argument("--count", type=int, default=500, help="stamps of each (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed gives the same stamps (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, default=Path("simulated"), help="folder (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="only 60 stamps of each")
    args = parser.parse_args()
    for name in args.surveys:
        survey = get_survey(name)
        population = default_population(survey)
        if args.population is not None:
            population = read_population(args.population, population)
        folder = args.output / survey.name
        count = 60 if args.quick else args.count
        stamps = Shards(simulate(survey, folder, count=count, seed=args.seed, population=population))
        print_truth(survey.name, stamps.truth)
        contact_sheet(stamps, args.output / f"{survey.name}.png")
    print(f"stamps and contact sheets are in {args.output}")


if __name__ == "__main__":
    try:
        main()
    except (LensdetectError, OSError) as error:
        print(f"02_simulate.py: {error}", file=sys.stderr)
        sys.exit(2)
