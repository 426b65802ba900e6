"""`lensdetect search` against its detector alone, its scaling with workers, and the memory of its main process.

    python benchmarks/bench_search.py --output benchmarks/search.md

Three parts, of which ``--parts`` chooses some:

``ratio``
    One simulated tile in 4 bands (of KiDS's size 5.8 GB on disk, in the page cache). The whole search of
    ``--objects`` of it, with the detector that comes with the package, against the same detector on cutouts in
    memory. The two take turns, ``--rounds`` times. In this process both have the same threads, so the ratio is
    also given by processor time, which holds on a machine with other work; the search is also run with one worker
    a core, and with a look for glitches at every object instead of the candidates. Goal: 85 %.
``scaling``
    The same tile with a scorer that costs nothing but time (10 ms a cutout), with 1, 2 and 4 workers. Goal: 80 %
    of 4 with 4.
``memory``
    ``--rows`` rows of a catalogue and a tenth of them, over 200 small tiles: largest resident memory of the main
    process while it gives objects to tiles and while two workers search them (cutouts of 33 pixels, which are not
    looked at for glitches, and a free scorer). Goal: under 1.5 GB, and flat.

What does not depend on the number of objects (start of processes, report) is measured with few and taken off, so
few objects on a busy machine say nothing. Four workers have work from 6,001 objects on: a slice is of up to 2,000.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
import psutil
from bench_cutouts import SURVEY, write_tile

from lensdetect.images import index_tiles
from lensdetect.search import Catalogue, Committee, Cut, Member, committee_of, search_survey
from lensdetect.search.objects import spread_objects

BATCH = 128
FEW = 64
PARTS = ("memory", "ratio", "scaling")
TILES = 200


@dataclass(frozen=True)
class Sleeper:
    """A scorer that costs nothing but time."""

    seconds_per_cutout: float

    def __call__(self) -> Callable[[np.ndarray], np.ndarray]:
        """Make it."""

        def score(cutouts: np.ndarray) -> np.ndarray:
            time.sleep(self.seconds_per_cutout * len(cutouts))
            return np.zeros((len(cutouts), 1), np.float32)

        return score


def sleepers(seconds_per_cutout: float, *, size: int = 101) -> Committee:
    """A committee of one such scorer."""
    return Committee((Member("sleeper"),), Sleeper(seconds_per_cutout), SURVEY.band_names, size, 0.2)


def seconds_of(work: Callable[[], object]) -> np.ndarray:
    """Seconds by the clock and of processor time, of this process."""
    clock_s, cpu_s = time.perf_counter(), time.process_time()
    work()
    return np.array([time.perf_counter() - clock_s, time.process_time() - cpu_s])


def search(folder: Path, catalogue: Path, committee: Committee, *, workers: int, examine_all: bool = False) -> None:
    """A whole search."""
    how = {"survey": SURVEY, "committee": committee, "cut": Cut(top=10), "progress": False}
    how |= {"workers": workers, "examine_all": examine_all}
    with tempfile.TemporaryDirectory() as output:
        search_survey(folder, catalogue, output, **how)


def seconds_each(folder: Path, catalogue: Path, committee: Committee, **how) -> np.ndarray:
    """Seconds an object, beyond those of a search of few."""
    few = catalogue.with_name("few.csv")
    table = pd.read_csv(catalogue)
    table.iloc[:FEW].to_csv(few, index=False)
    extra = seconds_of(lambda: search(folder, catalogue, committee, **how))
    extra -= seconds_of(lambda: search(folder, few, committee, **how))
    return extra / (len(table) - FEW)


def bench_ratio(folder: Path, catalogue: Path, rounds: int) -> Iterator[str]:
    """Whole searches and the bare detector, in turns."""
    committee = committee_of([None], SURVEY)
    scorer = committee.make_scorer()
    pixels = np.random.default_rng(1).normal(0, 2e-12, (BATCH, 101, 101, 4)).astype(np.float32)
    cores = len(os.sched_getaffinity(0))
    ways = {
        "in process": {"workers": 1},
        "in process, all looked at for glitches": {"workers": 1, "examine_all": True},
        f"{cores} workers": {"workers": cores},
    }
    scorer(pixels)
    search(folder, catalogue, committee, workers=1)  # once for the page cache, and so that the detector is there
    found = {name: [] for name in ways}
    for _ in range(rounds):
        for name, how in ways.items():
            bare = seconds_of(lambda: [scorer(pixels) for _ in range(12)]) / (12 * BATCH)
            found[name].append((bare, seconds_each(folder, catalogue, committee, **how)))
    yield "| whole search | objects/s | bare detector, cutouts/s | ratio | ratio by processor time |"
    yield "|---|---|---|---|---|"
    for name, pairs in found.items():
        bare, whole = np.median(pairs, axis=0)
        ratios = np.median([bare / whole for bare, whole in pairs], axis=0)
        # of workers the processor time is not that of this process
        cpu = f"{ratios[1]:.2f}" if ways[name]["workers"] == 1 else ""
        yield f"| {name} | {1 / whole[0]:.0f} | {1 / bare[0]:.0f} | {ratios[0]:.2f} | {cpu} |"


def bench_scaling(folder: Path, catalogue: Path) -> Iterator[str]:
    """Searches with a scorer that sleeps."""
    yield "| workers | ms an object | efficiency |"
    yield "|---|---|---|"
    alone = None
    for workers in (1, 2, 4):
        each_s = seconds_each(folder, catalogue, sleepers(0.01), workers=workers)[0]
        alone = alone or each_s
        yield f"| {workers} | {1e3 * each_s:.2f} | {alone / each_s / workers:.2f} |"


def bench_memory(root: Path, rows: int) -> Iterator[str]:
    """Peaks of giving a catalogue to tiles, and of searching them."""
    folder = root / "small"
    folder.mkdir()
    for number in range(TILES):
        write_tile(folder, height=300, width=300, seed=number, ra_deg=100.0 + 0.1 * number)
    index = index_tiles(folder, SURVEY)
    yield "| rows | given to tiles in s | peak in GB | searched in s | peak in GB |"
    yield "|---|---|---|---|---|"
    for count in (rows // 10, rows):
        path = write_rows(root / "rows.parquet", count)
        with peak_memory() as spreading:
            spread_s, _ = seconds_of(
                lambda path=path, count=count: spread_objects(
                    Catalogue(path, survey=SURVEY), index, root / f"objects{count}"
                )
            )
        with peak_memory() as searching:
            search_s, _ = seconds_of(lambda path=path: search(folder, path, sleepers(0.0, size=33), workers=2))
        peaks = spreading[0] / 1e9, searching[0] / 1e9
        yield f"| {count:,} | {spread_s:.1f} | {peaks[0]:.2f} | {search_s:.1f} | {peaks[1]:.2f} |"


def write_rows(path: Path, count: int) -> Path:
    """A catalogue all over the small tiles."""
    rng = np.random.default_rng(2)
    pd.DataFrame(
        {
            "ID": [f"KiDSDR4 J{number:015d}" for number in range(count)],
            "RAJ2000": 100.0 + 0.1 * rng.integers(0, TILES, count) + rng.uniform(-0.008, 0.008, count),
            "DECJ2000": 0.5 + rng.uniform(-0.008, 0.008, count),
        }
    ).to_parquet(path)
    return path


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Follow the resident memory of this process, in bytes."""
    peak, stop, process = [0], threading.Event(), psutil.Process()

    def watch() -> None:
        while not stop.wait(0.02):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()


