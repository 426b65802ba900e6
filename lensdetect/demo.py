"""The main job on simulated images: make some, find the lenses among them, compare with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect import artifact
from lensdetect.errors import InputError
from lensdetect.scoring import Ranking, open_images, rank, summary, write_results
from lensdetect.simulation import simulate
from lensdetect.stamps import Shards
from lensdetect.survey import get_survey

#: Share of lenses: many more than in the sky, few enough to be searched for.
LENS_FRACTION = 0.1
_KEEP = 25


@dataclass(frozen=True)
class Demo:
    """What the demonstration made.

    Parameters
    ----------
    ranking : Ranking
        Of all stamps.
    truth : DataFrame
        One row a stamp.
    written : dict
        What was written: kind to path.
    """

    ranking: Ranking
    truth: pd.DataFrame
    written: dict[str, Path]

    def report(self) -> str:
        """The best with their truth, how many lenses are among the first, and the figures of merit."""
        lenses = set(self.truth["id"][self.truth["is_lens"]])
        among = int(np.sum([name in lenses for name in self.ranking.table["id"].head(len(lenses))]))
        return (
            f"{summary(self.ranking, truth=self.truth)}\n\n"
            f"Of the {len(lenses)} lenses, {among} are among the first {len(lenses)} of "
            f"{len(self.truth)} images."
        )


def run_demo(output: Path | str, *, count: int = 300, seed: int = 2026, workers: int | None = None) -> Demo:
    """Simulate stamps, score them with the detector that comes with the package, compare.

    Parameters
    ----------
    output : path
        Folder for ``stamps/``, ``scores.csv``, ``top.png`` and ``truth.png``. A
        second run uses the stamps that are there.
    count : int
        Number of stamps; about one in ten is a lens.
    seed : int
        Of the simulation; another one than that of the training stamps.
    workers : int, optional
        Processes that simulate; by default one a core.

    Returns
    -------
    Demo

    Raises
    ------
    InputError
        If the folder cannot be written or holds other stamps, or the seed is
        that of the training stamps.
    """
    folder = artifact.find_detector()
    card = artifact.load_card(folder)
    if seed == card.training.get("data_seed"):
        raise InputError(f"the detector was trained on stamps of seed {seed}: give the demonstration another --seed")
    output = Path(output)
    survey = get_survey(card.survey)
    stamps = simulate(
        survey, output / "stamps", count=count, seed=seed, workers=workers, size=card.size, lens_fraction=LENS_FRACTION
    )
    truth = Shards(stamps).truth
    source = open_images(stamps, card)
    ranking = rank(source, artifact.load_detector(folder), prior=LENS_FRACTION, keep=_KEEP)
    written = write_results(
        ranking,
        output=output / "scores.csv",
        figure=output / "top.png",
        truth=truth,
        truth_figure=output / "truth.png",
    )
    return Demo(ranking, truth, {"stamps": stamps, **written})
