"""`lensdetect search` without and with a detector: cutouts a second, scaling with workers, memory of the main process.

    python benchmarks/bench_search.py --height 19500 --width 18500 --objects 7500
    python benchmarks/bench_search.py --rows 1500000

The first makes one simulated KiDS-size tile of noise on disk (5.8 GB of images in 4 bands) and measures
``open_tile().cut`` in 4 processes against a loop of ``astropy.nddata.Cutout2D`` over the same objects, files in the
page cache, with private memory (USS) of each worker; then the whole search with 1, 2 and 4 workers and a scorer that
costs nothing but time, and with the detector that comes with the package against its bare throughput on cutouts in
memory. The start of processes and the report are measured with few objects and taken off. The second spreads a
catalogue over 200 small tiles and follows the main process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
import psutil
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS

from lensdetect.search import Catalogue, Committee, Cut, Member, committee_of, index_tiles, search_survey
from lensdetect.search.cutouts import open_tile
from lensdetect.search.objects import spread_objects
from lensdetect.survey import get_survey

SURVEY = get_survey("kids")
BATCH = 128


@dataclass(frozen=True)
class Sleeper:
    """A scorer that costs nothing but time."""

    seconds_per_cutout: float

    def __call__(self):
        """Make it."""

        def score(cutouts):
            time.sleep(self.seconds_per_cutout * len(cutouts))
            return np.nan_to_num(cutouts[:, 50, 50, :1]) * 1e11

        return score


def make_tile(folder: Path, *, ra_deg: float, height: int, width: int) -> WCS:
    """Noise in four bands, in strips, with the world coordinates of a coadd."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [ra_deg, 0.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [width / 2 + 0.5, height / 2 + 0.5], [-0.2 / 3600, 0.2 / 3600]
    for number, band in enumerate(SURVEY.bands):
        header = wcs.to_header()
        path = folder / SURVEY.tile_file(ra_deg, 0.0, band=band.name)
        shape = {"SIMPLE": True, "BITPIX": -32, "NAXIS": 2, "NAXIS1": width, "NAXIS2": height}
        full = fits.Header([*shape.items()])
        full.extend(header)
        rng = np.random.default_rng(number)
        stream = fits.StreamingHDU(path, full)
        for start in range(0, height, 500):
            rows = min(500, height - start)
            stream.write(rng.standard_normal((rows, width), np.float32) * np.float32(band.noise_sigma))
        stream.close()
    return wcs


def cut_part(tile, part: tuple[np.ndarray, np.ndarray], quality: bool) -> tuple[float, int]:
    """Seconds of wall time and bytes of private memory to cut some objects out."""
    with open_tile(tile, SURVEY) as images:
        began_s = time.perf_counter()
        for start in range(0, len(part[0]), BATCH):
            images.cut(part[0][start : start + BATCH], part[1][start : start + BATCH], quality=quality)
        return time.perf_counter() - began_s, psutil.Process().memory_full_info().uss


def astropy_loop(tile, x: np.ndarray, y: np.ndarray) -> float:
    """Cutouts a second of the usual loop, one ``Cutout2D`` an object and band, on memory maps."""
    planes = [fits.open(tile.images[band, "sci"].path, memmap=True) for band in SURVEY.band_names]
    began_s = time.perf_counter()
    for one in zip(x, y, strict=True):
        np.stack([Cutout2D(units[0].data, one, 101, wcs=tile.wcs, mode="partial").data for units in planes], axis=-1)
    return len(x) / (time.perf_counter() - began_s)


def bench_cutting(tile, objects: pd.DataFrame, workers: int) -> None:
    """Time cutting, with and without the search for glitches."""
    x, y = tile.pixels(objects["RAJ2000"].to_numpy(), objects["DECJ2000"].to_numpy())
    order = np.argsort(y)
    parts = [(x[rows], y[rows]) for rows in np.array_split(order, workers)]
    usual = astropy_loop(tile, x[:300], y[:300])
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for quality in (False, True):
            work = partial(cut_part, tile, quality=quality)
            pool.map(work, parts)  # once for the page cache
            found = pool.map(work, parts)
            rate = len(x) / max(seconds for seconds, _ in found)
            memory = max(used for _, used in found) / 1e9
            what = "with quality flags" if quality else "pixels alone"
            print(
                f"{workers} workers, {what}: {rate:.0f} four-band cutouts/s, {rate / usual:.1f} times "
                f"Cutout2D ({usual:.0f}/s), {memory:.2f} GB private memory a worker"
            )


