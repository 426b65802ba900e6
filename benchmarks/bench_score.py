"""`lensdetect score` from disk against the bare network on the same stamps in memory, eight views against one, memory.

    python benchmarks/bench_score.py --stamps 10000

Stamps are simulated once, in the challenge's own file layout. The command runs
in a process of its own; its start (Python, TensorFlow, loading the detector) is
measured with a folder of 64 stamps and taken off. Peak memory is that of the
whole process, for --small and --large stamps.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import psutil

from lensdetect import load_detector
from lensdetect.data import open_cutouts
from lensdetect.simulation import simulate
from lensdetect.survey import SURVEYS


def link_stamps(source: Path, target: Path, count: int) -> Path:
    """A folder with the first stamps of another, repeated if it has fewer, as hard links."""
    for band, letter in enumerate("RIGU", start=1):
        files = sorted((source / "Public" / f"Band{band}").glob("*.fits"))
        folder = target / "Public" / f"Band{band}"
        folder.mkdir(parents=True)
        for number in range(count):
            os.link(files[number % len(files)], folder / f"imageSDSS_{letter}-{500000 + number}.fits")
    return target


def run_score(folder: Path) -> tuple[float, float]:
    """Wall time in seconds and peak resident memory in GB of the command."""
    with tempfile.TemporaryDirectory() as output:
        began_s = time.perf_counter()
        command = [sys.executable, "-m", "lensdetect.cli", "score", str(folder), "--output", f"{output}/scores.csv"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        peak = [0]
        watcher = threading.Thread(target=watch, args=(process.pid, peak))
        watcher.start()
        _, message = process.communicate()
        wall_s = time.perf_counter() - began_s
        watcher.join()
    if process.returncode not in (0, 1):
        raise SystemExit(message.decode())
    return wall_s, peak[0] / 1e9


def watch(pid: int, peak: list[int]) -> None:
    """Follow the resident memory of a process until it ends."""
    try:
        process = psutil.Process(pid)
        while True:
            peak[0] = max(peak[0], process.memory_info().rss)
            time.sleep(0.02)
    except psutil.Error:
        return


def bare_rate(folder: Path, count: int, *, views: int = 1) -> float:
    """Images per second of the detector's graph on one batch in memory, again and again."""
    scorer = load_detector()
    cutouts = next(open_cutouts(folder, survey=SURVEYS["bologna"]).batches(1024)).pixels
    scorer(cutouts, views=views)
    began_s = time.perf_counter()
    rounds = max(1, count // len(cutouts))
    for _ in range(rounds):
        scorer(cutouts, views=views)
    return rounds * len(cutouts) / (time.perf_counter() - began_s)


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stamps", type=int, default=10_000)
    parser.add_argument("--small", type=int, default=2_000)
    parser.add_argument("--large", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        source = simulate(SURVEYS["bologna"], work / "stamps", count=2_000, seed=3, layout="challenge", progress=False)
        folders = {n: link_stamps(source, work / str(n), n) for n in {64, args.stamps, args.small, args.large}}
        run_score(folders[64])
        ratios, rates, bares, costs, memory = [], [], [], [], {}
        for _ in range(args.rounds):
            start_s, _ = run_score(folders[64])
            wall_s, _ = run_score(folders[args.stamps])
            rates.append((args.stamps - 64) / (wall_s - start_s))
            bares.append(bare_rate(source, args.stamps))
            ratios.append(rates[-1] / bares[-1])
            costs.append(bares[-1] / bare_rate(source, args.stamps // 8, views=8))
        for count in (args.small, args.large):
            memory[count] = run_score(folders[count])[1]
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, medians of {args.rounds} rounds")
    print(
        f"lensdetect score: {np.median(rates):.0f} stamps/s from disk; bare detector in memory: "
        f"{np.median(bares):.0f} stamps/s; ratio {np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )
    print(f"eight views in memory: {np.median(costs):.2f} times the time ({min(costs):.2f} to {max(costs):.2f})")
    print("peak memory: " + ", ".join(f"{gb:.2f} GB for {count} stamps" for count, gb in memory.items()))


if __name__ == "__main__":
    main()
