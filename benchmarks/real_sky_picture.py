"""Picture of the graded CFHTLS objects by rank, lenses in solid frames.

    python benchmarks/real_sky_picture.py real_sky/scores.csv --system real --output docs/real_lenses.jpg

The scores are those that real_sky.py leaves, out of fold where the system was trained by fold. The pixels are of
CFHTLS, from the Space Warps repository (MIT licence), credited in README.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from real_sets import fit, load_set

from lensdetect.figures import mosaic

_SIDE_PIX, _COLUMNS = 81, 10


def draw(scores: pd.DataFrame, *, system: str, count: int):
    """Mosaic of the best of the objects with truth.

    Parameters
    ----------
    scores : DataFrame
        As real_sky.py writes it.
    system : str
    count : int

    Returns
    -------
    Figure
    """
    graded = load_set("cfhtls_graded")
    chosen = scores[(scores["set"] == graded.name) & (scores["bands"] == "gri") & (scores["system"] == system)]
    best = chosen[chosen["is_lens"].notna()].nlargest(count, "score")
    places = pd.Index(graded.table["id"]).get_indexer(best["id"])
    return mosaic(
        fit(graded.pixels[places], _SIDE_PIX),
        [f"{rank}" for rank in range(1, len(best) + 1)],
        bands=graded.bands,
        is_lens=np.asarray(best["is_lens"].astype(bool)),
        pixel_scale_arcsec=graded.pixel_scale_arcsec,
        columns=_COLUMNS,
    )


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--system", required=True)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    figure = draw(pd.read_csv(args.scores), system=args.system, count=args.count)
    figure.savefig(args.output, dpi=80, bbox_inches="tight")
    plt.close(figure)


if __name__ == "__main__":
    main()
