"""One network of a challenge: trained as ``lensdetect train`` does, and scored."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path

import keras
import numpy as np

from lensdetect.challenge.costs import Costs
from lensdetect.challenge.plan import ChallengePlan, shortened
from lensdetect.challenge.stamp_sets import Selection, Split
from lensdetect.data.pipeline import evaluation_batches, steps_per_epoch
from lensdetect.network import build_detector
from lensdetect.network.operations import operations
from lensdetect.training import Plan, Run, plan_from_dict, resume, train
from lensdetect.training.checkpoint import load_weights
from lensdetect.training.record import build_from_record, split_rows

logger = logging.getLogger(__name__)

_SCORING_BATCH = 256
#: Steps that are timed, after those in which the graph is built.
_TIMED_STEPS, _FIRST_STEPS = 5, 2


def run_network(name: str, split: Split, folder: Path, *, plan: ChallengePlan, seed: int) -> dict[str, np.ndarray]:
    """Train a network, or go on, and score.

    Parameters
    ----------
    name : str
        A key of ``DETECTORS``.
    split : Split
        Of the stamps.
    folder : Path
        For the run; what is there is gone on with.
    plan : ChallengePlan
        How long.
    seed : int
        Of the training.

    Returns
    -------
    dict
        ``test`` and ``validation`` (scores), ``is_lens`` (of the validation), ``costs``.
    """
    run = _trained(name, split.training, folder / "run", plan=plan, seed=seed)
    record, state = run.read_plan(), run.read_state()
    recipe = plan_from_dict(record["plan"])
    model = build_from_record(record, size=split.training.shape[0], precision="float32", fresh=True)
    load_weights(run.checkpoint / state["best" if recipe.patience is not None else "latest"], model)
    training, validation = split_rows(split.training, recipe, seed=seed)
    began = time.perf_counter()
    test = _score(model, split.test, np.arange(len(split.test)))
    scoring_s = time.perf_counter() - began
    history = run.read_history()
    seen = len(history) * steps_per_epoch(len(training), recipe.batch_size) * recipe.batch_size
    training_s = float(history["train_s"].sum())
    costs = Costs(
        parameters=model.count_params(),
        operations=operations(model),
        epochs=len(history),
        training_s=training_s,
        training_stamps_per_s=seen / training_s,
        scoring_stamps_per_s=len(test) / scoring_s,
    )
    is_lens = split.training.truth["is_lens"].to_numpy(bool)[validation]
    return {
        "test": test,
        "validation": _score(model, split.training, validation),
        "is_lens": is_lens,
        "costs": costs,
    }


def _trained(name: str, stamps: Selection, folder: Path, *, plan: ChallengePlan, seed: int) -> Run:
    run = Run(folder)
    if run.exists:
        logger.info("going on after epoch %d", run.read_state()["epoch"])
        return resume(folder, stamps, survey=stamps.survey)
    # A process that died while it made the folder left nothing worth keeping.
    shutil.rmtree(folder, ignore_errors=True)
    recipe = _recipe(name, stamps, plan=plan, seed=seed)
    logger.info("training %s for %d epochs", name, recipe.epochs)
    return train(name, stamps, folder, survey=stamps.survey, plan=recipe, seed=seed)


def _recipe(name: str, stamps: Selection, *, plan: ChallengePlan, seed: int) -> Plan:
    """The plan of a network at the length that the challenge allows."""
    recipe = plan.training_plan(name, bands=stamps.survey.band_names)
    if plan.epochs is not None:
        return shortened(recipe, plan.epochs)
    if plan.minutes is None:
        return recipe
    fitting = int(60 * plan.minutes / epoch_seconds(name, stamps, plan=recipe, seed=seed))
    return shortened(recipe, min(max(fitting, 1), recipe.epochs))


def epoch_seconds(name: str, stamps: Selection, *, plan: Plan, seed: int) -> float:
    """How long an epoch with its validation takes on this machine, from a few steps.

    Parameters
    ----------
    name : str
        A key of ``DETECTORS``.
    stamps : Selection
        To train on.
    plan : Plan
        Its batches and validation.
    seed : int
        Of the split.

    Returns
    -------
    float
    """
    training, validation = split_rows(stamps, plan, seed=seed)
    steps = steps_per_epoch(len(training), plan.batch_size)
    model = build_detector(name, stamps.survey.bands, size=stamps.shape[0])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.AdamW(1e-6), loss=loss)
    rows = training[: plan.batch_size]
    pixels, is_lens = stamps.read(rows), stamps.truth["is_lens"].to_numpy(np.float32)[rows][:, None]
    seconds = {"step": _timed(lambda: model.train_on_batch(pixels, is_lens))}
    seconds["score"] = _timed(lambda: model.predict_on_batch(pixels))
    keras.utils.clear_session()
    return seconds["step"] * steps + seconds["score"] * len(validation) / plan.batch_size


def _timed(work) -> float:
    for _ in range(_FIRST_STEPS):
        work()
    seconds = []
    for _ in range(_TIMED_STEPS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    # The least of them: all else that the machine does only ever adds.
    return min(seconds)


def _score(model: keras.Model, stamps: Selection, rows: np.ndarray) -> np.ndarray:
    batches = evaluation_batches(stamps, rows, batch_size=_SCORING_BATCH)
    return model.predict(batches, verbose=0)[:, 0].astype(np.float32)
