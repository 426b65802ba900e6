"""How many simulated glitches are flagged, how many good stamps are, and how long the look at them takes.

    python benchmarks/bench_quality.py

For each kind of glitch ``--glitches`` KiDS-like stamps that have it, and ``--good`` stamps that have none, all of a
population in which one stamp of five is a lens. Stars among them are left out: a bright one brings its own glitches.
Glitches that come within ``--radius`` arcsec of the middle, where the arcs of a lens can be, are told from others.
Then stamps of tiles without defects, with ``--density`` galaxies per square arcmin, where neighbours could pass for
a sky that is not flat. Goals: 95 % of the glitches that touch, under 1 % of the good. Time is of processor time on
one thread.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from glitch_stamps import NONE, glitch_stamps

from lensdetect.flags import ARC_RADIUS_ARCSEC, names
from lensdetect.images import index_tiles
from lensdetect.images.cutouts import open_tile
from lensdetect.metrics.intervals import wilson_interval
from lensdetect.search.quality import flag_quality
from lensdetect.simulation import SkyPopulation, simulate, simulate_tiles
from lensdetect.simulation.sky.glitches import GLITCHES
from lensdetect.simulation.tiles import NO_DEFECTS
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS

SURVEY = SURVEYS["kids"]


def good_stamps(folder: Path, *, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and kinds of stamps without a glitch."""
    population = SkyPopulation(glitches=NONE)
    simulate(SURVEY, folder, count=count, seed=seed, population=population, progress=False, lens_fraction=0.2)
    shards = Shards(folder)
    kinds = shards.truth["kind"].to_numpy()
    return shards.read(np.flatnonzero(kinds != "star")), kinds[kinds != "star"]


def cut_tiles(folder: Path, *, density: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and kinds of the galaxies of two small tiles that have no defects."""
    shape = (1200, 1200)
    how = {"tiles": 2, "density": density, "seed": seed, "tile_shape_pix": shape, "rates": NO_DEFECTS}
    simulate_tiles(SURVEY, folder, lens_fraction=0.1, progress=False, **how)
    truth = pd.concat(pd.read_parquet(path) for path in sorted((folder / "truth").glob("*.parquet")))
    pixels, kinds = [], []
    for tile in index_tiles(folder, SURVEY).tiles:
        x, y = tile.pixels(truth["ra_deg"].to_numpy(), truth["dec_deg"].to_numpy())
        inside = (np.minimum(x, y) > 51) & (np.maximum(x, y) < shape[0] - 51)
        inside &= (truth["glitches"] == "").to_numpy() & (truth["kind"] != "star").to_numpy()
        with open_tile(tile, SURVEY) as opened:
            pixels.append(opened.cut(x[inside], y[inside]).pixels)
        kinds.append(truth["kind"].to_numpy()[inside])
    return np.concatenate(pixels), np.concatenate(kinds)


def row(name: str, flags: np.ndarray) -> str:
    """A line of the table: how many have any flag, with an interval, and which."""
    if not len(flags):
        return f"| {name} | 0 | | |"
    found = int(np.count_nonzero(flags))
    low, high = wilson_interval(found, len(flags), confidence=0.95)
    counts = pd.Series([one for some in flags for one in names(int(some))], dtype=object).value_counts()
    which = ", ".join(f"{flag} {100 * count / len(flags):.1f}" for flag, count in counts.items())
    return f"| {name} | {len(flags):,} | {100 * found / len(flags):.1f} [{100 * low:.1f}, {100 * high:.1f}] | {which} |"


def lines_of(args: argparse.Namespace, root: Path) -> Iterator[str]:
    """The table, row by row, and the speed."""
    yield "| stamps | number | flagged, % | flags, % |"
    yield "|---|---|---|---|"
    look = partial(flag_quality, survey=SURVEY, reach_arcsec=args.radius)
    pixels, kinds = good_stamps(root / "good", count=args.good, seed=args.seed)
    began_s = time.process_time()
    flags = look(pixels)
    rate = len(pixels) / (time.process_time() - began_s)
    yield row("good, lenses", flags[kinds == "lens"])
    yield row("good, others", flags[kinds != "lens"])
    for glitch in GLITCHES:
        pixels, _, away_arcsec = glitch_stamps(SURVEY, glitch, count=args.glitches, seed=args.seed)
        flags, touches = look(pixels), away_arcsec <= args.radius
        yield row(f"{glitch} that touches", flags[touches])
        yield row(f"{glitch} elsewhere", flags[~touches])
    for density in args.density:
        crowd, kinds = cut_tiles(root / f"tiles{density}", density=density, seed=args.seed)
        flags = look(crowd)
        yield row(f"tiles, {density:g} per square arcmin, lenses", flags[kinds == "lens"])
        yield row(f"tiles, {density:g} per square arcmin, others", flags[kinds != "lens"])
    yield f"\n{rate:.0f} cutouts a second of processor time."


def main() -> None:
    """Simulate, look, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--good", type=int, default=3000)
    parser.add_argument("--glitches", type=int, default=300)
    parser.add_argument("--density", type=float, nargs="*", default=[4.0, 20.0])
    parser.add_argument("--radius", type=float, default=ARC_RADIUS_ARCSEC)
    parser.add_argument("--seed", type=int, default=31)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        for line in lines_of(args, Path(root)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
