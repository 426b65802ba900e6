"""The record of a training: everything that decides what it does, in JSON values."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lensdetect.artifact import build_detector, find_detector, load_card
from lensdetect.data.device import training_precision
from lensdetect.data.pipeline import Stamps
from lensdetect.errors import InputError
from lensdetect.network import DetectorSpec, get_spec, spec_from_dict, spec_to_dict
from lensdetect.runs import code_key
from lensdetect.stamps import undetected
from lensdetect.survey import Band, Survey
from lensdetect.training.plan import Plan

#: Stamps whose noise is looked at.
_NOISE_STAMPS = 16
#: Median difference of two neighbouring pixels of Gaussian noise of 1.
_STEP_OF_NOISE = 0.9539
#: Times the noise of the survey, up or down, that no sky of it has.
_MOST_NOISE = 100.0
#: The code that decides what a training makes of its plan and stamps.
_CODE = ("data", "metrics", "network", "stamps", "training")


def new_record(
    detector: str | DetectorSpec,
    stamps: Stamps,
    *,
    survey: Survey,
    plan: Plan,
    seed: int,
    weights: str | Path | None,
    parts: str | Sequence[str],
) -> dict[str, Any]:
    """Record of a training that begins.

    Parameters
    ----------
    detector, stamps, survey, plan, seed, weights, parts
        As ``train`` takes them.

    Returns
    -------
    dict
        For ``plan.json``.

    Raises
    ------
    InputError
        If a name is unknown, or stamps, survey, plan and seed do not go together.
    """
    spec = get_spec(detector)
    check_survey(stamps, survey)
    check_units(stamps, survey)
    plan.augmentation.check_bands(survey.band_names)
    if plan.start_share and (weights is None or parts != "all"):
        raise InputError(
            f"start_share of plan {plan.name} is a share of all the weights that a training starts from, got "
            f"{'none' if weights is None else 'some parts'} of them: give a trained detector, whole, or leave it out"
        )
    if not 0 <= seed < 2**32:
        raise InputError(f"seed must be a whole number from 0 to {2**32 - 1}, got {seed}")
    return {
        "detector": detector if isinstance(detector, str) else "custom_detector",
        "spec": spec_to_dict(spec),
        "survey": survey.name,
        "bands": [dataclasses.asdict(band) for band in survey.bands],
        "seed": seed,
        "plan": plan.as_dict(),
        "weights": None if weights is None else _describe_weights(find_detector(weights)),
        "parts": parts if isinstance(parts, str) else list(parts),
        "data": {"sha256": stamps.sha256(), "stamps": len(stamps.truth), "manifest": stamps.manifest},
        "precision": training_precision(),
        # Told, not held to: a training goes on under another library.
        "backend": keras.config.backend(),
        "code": code_key(*_CODE),
    }


def _describe_weights(folder: Path) -> dict[str, str]:
    card = load_card(folder)
    sha256 = next(value for path, value in card.files_sha256.items() if ".data-" in path)
    # The folder finds them here; name and hash still mean something elsewhere.
    return {"folder": str(folder.resolve()), "name": f"{card.name}-{card.survey}/{folder.name}", "sha256": sha256}


def check_survey(stamps: Stamps, survey: Survey) -> None:
    """Check that stamps are square and of a survey.

    Parameters
    ----------
    stamps : Stamps
        What to check.
    survey : Survey
        What they shall be of.

    Raises
    ------
    InputError
        If name, bands or pixel scale differ, or are not known; the message holds both.
    """
    needed = {
        "survey": survey.name,
        "bands": list(survey.band_names),
        "pixel_scale_arcsec": survey.pixel_scale_arcsec,
    }
    for name, value in needed.items():
        came = stamps.manifest.get(name)
        if came != value:
            raise InputError(
                f"the stamps must be of {survey.name}, with {name} {value!r}, got {came!r}: "
                "name the survey that they are of, or simulate them for this one"
            )
    if stamps.shape[0] != stamps.shape[1]:
        raise InputError(f"stamps must be square, got {stamps.shape[0]} x {stamps.shape[1]} pixels: crop or pad them")


def check_units(stamps: Stamps, survey: Survey) -> None:
    """Check that the pixels are in the flux unit of a survey, by the noise of some stamps.

    Parameters
    ----------
    stamps : Stamps
        What to check.
    survey : Survey
        What they are said to be of.

    Raises
    ------
    InputError
        If a band has a hundred times the noise of the survey, or a hundredth:
        no depth differs so much, but units do.
    """
    rows = np.unique(np.linspace(0, len(stamps.truth) - 1, _NOISE_STAMPS).astype(int))
    pixels = stamps.read(rows)
    for band, plane in zip(survey.bands, np.moveaxis(pixels, -1, 0), strict=True):
        # Of neighbours: galaxies and slopes of the sky hardly tell.
        steps = np.abs(np.diff(plane.astype(np.float64), axis=-1))
        noise = np.median(steps[np.isfinite(steps)]) / _STEP_OF_NOISE if np.isfinite(steps).any() else 0.0
        ratio = noise / band.noise_sigma
        if noise > 0 and (ratio > _MOST_NOISE or ratio < 1 / _MOST_NOISE):
            raise InputError(
                f"the stamps must be in the flux unit of {survey.name}, where band {band.name} has noise of about "
                f"{band.noise_sigma:.2g}, got {noise:.2g}: name the survey that they are of, "
                "or write one with their zero points (--survey FILE.toml)"
            )


def check_stamps(record: dict[str, Any], stamps: Stamps) -> None:
    """Check that stamps are those that a training began with.

    Parameters
    ----------
    record : dict
        Contents of ``plan.json``.
    stamps : Stamps
        What to check.

    Raises
    ------
    InputError
        If they are others.
    """
    if record["data"]["sha256"] != stamps.sha256():
        raise InputError(
            f"a training must go on with the stamps it began with ({record['data']['stamps']} of sha256 "
            f"{record['data']['sha256'][:12]}), got {len(stamps.truth)} others: give the same --data"
        )


def check_goes_on(record: dict[str, Any], stamps: Stamps, *, survey: Survey) -> None:
    """Check that a training can go on as it began: with the same stamps, bands, code and weights to start from.

    Parameters
    ----------
    record : dict
        Contents of ``plan.json``.
    stamps : Stamps
        What it shall go on with.
    survey : Survey
        Of the stamps.

    Raises
    ------
    InputError
        If something is another; the message says what.
    """
    check_survey(stamps, survey)
    check_stamps(record, stamps)
    if record_bands(record) != survey.bands:
        raise InputError(
            f"a training must go on with the bands of {record['survey']} that it began with, got others of that name: "
            "give the same --survey"
        )
    code = code_key(*_CODE)
    if record.get("code") != code:
        raise InputError(
            f"a training must go on with the code that it began with, lensdetect {record.get('code', 'before 0.2')}, "
            f"got {code}: install that version, or train anew in another folder"
        )


def split_rows(stamps: Stamps, plan: Plan, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows to validate on; a stamp that is there more than once is trained on.

    Where the truth has a column ``validates``, it says which rows validate; else they are drawn.

    Parameters
    ----------
    stamps : Stamps
        All of them.
    plan : Plan
        Its ``validation_fraction``, and whether undetected sources are kept.
    seed : int
        Of the split.

    Returns
    -------
    training, validation : ndarray of int
        Together all rows that are trained on, each once.

    Raises
    ------
    InputError
        If one side would be without lenses or without others.
    """
    is_lens = stamps.truth["is_lens"].to_numpy(bool)
    used = np.arange(len(is_lens)) if plan.keep_undetected else np.flatnonzero(~undetected(stamps.truth))
    order = used[np.random.default_rng([seed, 0]).permutation(len(used))]
    num_validation = round(plan.validation_fraction * len(order))
    # The same stamp on both sides would validate what was learned by heart.
    once = ~stamps.truth["id"].duplicated(keep=False).to_numpy()[order]
    for kind, missing in (("lens", not is_lens[used].any()), ("other than a lens", is_lens[used].all())):
        if missing:
            raise InputError(
                f"stamps to train on must be lenses and others, got no {kind} among {len(used)}: "
                "add some, or simulate with a --lens-fraction between 0 and 1"
            )
    chosen = stamps.truth.get("validates")
    is_validation = np.arange(len(order)) < num_validation if chosen is None else chosen.to_numpy(bool)[order]
    is_validation &= once
    training, validation = np.sort(order[~is_validation]), np.sort(order[is_validation])
    for name, rows in (("training", training), ("validation", validation)):
        if len(rows) == 0 or is_lens[rows].all() or not is_lens[rows].any():
            raise InputError(
                f"{name} needs lenses and others, got {int(is_lens[rows].sum())} lenses among {len(rows)} stamps: "
                "give more stamps"
            )
    return training, validation


