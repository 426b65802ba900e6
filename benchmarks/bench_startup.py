"""Seconds that `import lensdetect` and `lensdetect --help` take, beside a bare interpreter.

python benchmarks/bench_startup.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import lensdetect": [sys.executable, "-c", "import lensdetect"],
    "lensdetect --help": [sys.executable, "-m", "lensdetect.cli", "--help"],
}


def main(rounds: int = 11) -> None:
    """Time the commands in turn and print the medians."""
    walls_s: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            began_s = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            walls_s[name].append(time.perf_counter() - began_s)
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, medians of {rounds} rounds")
    for name, times_s in walls_s.items():
        print(f"{name}: {np.median(times_s):.3f} s ({min(times_s):.3f} to {max(times_s):.3f})")


if __name__ == "__main__":
    main()
