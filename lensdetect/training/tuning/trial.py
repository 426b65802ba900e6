"""One trial of a search: train as any training, then measure on the held-out stamps."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from lensdetect.data.pipeline import Stamps, evaluation_batches
from lensdetect.errors import InputError
from lensdetect.network import DetectorSpec, MergedSpec, operations, spec_to_dict
from lensdetect.survey import Survey
from lensdetect.training.checkpoint import check_checkpoint, load_weights
from lensdetect.training.fit import resume, train
from lensdetect.training.plan import Plan
from lensdetect.training.record import build_from_record
from lensdetect.training.run import Run
from lensdetect.training.tuning.streaming import StreamingAuroc, StreamingTpr

_BATCH_SIZE = 256


@dataclass(frozen=True, eq=False)
class Bench:
    """What all trials of a search have in common.

    Parameters
    ----------
    stamps : Stamps
        To train and to validate on.
    survey : Survey
        Of the stamps.
    validation : ndarray of int
        Held-out stamps.
    seed : int
        Of weights, split, order and views: trials differ in nothing but what is turned.
    fpr : float
        For the TPR.
    """

    stamps: Stamps
    survey: Survey
    validation: np.ndarray
    seed: int
    fpr: float


def run_trial(folder: Path, spec: DetectorSpec | MergedSpec, *, plan: Plan, bench: Bench) -> dict[str, float]:
    """Train a detector and measure it.

    A trial that was interrupted goes on after its last epoch. Its folder keeps
    plan, history and curves; the weights go with ``forget_weights``, once it is
    known how the trial went.

    Parameters
    ----------
    folder : Path
        Of its run.
    spec : DetectorSpec or MergedSpec
        What to train.
    plan : Plan
        How.
    bench : Bench
        On what.

    Returns
    -------
    dict
        ``val_auroc`` and ``val_tpr`` after the last epoch, ``val_loss``
        (cross-entropy and penalties), ``parameters``, ``operations``
        (multiply-adds for one cutout) and ``train_s``.

    Raises
    ------
    InputError
        If the detector cannot be trained like this, or what came out of it is
        not a number.
    """
    # What an earlier trial has built is of no use, and stays in memory otherwise.
    keras.utils.clear_session()
    run = Run(folder)
    if _is_begun(run, spec, plan):
        resume(folder, bench.stamps, survey=bench.survey)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        train(spec, bench.stamps, folder, survey=bench.survey, plan=plan, seed=bench.seed)
    return _measure(run, bench)


def forget_weights(folder: Path) -> None:
    """Remove the weights of a trial that has ended: they take the most room, and nothing needs them.

    Parameters
    ----------
    folder : Path
        Of its run.
    """
    shutil.rmtree(Run(folder).checkpoint, ignore_errors=True)


def _is_begun(run: Run, spec: DetectorSpec | MergedSpec, plan: Plan) -> bool:
    """Whether a folder holds this very training, in a state that it can go on from."""
    if not run.exists:
        return False
    try:
        record, latest = run.read_plan(), run.read_state()["latest"]
        if latest:
            check_checkpoint(run.checkpoint / latest)
    except (InputError, KeyError):
        return False
    asked = json.loads(json.dumps({"spec": spec_to_dict(spec), "plan": plan.as_dict()}))
    return {name: record.get(name) for name in asked} == asked


def _measure(run: Run, bench: Bench) -> dict[str, float]:
    figures = _evaluate(run, bench)
    if not all(map(math.isfinite, figures.values())):
        raise InputError(f"a trial must end with numbers, got val_loss {figures['val_loss']}: its training diverged")
    return figures


def _evaluate(run: Run, bench: Bench) -> dict[str, float]:
    model = build_from_record(run.read_plan(), size=bench.stamps.shape[0], precision="float32", fresh=True)
    load_weights(run.checkpoint / run.read_state()["latest"], model)
    model.compile(
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[StreamingAuroc(name="auroc"), StreamingTpr(fpr=bench.fpr, name="tpr")],
    )
    held_out = evaluation_batches(bench.stamps, bench.validation, batch_size=_BATCH_SIZE)
    found = model.evaluate(held_out, return_dict=True, verbose=0)
    return {
        **{f"val_{name}": float(found[name]) for name in ("auroc", "tpr", "loss")},
        "parameters": float(model.count_params()),
        "operations": float(operations(model)),
        "train_s": float(run.read_history()["train_s"].sum()),
    }
