"""Stamps to train on, from whatever form they are in."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np

from lensdetect.data import LabelledCutouts, open_cutouts, read_truth, with_truth
from lensdetect.data.joined import JoinedStamps, Part
from lensdetect.data.order import Stamps
from lensdetect.data.plausibility import check_plausible
from lensdetect.data.taught import TaughtStamps, read_teachers
from lensdetect.errors import InputError
from lensdetect.images.bounds import CUTOUT_PIXELS
from lensdetect.scoring.declaring import own_survey
from lensdetect.stamps import Shards, is_shards
from lensdetect.survey import Survey, get_survey

logger = logging.getLogger(__name__)

_REASONS_SHOWN = 3


def open_stamps_of(
    args: argparse.Namespace,
) -> tuple[Stamps, Survey, Shards | LabelledCutouts | None]:
    """Stamps to train on, their survey, and the stamps to measure on if there are any.

    Parameters
    ----------
    args : Namespace
        With the options of ``images.add_stamps_options``.

    Returns
    -------
    stamps : Shards, LabelledCutouts, TaughtStamps or, with those to validate with, JoinedStamps
    survey : Survey
    test : Shards, LabelledCutouts or None

    Raises
    ------
    InputError
        As ``open_stamps``.
    """
    stamps, survey = _all_stamps(args)
    if args.teacher:
        stamps = _taught(stamps, args.teacher, share=args.teacher_share)
    if args.validation is not None:
        own = Part(open_stamps(args.validation)[0], validates=True)
        stamps = JoinedStamps([Part(stamps, validates=False), own])
    return stamps, survey, None if args.test is None else open_stamps(args.test)[0]


def _all_stamps(args: argparse.Namespace) -> tuple[Stamps, Survey]:
    """Stamps of one folder or of several."""
    if len(args.data) > 1:
        if args.truth is not None:
            raise InputError(f"--truth goes with one folder of images, got {len(args.data)}: train on simulated stamps")
        found = [open_stamps(folder, survey=args.survey)[0] for folder in args.data]
        return JoinedStamps([Part(stamps) for stamps in found]), get_survey(found[0].manifest["survey"])
    return open_stamps(
        args.data[0],
        truth=args.truth,
        survey=args.survey,
        size=args.size,
        fit=args.fit,
        max_pixels=args.max_pixels,
        partly=args.graded_only,
    )


def _taught(stamps: Stamps, scores: list[str], *, share: float) -> TaughtStamps:
    probability = read_teachers(scores, list(stamps.truth["id"]))
    if without := int(np.isnan(probability).sum()):
        logger.warning("%d of %d stamps have no score of the teachers: they keep their truth", without, len(stamps))
    return TaughtStamps(stamps, probability, share=share)


def open_stamps(
    folder: str,
    *,
    truth: str | None = None,
    survey: str | None = None,
    size: int = 101,
    fit: str | None = None,
    max_pixels: int = CUTOUT_PIXELS,
    partly: bool = False,
) -> tuple[Shards | LabelledCutouts, Survey]:
    """Stamps with their truth, and the survey that they are from.

    Parameters
    ----------
    folder : path
        Simulated stamps, or images in any form that ``data.open_cutouts`` reads.
    truth : path, optional
        Truth table of the images; simulated stamps have their own.
    survey : str, optional
        Where the images are from, if they do not say so.
    size : int
        Height and width that the images shall have, in pixels.
    fit : str, optional
        "crop" or "pad" for images of another size.
    max_pixels : int
        Pixels that the images in one file may have.
    partly : bool
        Whether images without truth are left out.

    Returns
    -------
    stamps : Shards or LabelledCutouts
    survey : Survey

    Raises
    ------
    InputError
        If truth or survey are lacking, or given where there is one already, or
        the images cannot be from that survey.
    """
    path = Path(folder)
    own = own_survey(path)
    if is_shards(path):
        if truth is not None or survey not in {None, own}:
            raise InputError(f"{folder} holds simulated stamps of survey {own} with their truth: leave the others out")
        return Shards(path), get_survey(own)
    if truth is None:
        near = path / "classifications.csv"
        raise InputError(
            f"training on {folder} needs its truth table, got none: "
            f"add --truth {near if near.is_file() else 'FILE (with id and is_lens)'}"
        )
    if survey is None and own is None:
        raise InputError(f"{folder} does not say its survey, and so not its flux unit: add --survey NAME")
    found = get_survey(survey or own)
    source = open_cutouts(folder, survey=found, size=size, fit=fit, max_pixels=max_pixels)
    for note in check_plausible(source):
        logger.warning("%s", note)
    stamps = with_truth(source, read_truth(truth), partly=partly)
    if left := len(source) - len(stamps) - len(stamps.dropped):
        logger.warning("%d images are left out: %s has no row for them", left, truth)
    _report_dropped(stamps)
    return stamps, found


def _report_dropped(stamps: LabelledCutouts) -> None:
    dropped = stamps.dropped
    if len(dropped):
        logger.warning("%d stamps are left out, %d stay:", len(dropped), len(stamps))
    for row in dropped.head(_REASONS_SHOWN).itertuples():
        logger.warning("  %s: %s", row.id, row.reason)
    if len(dropped) > _REASONS_SHOWN:
        logger.warning("  and %d more", len(dropped) - _REASONS_SHOWN)
