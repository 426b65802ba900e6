"""Cutouts per second from one tile of KiDS's size, against a loop of astropy's Cutout2D.

    python benchmarks/bench_cutouts.py --workers 4

Writes a tile of 18,500 x 19,500 pixels in four bands (5.8 GB of noise with some
galaxies in it) to a temporary folder, brings it into the page cache, and cuts
7,500 objects at positions in degrees. First in loops of ``Cutout2D`` over
memory-mapped images: as in its documentation, with ``SkyCoord`` and WCS, and bare,
with positions in pixels that were found before. Then with ``open_tile(...).cut``,
each worker with its share of the objects, with and without the look at their
quality. Nothing is scored. Rates are by the clock; ratios are also given by
processor time, which holds on a machine with other work too. Memory is the largest
that is private to one worker (USS); pages of files count in it while they are mapped.
Expected on four cores: 2,500 cutouts a second, ratio 10 to the first loop, under 1.5 GB.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS

from lensdetect.images.cutouts import open_tile
from lensdetect.images.index import index_tiles
from lensdetect.search.quality import flag_quality
from lensdetect.survey import SURVEYS

SURVEY = SURVEYS["kids"]
BATCH = 128
SIZE = 101
LOOPS = {"with WCS": False, "bare": True}


def write_tile(folder: Path, *, height: int, width: int, seed: int, ra_deg: float = 180.0) -> None:
    """Noise, drawn for some rows and repeated with a shift, and galaxies of one shape, alike in all bands."""
    rng = np.random.default_rng(seed)
    axis = np.arange(-30, 31)
    # a core as wide as the seeing, so that nothing takes them for cosmic rays
    galaxy = np.exp(-np.hypot(np.hypot(axis[:, None], axis), 2.5) / 3.0).astype(np.float32)
    for band in SURVEY.bands:
        places = np.random.default_rng([seed, 1])
        path = folder / SURVEY.tile_file(ra_deg, 0.5, band=band.name)
        header = image_header(height, width, ra_deg)
        noise = rng.standard_normal((512, width), np.float32) * np.float32(band.noise_sigma)
        with open(path, "wb") as file:
            file.write(header.tostring().encode("ascii"))
            for start in range(0, height, len(noise)):
                rows = np.roll(noise, int(rng.integers(width)), axis=1)[: height - start]
                for x, y in zip(places.integers(40, width - 40, 60), places.integers(31, 480, 60), strict=True):
                    if y + 31 <= len(rows):
                        rows[y - 30 : y + 31, x - 30 : x + 31] += 100.0 * band.noise_sigma * galaxy
                file.write(rows.astype(">f4").tobytes())
            file.write(b"\0" * (-file.tell() % 2880))


def image_header(height: int, width: int, ra_deg: float) -> fits.Header:
    """Of one band, with its place on the sky."""
    step_deg = SURVEY.pixel_scale_arcsec / 3600.0
    return fits.Header([
        ("SIMPLE", True), ("BITPIX", -32), ("NAXIS", 2), ("NAXIS1", width), ("NAXIS2", height),
        ("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CRVAL1", ra_deg), ("CRVAL2", 0.5),
        ("CRPIX1", 0.5 * (width + 1)), ("CRPIX2", 0.5 * (height + 1)), ("CD1_1", -step_deg), ("CD2_2", step_deg),
    ])  # fmt: skip


def cut_with_astropy(folder: Path, ra_deg: np.ndarray, dec_deg: np.ndarray, *, bare: bool) -> tuple[float, float]:
    """Seconds by the clock and of processor time of a loop of Cutout2D."""
    units = [fits.open(folder / SURVEY.tile_file(180.0, 0.5, band=band), memmap=True) for band in SURVEY.band_names]
    images = [(unit[0].data, WCS(unit[0].header)) for unit in units]
    places = SkyCoord(ra_deg, dec_deg, unit="deg")
    if bare:
        places = list(zip(*images[0][1].world_to_pixel(places), strict=True))
    how = {"mode": "partial", "fill_value": np.nan, "copy": True}
    start, start_cpu = time.perf_counter(), time.process_time()
    for place in places:
        cutouts = [Cutout2D(image, place, SIZE, wcs=None if bare else wcs, **how) for image, wcs in images]
        np.stack([cutout.data for cutout in cutouts], axis=-1).astype(np.float32)
    took = time.perf_counter() - start, time.process_time() - start_cpu
    for unit in units:
        unit.close()
    return took


def cut_share(folder: Path, ra_deg: np.ndarray, dec_deg: np.ndarray, quality: bool, ready, results) -> None:
    """One worker: open the tile, wait for the others, cut."""
    tile = index_tiles(folder, SURVEY).tiles[0]
    peak = [0]
    stop = threading.Event()
    watcher = threading.Thread(target=watch, args=(peak, stop))
    watcher.start()
    with open_tile(tile, SURVEY) as opened:
        ready.wait()
        start, start_cpu = time.perf_counter(), time.process_time()
        count = 0
        x, y = tile.pixels(ra_deg, dec_deg)
        for first in range(0, len(x), BATCH):
            cutouts = opened.cut(x[first : first + BATCH], y[first : first + BATCH])
            if quality:
                flag_quality(cutouts.pixels, SURVEY, noise_sigma=opened.noise_sigma)
            count += len(cutouts)
        took = time.perf_counter() - start, time.process_time() - start_cpu
    stop.set()
    watcher.join()
    results.put((count, *took, peak[0]))


def watch(peak: list[int], stop: threading.Event) -> None:
    """Follow the memory that is private to this process."""
    process = psutil.Process()
    while not stop.wait(0.05):
        peak[0] = max(peak[0], process.memory_full_info().uss)


def cut_with_ours(
    folder: Path, ra_deg: np.ndarray, dec_deg: np.ndarray, *, workers: int, quality: bool
) -> dict[str, float]:
    """Cut in several processes, each with a strip of the tile."""
    order = np.argsort(dec_deg)
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(workers), context.Queue()
    processes = [
        context.Process(target=cut_share, args=(folder, ra_deg[rows], dec_deg[rows], quality, ready, results))
        for rows in np.array_split(order, workers)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    count, clock_s, cpu_s, uss = np.transpose(found)
    return {"count": count.sum(), "clock_s": clock_s.max(), "cpu_s": cpu_s.sum(), "uss_gb": uss.max() / 1e9}


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--objects", type=int, default=7_500)
    parser.add_argument("--loop", type=int, default=2_000, help="objects of the loops that are compared with")
    parser.add_argument("--height", type=int, default=19_500)
    parser.add_argument("--width", type=int, default=18_500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    x, y = rng.uniform(60, args.width - 60, args.objects), rng.uniform(60, args.height - 60, args.objects)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tile(folder, height=args.height, width=args.width, seed=args.seed)
        for path in folder.iterdir():
            with open(path, "rb") as file:
                while file.read(1 << 24):
                    pass
        sky = index_tiles(folder, SURVEY).tiles[0].sky(x, y)
        print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, {args.objects} objects, 4 bands")
        few = tuple(some[: args.loop] for some in sky)
        loops = {
            name: np.divide(cut_with_astropy(folder, *few, bare=bare), len(few[0])) for name, bare in LOOPS.items()
        }
        for name, (clock_s, cpu_s) in loops.items():
            print(f"Cutout2D loop, {name}: {1.0 / clock_s:.0f} cutouts/s, {1e6 * cpu_s:.0f} us of CPU each")
        for what, quality in {"cut": False, "cut and quality": True}.items():
            ours = cut_with_ours(folder, *sky, workers=args.workers, quality=quality)
            clock_s, cpu_s = ours["clock_s"] / ours["count"], ours["cpu_s"] / ours["count"]
            ratios = ", ".join(
                f"{loop[0] / clock_s:.1f} x ({loop[1] / cpu_s:.1f} x by CPU) the loop {name}"
                for name, loop in loops.items()
            )
            print(
                f"{what}, {args.workers} workers: {1.0 / clock_s:.0f} cutouts/s, {1e6 * cpu_s:.0f} us of CPU each; "
                f"{ratios}; USS {ours['uss_gb']:.2f} GB a worker"
            )


if __name__ == "__main__":
    main()
