"""One system of hand-made features in a challenge: fitted and scored."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lensdetect.challenge.costs import Costs
from lensdetect.challenge.plan import ChallengePlan
from lensdetect.challenge.stamp_sets import Selection, Split
from lensdetect.classical import build_classical, load_classical
from lensdetect.runs import write_json
from lensdetect.training.record import split_rows

logger = logging.getLogger(__name__)

_BATCH = 256


def run_classical(name: str, split: Split, folder: Path, *, plan: ChallengePlan, seed: int) -> dict[str, np.ndarray]:
    """Fit a classical system, unless it is there already, and score.

    Parameters
    ----------
    name : str
        A key of ``CLASSICAL``.
    split : Split
        Of the stamps.
    folder : Path
        For the fitted system.
    plan : ChallengePlan
        Its held-out stamps; the length of training is not asked for.
    seed : int
        Of split and fit.

    Returns
    -------
    dict
        As ``run_network``.
    """
    stamps = split.training
    training, validation = split_rows(stamps, plan.splitting_plan(), seed=seed)
    is_lens = stamps.truth["is_lens"].to_numpy(bool)
    clock = folder / "training_s.json"
    # Written after the fitted system: where it is, both are.
    if not clock.is_file():
        logger.info("fitting %s to %d stamps", name, len(training))
        began = time.perf_counter()
        fitted = build_classical(name, stamps.survey.band_names)
        fitted.fit(_batches(stamps, training), is_lens[training], seed=seed).save(folder)
        write_json(clock, time.perf_counter() - began)
    detector, training_s = load_classical(folder), json.loads(clock.read_text())
    began = time.perf_counter()
    test = detector.score(_batches(split.test, np.arange(len(split.test))))
    scoring_s = time.perf_counter() - began
    costs = Costs(
        parameters=detector.num_parameters,
        training_s=training_s,
        training_stamps_per_s=len(training) / training_s,
        scoring_stamps_per_s=len(test) / scoring_s,
    )
    return {
        "test": test,
        "validation": detector.score(_batches(stamps, validation)),
        "is_lens": is_lens[validation],
        "costs": costs,
    }


def _batches(stamps: Selection, rows: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(rows), _BATCH):
        yield stamps.read(rows[start : start + _BATCH])