def build_from_record(
    record: dict[str, Any], *, size: int, precision: str | None = None, fresh: bool = False
) -> keras.Model:
    """Detector as the training of a run begins with it.

    Sets the seeds of Keras, NumPy and ``random``: initial weights are drawn from those.

    Parameters
    ----------
    record : dict
        Contents of ``plan.json``.
    size : int
        Height and width of the stamps, in pixels.
    precision : str, optional
        Keras dtype policy; that of the training by default.
    fresh : bool
        Whether to leave out the trained detector that the training starts from.

    Returns
    -------
    keras.Model
    """
    keras.utils.set_random_seed(record["seed"])
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision or record["precision"])
    try:
        spec = spec_from_dict(record["spec"])
        parts = record["parts"] if isinstance(record["parts"], str) else tuple(record["parts"])
        weights = None if fresh or record["weights"] is None else _same_weights(record["weights"])
        return build_detector(spec, record_bands(record), size=size, weights=weights, parts=parts)
    finally:
        keras.config.set_dtype_policy(before)


def _same_weights(weights: dict[str, str]) -> str:
    """Folder of a trained detector, if it still holds what it held when the training began."""
    found = _describe_weights(Path(weights["folder"]))
    if found["sha256"] != weights["sha256"]:
        raise InputError(
            f"a training must begin with the weights of its plan, sha256 {weights['sha256'][:12]}, got "
            f"{found['sha256'][:12]} in {weights['folder']}: put them back, or train anew in another folder"
        )
    return weights["folder"]


def record_bands(record: dict[str, Any]) -> tuple[Band, ...]:
    """Bands of a run.

    Parameters
    ----------
    record : dict
        Contents of ``plan.json``.

    Returns
    -------
    tuple of Band
        In the order of the stamps' last axis.
    """
    return tuple(Band(**row) for row in record["bands"])
