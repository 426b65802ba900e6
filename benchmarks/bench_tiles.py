"""Time and memory of one simulated tile as large as KiDS's, on one core.

Run ``python benchmarks/bench_tiles.py [--rows 19500] [--columns 18500] [--density 1.87]``.
The tile is made by a process of its own: processor time, wall time and the peak
of its resident memory are printed. 13 GB are written to ``--folder`` (a
temporary one if not given) and removed afterwards. With fewer rows the printed
time is that of those rows; per megapixel it hardly depends on their number.

The density of 1.87 targets per square arcmin makes 7,500 of them in a whole tile.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def make(folder: Path, *, rows: int, columns: int, density: float) -> dict[str, float]:
    """Make a tile in this process."""
    from lensdetect.simulation.sky import SkyPopulation
    from lensdetect.simulation.tiles import simulate_tiles
    from lensdetect.survey import SURVEYS

    wall, processor = time.perf_counter(), time.process_time()
    simulate_tiles(
        SURVEYS["kids"], folder, tiles=1, density=density, seed=1, tile_shape_pix=(rows, columns), workers=1,
        population=SkyPopulation(), progress=False,
    )  # fmt: skip
    return {
        "wall_s": time.perf_counter() - wall,
        "processor_s": time.process_time() - processor,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=19500)
    parser.add_argument("--columns", type=int, default=18500)
    parser.add_argument("--density", type=float, default=1.87)
    parser.add_argument("--folder", type=Path, help="must not exist; it is removed afterwards")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(make(args.folder, rows=args.rows, columns=args.columns, density=args.density)))
        return
    folder = args.folder or Path(tempfile.mkdtemp()) / "tiles"
    command = [sys.executable, __file__, "--child", "--folder", str(folder), "--rows", str(args.rows)]
    command += ["--columns", str(args.columns), "--density", str(args.density)]
    try:
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        out = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **threads}).stdout
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = json.loads(out)
    megapixels = args.rows * args.columns / 1e6
    print(f"tile of {args.rows} x {args.columns} pixels, 4 bands, {size / 1e9:.1f} GB on disk")
    print(f"processor time {figures['processor_s']:.0f} s, wall {figures['wall_s']:.0f} s")
    print(f"{figures['processor_s'] / megapixels:.2f} s a megapixel of four bands; peak {figures['peak_gb']:.2f} GB")


if __name__ == "__main__":
    main()
