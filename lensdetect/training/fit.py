"""Train a detector on stamps, with everything on disk that a resume needs."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lensdetect.data.device import is_out_of_memory
from lensdetect.data.pipeline import Stamps, evaluation_batches, shown_in_epoch, steps_per_epoch, training_batches
from lensdetect.data.resident import near_device
from lensdetect.errors import InputError
from lensdetect.figures import learning_curves, save_figure
from lensdetect.network import DetectorSpec
from lensdetect.survey import Survey
from lensdetect.training.callbacks import EpochSeeds, Progress, ValidateAndSave
from lensdetect.training.checkpoint import load_optimizer, load_weights
from lensdetect.training.optimizer import optimizer_of
from lensdetect.training.plan import Plan, TrainingStage, plan_from_dict
from lensdetect.training.record import build_from_record, check_goes_on, new_record, split_rows
from lensdetect.training.run import Run

logger = logging.getLogger(__name__)

#: Held-out stamps that are scored at once, at most.
_MOST_SCORED = 256
#: Lenses, and others, below which a validation can tell little.
_FEW = 20


def train(
    detector: str | DetectorSpec,
    stamps: Stamps,
    output: Path | str,
    *,
    survey: Survey,
    plan: Plan,
    seed: int,
    weights: str | Path | None = None,
    parts: str | Sequence[str] = "all",
    beside: Collection[str] = (),
) -> Run:
    """Train a detector.

    Parameters
    ----------
    detector : str or DetectorSpec
        A named detector, or a spec of your own.
    stamps : Stamps
        Shards, or cutouts with truth.
    output : path
        A new folder; it is made once everything is known to go together.
    survey : Survey
        Bands and pixel scale of the stamps.
    plan : Plan
        How.
    seed : int
        Of weights, order, augmentation and dropout.
    weights : str or path, optional
        A trained detector to start from.
    parts : str or sequence of str
        Which parts to take from it: "all", or some of "stem", "encoder", "head".
    beside : collection of str
        Names of files that may be in the folder already.

    Returns
    -------
    Run
        Trained to the end of its plan; ``export`` makes the artifact.

    Raises
    ------
    InputError
        If the folder is taken, stamps and plan do not go together, or the device
        has no memory for a batch of one stamp.
    ArtifactError
        If the trained detector does not fit.
    """
    run = Run(output, beside=beside)
    run.check_free()
    record = new_record(detector, stamps, survey=survey, plan=plan, seed=seed, weights=weights, parts=parts)
    training, validation = split_rows(stamps, plan, seed=seed)
    _tell_if_few(stamps.truth["is_lens"].to_numpy(bool)[validation])
    steps_per_epoch(shown_in_epoch(stamps, training), plan.batch_size)
    model = build_from_record(record, size=stamps.shape[0])
    with run.held(record):
        return _fit(run, record, stamps, model=model)


def _tell_if_few(is_lens: np.ndarray) -> None:
    """Say it where a validation can tell little."""
    lenses, others = int(is_lens.sum()), int((~is_lens).sum())
    if min(lenses, others) < _FEW:
        logger.warning(
            "this training is validated with %d lenses and %d others, too few to choose an epoch by or to calibrate "
            "on: give more stamps, or a set to validate with (lensdetect train --validation DIR)",
            *(lenses, others),
        )


def resume(output: Path | str, stamps: Stamps, *, survey: Survey) -> Run:
    """Go on with a training that was interrupted.

    Parameters
    ----------
    output : path
        Folder of the run.
    stamps : Stamps
        The same stamps.
    survey : Survey
        Of the stamps.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If there is no run, it was trained on other stamps, or the device has no
        memory for a batch of one stamp.
    """
    run = Run(output)
    record = run.read_plan()
    check_goes_on(record, stamps, survey=survey)
    with run.held(record):
        return _fit(run, record, stamps, model=_as_left(run, record, size=stamps.shape[0]))


def _as_left(run: Run, record: dict[str, Any], *, size: int) -> keras.Model:
    """Detector as the last finished epoch of a run left it."""
    latest = run.read_state()["latest"]
    model = build_from_record(record, size=size, fresh=latest is not None)
    if latest:
        load_weights(run.checkpoint / latest, model)
    return model


def _fit(run: Run, record: dict[str, Any], stamps: Stamps, *, model: keras.Model) -> Run:
    """Train, with half the stamps in a batch as often as the device has no memory for a whole one."""
    near = near_device(stamps)
    while True:
        try:
            _fit_stages(run, record, near, model=model)
            break
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        # Behind the handler: the error holds on to what fills the memory.
        model = None
        record = _with_half_batches(run, record)
        model = _as_left(run, record, size=stamps.shape[0])
    save_figure(learning_curves(run.read_history()), run.folder / "curves.png")
    return run


def _with_half_batches(run: Run, record: dict[str, Any]) -> dict[str, Any]:
    batch_size = record["plan"]["batch_size"]
    if batch_size == 1:
        raise InputError(
            "the device must have memory for a batch of one stamp, it has too little: "
            "train a smaller detector, or end what else uses the device"
        )
    half = batch_size // 2
    logger.warning(
        "the device has no memory for batches of %d stamps: going on in batches of %d, "
        "with as many stamps an epoch and the same learning rate",
        *(batch_size, half),
    )
    record = record | {"plan": record["plan"] | {"batch_size": half}}
    run.change_plan(record)
    return record


def _fit_stages(run: Run, record: dict[str, Any], stamps: Stamps, *, model: keras.Model) -> None:
    plan = plan_from_dict(record["plan"])
    training, validation = split_rows(stamps, plan, seed=record["seed"])
    steps = steps_per_epoch(shown_in_epoch(stamps, training), plan.batch_size)
    is_lens = stamps.truth["is_lens"].to_numpy(bool)[validation]
    held_out = evaluation_batches(stamps, validation, batch_size=min(_MOST_SCORED, 4 * plan.batch_size))
    validate = ValidateAndSave(run, held_out, is_lens, patience=plan.patience)
    state = run.read_state()
    stop = 0
    for stage in plan.stages:
        start, stop = stop, stop + stage.epochs
        first = max(start, state["epoch"])
        if first >= stop or run.has_stopped(plan.patience):
            continue
        _compile(model, stage, steps=steps)
        if first > start:
            load_optimizer(run.checkpoint / state["latest"], model)
            _set_step(model.optimizer, (first - start) * steps)
        model.fit(
            _batches(record, stamps, training, first_epoch=first),
            initial_epoch=first,
            epochs=stop,
            steps_per_epoch=steps,
            callbacks=[EpochSeeds(record["seed"]), Progress(plan.epochs, steps), validate],
            shuffle=False,
            verbose=0,
        )


def _set_step(optimizer: keras.optimizers.Optimizer, step: int) -> None:
    # An epoch has had fewer steps before its batches were halved. Where steps
    # may be skipped (float16), the optimizer alone knows how many it has taken.
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer.iterations.assign(step)


def _batches(record: dict[str, Any], stamps: Stamps, rows: np.ndarray, *, first_epoch: int):
    plan = plan_from_dict(record["plan"])
    return training_batches(
        *(stamps, rows),
        bands=tuple(band["name"] for band in record["bands"]),
        batch_size=plan.batch_size,
        seed=record["seed"],
        augmentation=plan.augmentation,
        first_epoch=first_epoch,
    )


class _OfWholeLabels:
    """Metrics are of lens or none, where a label that is learned may lie between."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(keras.ops.cast(y_true >= 0.5, "float32"), y_pred, sample_weight)


class _Accuracy(_OfWholeLabels, keras.metrics.BinaryAccuracy):
    """Share of stamps on the right side."""


class _Auroc(_OfWholeLabels, keras.metrics.AUC):
    """Area under the ROC."""


def _compile(model: keras.Model, stage: TrainingStage, *, steps: int) -> None:
    model.compile(
        optimizer=optimizer_of(stage, steps_per_epoch=steps),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[_Accuracy(threshold=0.0, name="accuracy"), _Auroc(from_logits=True, name="auroc")],
    )
    # Built in fit, the variables would have another path under float16.
    model.optimizer.build(model.trainable_variables)
