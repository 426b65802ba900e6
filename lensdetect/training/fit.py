"""Train a detector on stamps, with everything on disk that a resume needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lensdetect.artifact import build_detector, find_detector
from lensdetect.data.device import training_precision
from lensdetect.data.pipeline import Stamps, evaluation_batches, steps_per_epoch, training_batches
from lensdetect.errors import InputError
from lensdetect.figures import learning_curves, save_figure
from lensdetect.network import DetectorSpec, get_spec, spec_from_dict, spec_to_dict
from lensdetect.survey import Band, Survey
from lensdetect.training.callbacks import EpochSeeds, Progress, ValidateAndSave
from lensdetect.training.plan import Plan, TrainingStage, plan_from_dict
from lensdetect.training.run import Run


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
) -> Run:
    """Train a detector.

    Parameters
    ----------
    detector : str or DetectorSpec
        A named detector, or a spec of your own.
    stamps : Stamps
        Shards, or cutouts with truth.
    output : path
        A new folder.
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

    Returns
    -------
    Run
        Trained to the end of its plan; ``export`` makes the artifact.

    Raises
    ------
    InputError
        If the folder is taken, or stamps and plan do not go together.
    """
    run = Run(output)
    spec = get_spec(detector)
    record = {
        "detector": detector if isinstance(detector, str) else "custom_detector",
        "spec": spec_to_dict(spec),
        "survey": survey.name,
        "bands": [dataclasses.asdict(band) for band in survey.bands],
        "seed": seed,
        "plan": plan.as_dict(),
        "weights": None if weights is None else str(find_detector(weights)),
        "parts": parts if isinstance(parts, str) else list(parts),
        "data": {"sha256": stamps.sha256(), "stamps": len(stamps.truth), "manifest": stamps.manifest},
        "precision": training_precision(),
    }
    split_rows(stamps, plan, seed=seed)
    run.create(record)
    return _fit(run, record, stamps, survey=survey)


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
        If there is no run, or it was trained on other stamps.
    """
    run = Run(output)
    if not run.exists:
        raise InputError(f"a training to resume must have a plan.json, got none in {output}: leave --resume out")
    record = run.read_plan()
    if record["data"]["sha256"] != stamps.sha256():
        raise InputError(
            f"a training must go on with the stamps it began with ({record['data']['stamps']} of sha256 "
            f"{record['data']['sha256'][:12]}), got {len(stamps.truth)} others: give the same --data"
        )
    return _fit(run, record, stamps, survey=survey)


def split_rows(stamps: Stamps, plan: Plan, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows to validate on.

    Parameters
    ----------
    stamps : Stamps
        All of them.
    plan : Plan
        Its ``validation_fraction``.
    seed : int
        Of the split.

    Returns
    -------
    training, validation : ndarray of int
        Together all rows, each once.

    Raises
    ------
    InputError
        If one side would be without lenses or without others.
    """
    is_lens = stamps.truth["is_lens"].to_numpy(bool)
    order = np.random.default_rng([seed, 0]).permutation(len(is_lens))
    num_validation = round(plan.validation_fraction * len(is_lens))
    training, validation = np.sort(order[num_validation:]), np.sort(order[:num_validation])
    for name, rows in (("training", training), ("validation", validation)):
        if len(rows) == 0 or is_lens[rows].all() or not is_lens[rows].any():
            raise InputError(
                f"{name} needs lenses and others, got {int(is_lens[rows].sum())} lenses among {len(rows)} stamps: "
                "give more stamps"
            )
    return training, validation


def _fit(run: Run, record: dict[str, Any], stamps: Stamps, *, survey: Survey) -> Run:
    plan = plan_from_dict(record["plan"])
    training, validation = split_rows(stamps, plan, seed=record["seed"])
    steps = steps_per_epoch(len(training), plan.batch_size)
    is_lens = stamps.truth["is_lens"].to_numpy(bool)[validation]
    held_out = evaluation_batches(stamps, validation, batch_size=256)
    callbacks = [
        EpochSeeds(record["seed"]),
        Progress(plan.epochs, steps),
        ValidateAndSave(run, held_out, is_lens, patience=plan.patience),
    ]
    model = build_from_record(record, size=stamps.shape[0])
    state = run.read_state()
    if state["latest"]:
        model.load_weights(run.checkpoint / state["latest"])
    stop = 0
    for stage in plan.stages:
        start, stop = stop, stop + stage.epochs
        first = max(start, state["epoch"])
        if first >= stop or run.has_stopped(plan.patience):
            continue
        _compile(model, stage, steps=steps, precision=record["precision"])
        if first > start:
            # Once more, now that there is an optimizer to take its part.
            model.optimizer.build(model.trainable_variables)
            model.load_weights(run.checkpoint / state["latest"])
        batches = training_batches(
            *(stamps, training),
            bands=survey.band_names,
            batch_size=plan.batch_size,
            seed=record["seed"],
            augmentation=plan.augmentation,
            first_epoch=first,
        )
        model.fit(
            batches,
            initial_epoch=first,
            epochs=stop,
            steps_per_epoch=steps,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    save_figure(learning_curves(run.read_history()), run.folder / "curves.png")
    return run


def build_from_record(record: dict[str, Any], *, size: int) -> keras.Model:
    """Detector as the training of a run begins with it.

    Parameters
    ----------
    record : dict
        Contents of ``plan.json``.
    size : int
        Height and width of the stamps, in pixels.

    Returns
    -------
    keras.Model
    """
    keras.utils.set_random_seed(record["seed"])
    keras.config.set_dtype_policy(record["precision"])
    try:
        spec = spec_from_dict(record["spec"])
        parts = record["parts"] if isinstance(record["parts"], str) else tuple(record["parts"])
        return build_detector(spec, record_bands(record), size=size, weights=record["weights"], parts=parts)
    finally:
        keras.config.set_dtype_policy("float32")


def record_bands(record: dict[str, Any]) -> tuple[Band, ...]:
    """Bands of a run."""
    return tuple(Band(**row) for row in record["bands"])


def _compile(model: keras.Model, stage: TrainingStage, *, steps: int, precision: str) -> None:
    model.compile(
        optimizer=keras.optimizers.AdamW(
            stage.schedule.build(steps_per_epoch=steps, epochs=stage.epochs), weight_decay=stage.weight_decay
        ),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy"),
            keras.metrics.AUC(from_logits=True, name="auroc"),
        ],
        # On a CPU XLA's convolutions take more than twice as long as oneDNN's.
        jit_compile=False if precision == "float32" else "auto",
    )