def write_sky(root: Path, *, height: int, width: int, count: int) -> tuple[Path, Path]:
    """A large tile, read once, and a catalogue of it."""
    folder = root / "tiles"
    folder.mkdir()
    write_tile(folder, height=height, width=width, seed=1)
    rng = np.random.default_rng(3)
    x, y = rng.uniform(60, width - 60, count), rng.uniform(60, height - 60, count)
    ra_deg, dec_deg = index_tiles(folder, SURVEY).tiles[0].sky(x, y)
    objects = pd.DataFrame({"ID": np.arange(count), "RAJ2000": ra_deg, "DECJ2000": dec_deg})
    objects.to_csv(root / "objects.csv", index=False)
    return folder, root / "objects.csv"


def lines_of(args: argparse.Namespace, root: Path) -> Iterator[str]:
    """What is measured, as Markdown, as it is there."""
    yield "# `lensdetect search`, measured\n"
    yield "`python benchmarks/bench_search.py` says what was measured, and how."
    yield f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} before.\n"
    if "memory" in args.parts:  # first, as the main process of a search over workers has no TensorFlow either
        yield from bench_memory(root, args.rows)
        yield ""
    if {"ratio", "scaling"} & set(args.parts):
        folder, catalogue = write_sky(root, height=args.height, width=args.width, count=args.objects)
        yield f"{args.objects:,} objects in a tile of {args.width:,} x {args.height:,} pixels in 4 bands.\n"
    if "ratio" in args.parts:
        yield from bench_ratio(folder, catalogue, args.rounds)
        yield ""
    if "scaling" in args.parts:
        yield from bench_scaling(folder, catalogue)


def main() -> None:
    """Make, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--height", type=int, default=19_500)
    parser.add_argument("--width", type=int, default=18_500)
    parser.add_argument("--objects", type=int, default=7_500)
    parser.add_argument("--rows", type=int, default=1_500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--output", type=Path, help="Markdown file to write; printed if not given")
    args = parser.parse_args()
    if args.objects < 16 * BATCH:
        parser.error(f"--objects must be at least {16 * BATCH}, got {args.objects}")
    with tempfile.TemporaryDirectory() as root:
        lines = []
        for line in lines_of(args, Path(root)):
            lines.append(line)
            print(line, flush=True)
    if args.output:
        args.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
