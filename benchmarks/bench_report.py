"""How large the report of a search is, and how fast it opens.

    python benchmarks/bench_report.py [--count 1000] [--folder DIR] [--output benchmarks/report.md]

Simulated KiDS stamps of 101 pixels in u, g, r, i stand for the candidates, with flags, known lenses, near misses
and scenes as a search has them. The report is written by what `lensdetect search` writes it with, and opened in
chromium (Debian's chromium and chromium-driver, extra `test`) from the disk, each time in a new browser: until the page
is loaded, and until all cards on the first screen are drawn. The processor time of the page says what that takes on a
machine without other work. Goal: 1,000 candidates within 2 s and 60 MB.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect import flags
from lensdetect.artifact import Calibration
from lensdetect.images.index import TileIndex
from lensdetect.images.tiles import Tile
from lensdetect.search import Committee, Cut, Member
from lensdetect.search.candidates import HISTOGRAM_EDGES, Ranked
from lensdetect.search.completeness import FATE_COLUMNS
from lensdetect.search.report import Findings, write_report
from lensdetect.search.report_pictures import Pictures
from lensdetect.search.slices import Job
from lensdetect.simulation import simulate
from lensdetect.stamps import Shards
from lensdetect.survey import get_survey

ROUNDS = 5
FLAGS = ("star_like", "edge", "masked", "bad_background")
#: Whether all cards on the screen are drawn.
_DRAWN = """
const seen = [...document.querySelectorAll(".card")].filter((card) => card.getBoundingClientRect().top < innerHeight);
return seen.length > 0 && seen.every((card) => card.querySelector("canvas").width > 1);
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="where the report is left; a temporary folder if not given")
    parser.add_argument("--output", type=Path, help="table to write")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        text = measure(args.folder or Path(temporary), args.count)
    print(text)
    if args.output:
        args.output.write_text(text)


def measure(folder: Path, count: int) -> str:
    load = os.getloadavg()[0]
    stamps = Shards(simulate(get_survey("kids"), folder / "stamps", count=count, seed=14))
    report, seconds = write(folder / "found", stamps, count)
    page, parts = report.stat().st_size, sum(path.stat().st_size for path in (report.parent / "report").iterdir())
    lines = [
        "# The report of a search, measured",
        "",
        "`python benchmarks/bench_report.py` says what was measured, and how.",
        f"{os.cpu_count()} cores, load {load:.1f} before.",
        "",
        "| candidates | written in s | page, MB | all, MB | loaded in s | first screen in s | busy in s | heap, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    loaded, drawn, busy, heap = (np.median(values) for values in zip(*opened(report), strict=True))
    sizes = f"{page / 1e6:.1f} | {(page + parts) / 1e6:.1f}"
    lines.append(f"| {count:,} | {seconds:.1f} | {sizes} | {loaded:.2f} | {drawn:.2f} | {busy:.2f} | {heap:.0f} |")
    return "\n".join(lines) + "\n"


def write(folder: Path, stamps: Shards, count: int) -> tuple[Path, float]:
    """Write the report; its path, and how long that took."""
    findings = made_up(folder, count)
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    pictures = Pictures(folder, range(1, count + 1))
    for rank in range(1, count + 1):
        pictures.add(rank, stamps.read(np.array([rank - 1]))[0], axes=(-1.0, 0.0, 0.0, 1.0))
    write_report(findings, pictures, folder / "report.html")
    return folder / "report.html", time.perf_counter() - start


def made_up(folder: Path, count: int) -> Findings:
    """What a search would have found."""
    rng, kids = np.random.default_rng(14), get_survey("kids")
    tiles = [_tile(number) for number in range(20)]
    logit = np.sort(rng.normal(3.0, 1.5, count))[::-1]
    number, place = rng.integers(len(tiles), size=count), rng.uniform(-0.45, 0.45, (count, 2))
    known = rng.random(count) < 0.02
    candidates = pd.DataFrame(
        {
            "rank": np.arange(1, count + 1),
            "row": rng.permutation(10 * count)[:count],
            "id": [f"KiDSDR4 J{one:06d}.{two:03d}" for one, two in rng.integers(999, size=(count, 2))],
            "ra_deg": 180.0 + number + place[:, 0],
            "dec_deg": place[:, 1],
            "tile": [tiles[one].name for one in number],
            "logit": logit,
            "probability": 1 / (1 + np.exp(4.0 - logit)),
            "flags": np.where(rng.random(count) < 0.2, flags.bits(FLAGS[0]), 0) | 0,
            "reason": "",
            "merged": 0,
            "known_lens": np.where(known, "KiDS lens", ""),
            "separation_arcsec": np.where(known, 0.4, np.nan),
            "known_grade": np.where(known, "A", ""),
            "known_list": np.where(known, "a list", ""),
            "near_miss": np.arange(count) >= int(0.95 * count),
            "scene": np.arange(count) // 2 + 1,
        }
    )
    ranked = Ranked(candidates, 100 * count, 100 * count, 99 * count, np.histogram(logit, HISTOGRAM_EDGES)[0])
    table = pd.DataFrame({"tile": [tile.name for tile in tiles], "problem": "", "objects": 1000})
    committee = Committee((Member("made up", Calibration(lens_fraction=0.5)),), None, kids.band_names, 101, 0.2)
    job, index = Job(kids, folder, committee), TileIndex(tiles, kids, [])
    return Findings(job, index, table, ranked, pd.DataFrame(columns=FATE_COLUMNS), {"candidates": count}, [], Cut())


def _tile(number: int) -> Tile:
    ra = 180.0 + number
    corners = tuple((ra + x, y) for x, y in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)))
    return Tile(f"KiDS_DR4.0_{ra:.1f}_0.0", {}, corners_deg=corners)


def opened(report: Path) -> list[tuple[float, float, float, float]]:
    """Of some rounds: seconds until it is loaded, until the first screen is drawn, of its process; MB of its heap."""
    return [_open(report) for _ in range(ROUNDS)]


def _open(report: Path) -> tuple[float, float, float, float]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as profile:
        for flag in ("headless=new", "no-sandbox", "disable-gpu", "window-size=1280,900", f"user-data-dir={profile}"):
            options.add_argument(f"--{flag}")
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
        try:
            browser.execute_cdp_cmd("Performance.enable", {})
            start = time.perf_counter()
            browser.get(report.resolve().as_uri())
            loaded = time.perf_counter() - start
            while not browser.execute_script(_DRAWN):
                time.sleep(0.02)
            drawn = time.perf_counter() - start
            told = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
            metrics = {row["name"]: row["value"] for row in told}
            return loaded, drawn, metrics["ProcessTime"], metrics["JSHeapUsedSize"] / 1e6
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
