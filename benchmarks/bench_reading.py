"""How fast challenge stamps are read from many small files, against astropy.

    python benchmarks/bench_reading.py --files 40000

Writes files in the challenge's own format to a temporary folder, then reads all
of them, in turns, with an ``astropy.io.fits.getdata`` loop (pixels only) and with
``open_cutouts(...).batches(128)`` (pixels checked, masked and put together), as
scoring reads them. Before each turn all files are brought into the page cache. Ratios are of medians, by
the clock and by processor time: the second holds on a machine with other work too.
Expected: 10 or more.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from astropy.io import fits

from lensdetect.data import open_cutouts
from lensdetect.survey import get_survey

BATCH_SIZE = 128
SURVEY = get_survey("bologna")


def write_files(root: Path, *, count: int, seed: int) -> int:
    """Write ``count`` files, four a stamp, one in five with masked pixels; returns the number of stamps."""
    rng = np.random.default_rng(seed)
    folders = [root / "Public" / f"Band{number}" for number in range(1, 5)]
    for folder in folders:
        folder.mkdir(parents=True)
    num_stamps = max(count // 4, 1)
    for stamp in range(num_stamps):
        header = make_header(*rng.uniform(-2e-3, 2e-3, 2))
        for folder, band in zip(folders, SURVEY.file_band_order, strict=True):
            pixels = rng.standard_normal((101, 101), dtype=np.float32) * 2e-12
            if rng.random() < 0.2:
                row, column = rng.integers(0, 90, 2)
                pixels[row : row + 9, column : column + 9] = SURVEY.masked_value
            data = header + pixels.astype(">f4").tobytes()
            name = f"imageSDSS_{band.upper()}-{100000 + stamp}.fits"
            (folder / name).write_bytes(data.ljust(-(-len(data) // 2880) * 2880, b"\0"))
    return num_stamps


def make_header(ra_rad: float, dec_rad: float) -> bytes:
    """One header block as the challenge has it: an image, a projection, a position in radian."""
    scale_deg = SURVEY.pixel_scale_arcsec / 3600.0
    header = fits.PrimaryHDU(np.zeros((101, 101), np.float32)).header
    for axis, kind in ((1, "RA---TAN"), (2, "DEC--TAN")):
        header[f"CRPIX{axis}"], header[f"CRVAL{axis}"], header[f"CTYPE{axis}"] = 51.0, 0.0, kind
        header[f"CDELT{axis}"] = scale_deg if axis == 2 else -scale_deg
    header["RA"], header["DEC"] = ra_rad, dec_rad
    return header.tostring().encode("ascii")


def read_with_astropy(paths: list[str]) -> None:
    for path in paths:
        fits.getdata(path)


def read_with_ours(root: Path, *, num_workers: int | None) -> None:
    source = open_cutouts(root, survey=SURVEY)
    num_read = sum(len(batch) for batch in source.batches(BATCH_SIZE, num_workers=num_workers))
    if num_read != len(source):
        raise RuntimeError(f"{len(source)} stamps must be read, got {num_read}")


def measure(read, *, paths: list[str]) -> tuple[float, float]:
    """Seconds by the clock, and of processor time in all threads."""
    for path in paths:
        Path(path).read_bytes()
    start, start_cpu = time.perf_counter(), time.process_time()
    read()
    return time.perf_counter() - start, time.process_time() - start_cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=40_000, help="how many files to write and read")
    parser.add_argument("--rounds", type=int, default=3, help="times that each reader reads all of them")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        num_stamps = write_files(root, count=arguments.files, seed=arguments.seed)
        paths = [str(path) for path in sorted(root.glob("Public/Band*/*.fits"))]
        readers = {
            "astropy getdata": lambda: read_with_astropy(paths),
            "ours, 1 thread": lambda: read_with_ours(root, num_workers=1),
            "ours": lambda: read_with_ours(root, num_workers=None),
        }
        rounds = [[measure(read, paths=paths) for read in readers.values()] for _ in range(arguments.rounds)]
    print(f"{len(os.sched_getaffinity(0))} cores, {len(paths)} files, {num_stamps} stamps of 4 x 101 x 101")
    report(np.median(rounds, axis=0), list(readers), num_files=len(paths), num_stamps=num_stamps)


def report(seconds: np.ndarray, names: list[str], *, num_files: int, num_stamps: int) -> None:
    """Print rates and ratios to the first reader; ``seconds`` is (reader, clock or processor)."""
    for name, (clock_s, cpu_s) in zip(names, seconds, strict=True):
        rates = f"{num_files / clock_s:7.0f} files/s {num_stamps / clock_s:6.0f} stamps/s"
        ratios = f"{seconds[0, 0] / clock_s:5.1f} x by the clock {seconds[0, 1] / cpu_s:5.1f} x by processor time"
        print(f"{name:16s} {rates} {ratios}")


if __name__ == "__main__":
    main()
