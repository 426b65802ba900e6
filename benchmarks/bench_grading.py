"""Time from a key to the next picture on the grading page, with 5,000 candidates, in a real browser.

python benchmarks/bench_grading.py [--candidates 5000] [--grades 100] [--folder FOLDER]

Candidates are 101 x 101 pixels in four bands, each a file of its own (160 kB), galaxies with the noise of KiDS. A
grade is given by keyboard every second, and then as fast as pictures come. A time begins with the key and ends when
the frame with the next picture is drawn; the grade has been put into the browser's store by then. Needs chromium and
chromedriver on PATH, and the extra test.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from selenium import webdriver

from lensdetect.inspection import read_log
from lensdetect.inspection.preparing import Wishes, prepare
from lensdetect.inspection.serving import build_server, open_socket
from lensdetect.survey import get_survey

SIZE = 101
FLAGS = ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "force-device-scale-factor=1")


def write_search(folder: Path, count: int) -> None:
    """What grading reads of a search."""
    rng, cutouts = np.random.default_rng(1), folder / "cutouts"
    cutouts.mkdir(parents=True)
    ranks = np.arange(1, count + 1)
    logit = np.linspace(5.0, -10.0, count)
    columns = {"rank": ranks, "id": [f"object {rank}" for rank in ranks], "logit": logit}
    pd.DataFrame(columns | {"probability": 1.0 / (1.0 + np.exp(-logit))}).to_parquet(folder / "candidates.parquet")
    said = {"survey": "kids", "bands": list("ugri"), "pixel_scale_arcsec": 0.2}
    (folder / "search.json").write_text(json.dumps(said))
    for rank in ranks:
        fits.PrimaryHDU(galaxy(rng)).writeto(cutouts / f"{rank:05d}_object_{rank}.fits")


def galaxy(rng: np.random.Generator) -> np.ndarray:
    """An elliptical galaxy, ``(band, height, width)``."""
    axis = np.arange(SIZE) - SIZE // 2
    radius = np.hypot(axis / rng.uniform(0.5, 1.0), axis[:, None])
    colours = np.array([2.0, 12.0, 40.0, 60.0])[:, None, None] * rng.uniform(0.5, 3.0)
    noise = np.array([band.noise_sigma for band in get_survey("kids").bands])[:, None, None]
    image = np.exp(-3.0 * np.sqrt(radius / 8.0)) * colours + rng.normal(size=(4, SIZE, SIZE))
    return (image * noise).astype(np.float32)


def serve(folder: Path) -> tuple[str, float]:
    """Start the server; its address and the seconds until it stands."""
    began_s = time.perf_counter()
    desk, _ = prepare(folder, None, Wishes(planted=0.0))
    taken = open_socket("127.0.0.1", 0)
    server = build_server(desk, host="127.0.0.1")
    threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return f"http://127.0.0.1:{taken.getsockname()[1]}", time.perf_counter() - began_s


def open_page(url: str):
    """A browser on the page, signed in."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    browser.set_window_size(1280, 900)
    browser.get(url)
    wait(browser, "!document.getElementById('sign-in').hidden")
    browser.find_element("id", "sign-in-text").send_keys("Ann\n")
    wait(browser, "page.view === 'one' && page.one.isShown")
    return browser


def wait(browser, condition: str) -> None:
    """Wait until something holds on the page."""
    while not browser.execute_script(f"try {{ return {condition}; }} catch {{ return false; }}"):
        time.sleep(0.01)


def grade(browser, count: int, *, pause_s: float) -> np.ndarray:
    """Grade some by keyboard; milliseconds until each next picture."""
    browser.execute_script("performance.clearMeasures()")
    for number in range(count):
        time.sleep(pause_s)
        wait(browser, "page.one.isShown")
        browser.switch_to.active_element.send_keys("0")
        wait(browser, f"performance.getEntriesByName('next picture').length > {number}")
    return np.array(browser.execute_script("return performance.getEntriesByName('next picture').map(e => e.duration)"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=5000)
    parser.add_argument("--grades", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="where the candidates are made, 0.8 GB (default: a temporary one)")
    args = parser.parse_args()
    if args.folder is not None:
        args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name) / "found"
        write_search(folder, args.candidates)
        url, start_s = serve(folder)
        print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, {args.candidates:,} candidates")
        print(f"server stands after {start_s:.1f} s")
        browser = open_page(url)
        try:
            for what, pause_s in (("one a second", 1.0), ("as fast as they come", 0.0)):
                times_ms = grade(browser, args.grades, pause_s=pause_s)
                low, middle, high = np.quantile(times_ms, (0.05, 0.5, 0.95))
                print(f"next picture, {what}: median {middle:.0f} ms (5 to 95 %: {low:.0f} to {high:.0f})")
            wait(browser, "page.queue.waiting().length === 0")
        finally:
            browser.quit()
        print(f"grades sent: {2 * args.grades}, in the log: {len(read_log(folder))}")


if __name__ == "__main__":
    main()
