"""A finished run to an artifact: calibrated, measured, with its card."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lensdetect.artifact import Calibration, Card, load_card
from lensdetect.data.joined import seeds_of
from lensdetect.data.pipeline import Stamps, evaluation_batches
from lensdetect.errors import InputError
from lensdetect.images.properties import ImageProperties
from lensdetect.metrics import fit_calibration, lens_metrics
from lensdetect.stamps import undetected
from lensdetect.survey import Survey
from lensdetect.training.checkpoint import load_weights
from lensdetect.training.plan import Plan, plan_from_dict
from lensdetect.training.record import build_from_record, check_stamps, check_survey, record_bands, split_rows
from lensdetect.training.run import Run, checkpoint_name

logger = logging.getLogger(__name__)

#: Figures of merit that go on a card, with their intervals.
_FIGURES = ("auroc", "tpr0", "tpr10", "accuracy")
_LICENCE = "BSD-3-Clause"
#: What a manifest may tell of its stamps that the card shall tell too: seeds, where they are of several simulations;
#: which real objects are among them, as they are never to be measured on; through which rounds of grading they went.
_TOLD = ("seeds", "real_sky", "rounds")


def export(
    run: Run,
    stamps: Stamps | None = None,
    *,
    survey: Survey | None = None,
    test: Stamps | None = None,
    unfinished: bool = False,
) -> Path:
    """Make the artifact of a run, from a training under any backend of Keras.

    A training that ended where there is no TensorFlow has been calibrated and
    measured there by ``make_card``: it needs no stamps here.

    Parameters
    ----------
    run : Run
        Trained.
    stamps : Stamps, optional
        What it was trained on, to calibrate and to measure.
    survey : Survey, optional
        Of the stamps.
    test : Stamps, optional
        As ``make_card`` takes it.
    unfinished : bool
        Whether to take the best epoch so far of a training that has not ended.

    Returns
    -------
    Path
        The artifact, ``model/1`` in the run.

    Raises
    ------
    InputError
        As ``make_card``; if the artifact is there already, Keras does not run on
        TensorFlow, or there are neither stamps nor a card.
    """
    record = run.read_plan()
    if run.model_folder.exists():
        raise InputError(f"{run.model_folder} is there already: move it away to export again")
    kept = _kept(run, record, unfinished=unfinished)
    if stamps is not None:
        make_card(run, stamps, survey=survey, test=test, unfinished=unfinished)
    card = _card_of(run, kept)
    from lensdetect.artifact import save_detector

    with run.held(record):
        return save_detector(_detector(run, record, kept, size=card.size), run.model_folder, card=card)


def make_card(
    run: Run, stamps: Stamps, *, survey: Survey, test: Stamps | None = None, unfinished: bool = False
) -> Card:
    """Calibrate and measure a run, and leave the card in it for ``export``.

    The probability is calibrated on the run's validation stamps, for each set of
    bands that the detector was trained with, and their share of lenses is its prior. Figures on the
    card come from ``test`` where given, else from the validation stamps, and
    the card says which.

    Parameters
    ----------
    run : Run
        Trained.
    stamps : Stamps
        What it was trained on.
    survey : Survey
        Of the stamps.
    test : Stamps, optional
        Stamps that the training has not seen, of the same survey.
    unfinished : bool
        Whether to take the best epoch so far of a training that has not ended.

    Returns
    -------
    Card

    Raises
    ------
    InputError
        If the training has not ended, ``stamps`` are not those of the training,
        or the test stamps are not others.
    """
    record = run.read_plan()
    kept = _kept(run, record, unfinished=unfinished)
    check_survey(stamps, survey)
    check_stamps(record, stamps)
    if test is not None:
        check_survey(test, survey)
    card = _measured_card(run, stamps, kept=kept, survey=survey, test=test)
    with run.held(record):
        run.save_card(card.to_json())
    return card


def _measured_card(run: Run, stamps: Stamps, *, kept: int, survey: Survey, test: Stamps | None) -> Card:
    record = run.read_plan()
    measured_on = _measured_on(record, test)
    plan = plan_from_dict(record["plan"])
    model = _detector(run, record, kept, size=stamps.shape[0])
    _, validation = split_rows(stamps, plan, seed=record["seed"])
    measured, rows = (stamps, validation) if test is None else (test, np.flatnonzero(~undetected(test.truth)))
    return Card(
        name=record["detector"],
        survey=survey.name,
        spec=record["spec"],
        bands=record_bands(record),
        pixel_scale_arcsec=survey.pixel_scale_arcsec,
        size=stamps.shape[0],
        flux_unit=ImageProperties.of(survey).unit,
        training=_training(record, run.read_state(), kept=kept, measured_on=measured_on),
        metrics=measure(model, measured, rows, bands=survey.band_names, band_sets=_band_sets(plan, survey)),
        licence=_LICENCE,
        calibration=calibrations(
            model, stamps, validation, band_sets=_band_sets(plan, survey), bands=survey.band_names
        ),
    )


def _kept(run: Run, record: dict, *, unfinished: bool) -> int:
    """The epoch that is exported."""
    state, plan = run.read_state(), plan_from_dict(record["plan"])
    if state["epoch"] == 0:
        raise InputError(f"{run.folder} has no finished epoch to export: train it first")
    ended = state["epoch"] >= plan.epochs or run.has_stopped(plan.patience)
    if not ended and not unfinished:
        raise InputError(
            f"a training must have ended to be exported, {run.folder} has done {state['epoch']} of {plan.epochs} "
            "epochs: go on with lensdetect train --resume, or export the best epoch so far with --unfinished"
        )
    return state["best_epoch"] if plan.patience is not None or not ended else state["epoch"]


def _detector(run: Run, record: dict, kept: int, *, size: int) -> keras.Model:
    """The float32 detector, as it is saved: what is measured is what is shipped."""
    model = build_from_record(record, size=size, precision="float32", fresh=True)
    load_weights(run.checkpoint / checkpoint_name(kept), model)
    if share := plan_from_dict(record["plan"]).start_share:
        _average(model, build_from_record(record, size=size, precision="float32"), share=share)
    return model


def _average(model: keras.Model, start: keras.Model, *, share: float) -> None:
    """Move the weights of a detector towards those that it was trained from."""
    for variable, before in zip(model.weights, start.weights, strict=True):
        if "seed_generator" not in variable.path:
            variable.assign((1.0 - share) * variable + share * before)


def _card_of(run: Run, kept: int) -> Card:
    """The card that the training left, if it is that of the epoch which is exported."""
    card = load_card(run.measured) if run.measured.is_dir() else None
    if card is None or card.training["kept_epoch"] != kept:
        raise InputError(
            f"{run.folder} was not calibrated and measured at its epoch {kept}: give its stamps, with --data DIR"
        )
    return card


def _measured_on(record: dict, test: Stamps | None) -> dict[str, Any]:
    """Which stamps are measured on; refuses test stamps that are, or may be, among those of the training."""
    data = record["data"]
    trained_on = {"sha256": data["sha256"], "seed": data["manifest"].get("seed")}
    if test is None:
        return {"set": "validation", **trained_on}
    found = {"sha256": test.sha256(), "seed": test.manifest.get("seed")}
    # Stamp i of a simulation depends on the seed and i alone, so a longer or
    # shorter one of the same seed holds the same stamps.
    if found["sha256"] == trained_on["sha256"] or found["seed"] in seeds_of(data["manifest"]):
        raise InputError("the test stamps must be others than the training stamps: simulate them with another seed")
    return {"set": "test", **found}


def measure(
    model: keras.Model,
    stamps: Stamps,
    rows: np.ndarray,
    *,
    bands: tuple[str, ...],
    band_sets: Iterable[tuple[str, ...]],
) -> dict[str, dict[str, Any]]:
    """Figures of merit of a detector, once for each set of bands.

    Parameters
    ----------
    model : keras.Model
        Raw flux to logit.
    stamps : Stamps
        With truth.
    rows : ndarray of int
        Stamps to measure on.
    bands : tuple of str
        Of the stamps, in order.
    band_sets : iterable of tuple of str
        Bands that are kept, each time; the others are NaN.

    Returns
    -------
    dict of dict
        By the names of the bands run together ("ugri"): the figures, each with
        its interval, and numbers of stamps and lenses.
    """
    is_lens = stamps.truth["is_lens"].to_numpy(bool)[rows]
    found = {}
    for kept in band_sets:
        absent = np.asarray([name not in kept for name in bands])
        batches = evaluation_batches(stamps, rows, batch_size=256, absent=absent)
        metrics = lens_metrics(is_lens, model.predict(batches, verbose=0)[:, 0].astype(np.float64)).as_dict()
        figures = {name: metrics[name] for name in (*_FIGURES, *(f"{name}_interval" for name in _FIGURES))}
        found["".join(kept)] = figures | {"stamps": len(rows), "lenses": int(is_lens.sum())}
        logger.info("%s: AUROC %.4f, TPR0 %.3f, TPR10 %.3f", "".join(kept), *(metrics[n] for n in _FIGURES[:3]))
    return found


def calibrations(
    model: keras.Model,
    stamps: Stamps,
    rows: np.ndarray,
    *,
    bands: tuple[str, ...],
    band_sets: Iterable[tuple[str, ...]],
) -> tuple[Calibration, ...]:
    """Calibration of a detector for each set of bands.

    Parameters
    ----------
    model, stamps, rows, bands, band_sets
        As ``measure`` takes them; all bands first.

    Returns
    -------
    tuple of Calibration
        Empty, with a warning, for a detector that has learned nothing.
    """
    is_lens = stamps.truth["is_lens"].to_numpy(bool)[rows]
    found = []
    for kept in band_sets:
        absent = np.asarray([name not in kept for name in bands])
        logit = model.predict(evaluation_batches(stamps, rows, batch_size=256, absent=absent), verbose=0)[:, 0]
        try:
            slope, intercept = fit_calibration(is_lens, logit)
        except InputError as error:
            # A detector that has learned nothing is still worth looking at.
            logger.warning("the probability of %s stays uncalibrated: %s", ",".join(kept), error)
            if not found:
                return ()
            continue
        found.append(Calibration(slope, intercept, lens_fraction=float(is_lens.mean()), bands=kept))
    return tuple(found)


def _band_sets(plan: Plan, survey: Survey) -> list[tuple[str, ...]]:
    """All bands first, then every smaller set that the detector was trained for."""
    return [survey.band_names, *(names for names, probability in plan.augmentation.band_sets if probability > 0)]


def _training(record: dict, state: dict, *, kept: int, measured_on: dict) -> dict[str, Any]:
    data, weights = record["data"], record["weights"]
    return {
        "data_sha256": data["sha256"],
        "data_seed": data["manifest"].get("seed"),
        "stamps": data["stamps"],
        **{name: data["manifest"][name] for name in _TOLD if name in data["manifest"]},
        "seed": record["seed"],
        "epochs": state["epoch"],
        "kept_epoch": kept,
        "plan": record["plan"],
        "precision": record["precision"],
        "weights": weights and {"name": weights["name"], "sha256": weights["sha256"]},
        "parts": record["parts"],
        "measured_on": measured_on,
    }