def bench_search(folder: Path, catalogue: Path, count: int) -> None:
    """Whole searches: scaling, and share of the bare throughput of the detector."""
    sleeper = Committee((Member("sleeper"),), Sleeper(0.01), SURVEY.band_names, 101, 0.2)
    seconds = {}
    for workers in (1, 2, 4):
        seconds[workers] = scoring_seconds(folder, catalogue, sleeper, workers)
    for workers, wall_s in seconds.items():
        print(f"{workers} workers, a scorer of 10 ms: {wall_s:.1f} s, efficiency {seconds[1] / wall_s / workers:.2f}")
    committee = committee_of([None], SURVEY)
    scorer = committee.make_scorer()
    pixels = np.random.default_rng(1).normal(0, 2e-12, (BATCH, 101, 101, 4)).astype(np.float32)
    scorer(pixels)
    began_s = time.perf_counter()
    for _ in range(8):
        scorer(pixels)
    bare = 8 * BATCH / (time.perf_counter() - began_s)
    rate = count / scoring_seconds(folder, catalogue, committee, 1)
    print(f"whole search in process: {rate:.0f} objects/s, bare detector {bare:.0f}/s, ratio {rate / bare:.2f}")


def scoring_seconds(folder: Path, catalogue: Path, committee: Committee, workers: int) -> float:
    """Seconds that a search takes longer than one of a few objects for each worker."""
    few = catalogue.with_name("few.csv")
    pd.read_csv(catalogue).iloc[: 64 * workers].to_csv(few, index=False)
    return timed(folder, catalogue, committee, workers) - timed(folder, few, committee, workers)


def timed(folder: Path, catalogue: Path, committee: Committee, workers: int) -> float:
    """Seconds of a whole search."""
    with tempfile.TemporaryDirectory() as output:
        began_s = time.perf_counter()
        search_survey(
            folder,
            catalogue,
            output,
            survey=SURVEY,
            committee=committee,
            workers=workers,
            cut=Cut(top=1),
            progress=False,
        )
        return time.perf_counter() - began_s


def bench_spread(root: Path, rows: int) -> None:
    """Peak memory of giving a catalogue to 200 small tiles, for a tenth of it and all of it."""
    folder = root / "small"
    folder.mkdir()
    for number in range(200):
        make_tile(folder, ra_deg=100.0 + 0.1 * number, height=300, width=300)
    index = index_tiles(folder, SURVEY)
    for count in (rows // 10, rows):
        rng = np.random.default_rng(2)
        table = pd.DataFrame(
            {
                "ID": [f"KiDSDR4 J{number:015d}" for number in range(count)],
                "RAJ2000": 100.0 + 0.1 * rng.integers(0, 200, count) + rng.uniform(-0.008, 0.008, count),
                "DECJ2000": rng.uniform(-0.008, 0.008, count),
            }
        )
        table.to_parquet(root / "rows.parquet")
        del table
        peak, stop = [0], threading.Event()
        watcher = threading.Thread(target=watch, args=(peak, stop))
        watcher.start()
        began_s = time.perf_counter()
        spread = spread_objects(Catalogue(root / "rows.parquet", survey=SURVEY), index, root / f"objects{count}")
        wall_s = time.perf_counter() - began_s
        stop.set()
        watcher.join()
        print(f"{count:,} rows over 200 tiles: {wall_s:.1f} s, peak {peak[0] / 1e9:.2f} GB, {spread.outside} outside")


def watch(peak: list[int], stop: threading.Event) -> None:
    """Follow the private memory of this process."""
    process = psutil.Process()
    while not stop.wait(0.05):
        peak[0] = max(peak[0], process.memory_info().rss)


def main() -> None:
    """Make, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--height", type=int, default=19500)
    parser.add_argument("--width", type=int, default=18500)
    parser.add_argument("--objects", type=int, default=7500)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rows", type=int, help="measure the spreading of so many catalogue rows instead")
    args = parser.parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        if args.rows:
            bench_spread(root, args.rows)
            return
        folder = root / "tiles"
        folder.mkdir()
        wcs = make_tile(folder, ra_deg=180.0, height=args.height, width=args.width)
        rng = np.random.default_rng(3)
        x, y = rng.uniform(60, args.width - 60, args.objects), rng.uniform(60, args.height - 60, args.objects)
        ra_deg, dec_deg = wcs.wcs_pix2world(x, y, 0)
        objects = pd.DataFrame({"ID": np.arange(args.objects), "RAJ2000": ra_deg, "DECJ2000": dec_deg})
        objects.to_csv(root / "objects.csv", index=False)
        bench_cutting(index_tiles(folder, SURVEY).tiles[0], objects, args.workers)
        bench_search(folder, root / "objects.csv", args.objects)


if __name__ == "__main__":
    main()
