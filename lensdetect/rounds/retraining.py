"""One round: graded objects in, a detector that has learned from them out, and what that has brought."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lensdetect import training
from lensdetect.artifact import Card, find_detector, load_card, load_detector, title_of
from lensdetect.data.joined import JoinedStamps
from lensdetect.errors import InputError
from lensdetect.network import get_spec, spec_from_dict, spec_to_dict
from lensdetect.rounds.converted import ConvertedStamps, survey_of
from lensdetect.rounds.held_out import HeldOut, rule_of
from lensdetect.rounds.labels import labels_of
from lensdetect.rounds.measuring import check_enough, compare
from lensdetect.rounds.mixing import Mixture, mix, plan_for
from lensdetect.rounds.prepared import GRADED, HELD, OBJECTS, Prepared, prepare
from lensdetect.rounds.searched import SearchedSky
from lensdetect.rounds.ungraded import check_rare
from lensdetect.runs import open_run, write_whole
from lensdetect.stamps import Shards
from lensdetect.text import write_csv

logger = logging.getLogger(__name__)

MANIFEST, COMPARISON = "round.json", "comparison.csv"
_BATCH = 256


@dataclass(frozen=True)
class Retrained:
    """What a round has left.

    Parameters
    ----------
    folder : Path
    model : Path
        The detector.
    prepared : Prepared
        The graded objects.
    comparison : DataFrame or None
        Before against after on what is held out; None where it was not measured.
    """

    folder: Path
    model: Path
    prepared: Prepared
    comparison: pd.DataFrame | None


def retrain(
    sky: SearchedSky,
    grades: pd.DataFrame,
    output: Path | str,
    *,
    start: Path | str,
    stamps: Sequence[Path | str] = (),
    mixture: Mixture | None = None,
    held_out: HeldOut | None = None,
    ungraded: int = 0,
    epochs: int | None = None,
    seed: int = 0,
    measured: bool = True,
    trust_model: bool = False,
) -> Retrained:
    """Train a detector further on what people graded.

    What is done already stays: called again with the same arguments, it goes on.

    Parameters
    ----------
    sky : SearchedSky
        The search that was graded.
    grades : DataFrame
        Combined, as ``labels_of`` takes them.
    output : path
        Folder of the round, new or begun for the same.
    start : str or path
        The detector to start from.
    stamps : sequence of path
        Folders of simulated or painted stamps to be mixed in.
    mixture : Mixture, optional
    held_out : HeldOut, optional
        Part of the sky that is not learned from; that of the rounds that the
        detector went through already, which cannot be changed any more.
    ungraded : int
        How many objects at random that nobody graded are learned from beside the
        graded, as no lenses, where the search was told that lenses are rare.
    epochs : int, optional
        Instead of those of the plan ``fine_tune``.
    seed : int
        Of order and views.
    measured : bool
        Whether to measure before against after; without it, it does not matter
        how many graded objects are held out. They are not learned from either way.
    trust_model : bool
        Whether to load a detector whose program does more than compute.

    Returns
    -------
    Retrained

    Raises
    ------
    InputError
        If there are no grades, or of one class alone and no stamps; ungraded objects
        are asked for where lenses may not be rare; too few are held out to measure on; no
        pixels are found; pixel scale, bands or size of the stamps do not fit; or the folder holds something else.
    ArtifactError
        If the detector cannot be used.
    """
    before = find_detector(start)
    card, mixture = load_card(before), mixture or Mixture()
    held_out = rule_of(card, held_out)
    labels = labels_of(grades)
    sets = [ConvertedStamps(folder, card) for folder in stamps]
    plan = plan_for(card.training.get("plan"), epochs=epochs)
    if ungraded:
        check_rare(sky)
    manifest = {
        "search": str(sky.folder.resolve()),
        "from": {"name": title_of(card, before), "digest": card.digest},
        "grades": _digest(labels),
        "stamps": [str(Path(folder).resolve()) for folder in stamps],
        "mixture": asdict(mixture),
        "held_out": asdict(held_out),
        "ungraded": ungraded,
        "plan": plan.as_dict(),
        "seed": seed,
        "measured": measured,
    }
    output = Path(output)
    with open_run(output, manifest, file_name=MANIFEST, work="retraining", within=(GRADED, HELD)):
        more = {"ungraded": ungraded, "graded": grades["id"].astype(str), "seed": seed}
        prepared = prepare(output, labels, sky, card, held_out=held_out, **more)
    if measured:
        _check_measurable(prepared)
    joined = mix(*prepared.graded, sets, mixture=mixture, told=_told(card, before, prepared, manifest, sets))
    model = _trained(output, joined, card, before, sky, plan=plan, seed=seed, prepared=prepared)
    comparison = _compared(output, prepared, before, model, trust_model=trust_model) if measured else None
    return Retrained(output, model, prepared, comparison)


def _digest(labels: pd.DataFrame) -> str:
    text = labels.sort_values("id").to_csv(index=False, float_format="%.6g")
    return hashlib.sha256(text.encode()).hexdigest()


def _check_measurable(prepared: Prepared) -> None:
    held = prepared.held_out
    check_enough(np.zeros(0, bool) if held is None else held[1]["is_lens"].to_numpy(bool))


def _told(
    card: Card, before: Path, prepared: Prepared, manifest: dict[str, Any], sets: list[ConvertedStamps]
) -> dict[str, Any]:
    """What the card shall tell of this round, and of those before it."""
    _, labels = prepared.graded
    held = prepared.held_out
    others = labels[~labels["is_lens"]]
    this = {
        "from": title_of(card, before),
        "digest": card.digest,
        "grades_sha256": manifest["grades"],
        "lenses": int(labels["is_lens"].sum()),
        "others": {kind: int(count) for kind, count in others["kind"].value_counts().items()},
        "simulated": sum(map(len, sets)),
        "mixture": manifest["mixture"],
        "held_out": manifest["held_out"],
        "held_out_objects": 0 if held is None else len(held[1]),
    }
    known = {"real_sky": card.training["real_sky"]} if "real_sky" in card.training else {}
    return known | {"rounds": [*card.training.get("rounds", []), this]}


def _trained(
    output: Path,
    joined: JoinedStamps,
    card: Card,
    before: Path,
    sky: SearchedSky,
    *,
    plan,
    seed: int,
    prepared: Prepared,
) -> Path:
    """Train, or go on, and export; what is exported already stays."""
    survey = survey_of(card, sky.survey)
    run = training.Run(output)
    if run.model_folder.exists():
        return run.model_folder
    if run.exists:
        logger.info("going on after epoch %d", run.read_state()["epoch"])
        training.resume(output, joined, survey=survey)
    else:
        beside = (MANIFEST, GRADED, HELD, OBJECTS)
        how = {"plan": plan, "seed": seed, "weights": before, "beside": beside}
        training.train(_detector(card), joined, output, survey=survey, **how)
    held = prepared.held_out
    return training.export(run, joined, survey=survey, test=held[0] if held is not None and _both(held[1]) else None)


def _detector(card: Card):
    """The detector of a card, by its name where that still means the same."""
    spec = spec_from_dict(card.spec)
    try:
        same = spec_to_dict(get_spec(card.name)) == spec_to_dict(spec)
    except InputError:
        same = False
    return card.name if same else spec


def _both(labels: pd.DataFrame) -> bool:
    return labels["is_lens"].any() and not labels["is_lens"].all()


def _compared(output: Path, prepared: Prepared, before: Path, after: Path, *, trust_model: bool) -> pd.DataFrame:
    path = output / COMPARISON
    if not path.is_file():
        stamps, labels = prepared.held_out
        logits = {
            name: logits_of(load_detector(folder, trust_model=trust_model), stamps)
            for name, folder in (("before", before), ("after", after))
        }
        known = np.isfinite(np.stack([*logits.values()])).all(axis=0)
        is_lens = labels["is_lens"].to_numpy(bool)[known]
        table = compare(is_lens, {name: logit[known] for name, logit in logits.items()})
        write_whole(path, lambda file: write_csv(table, file))
    return pd.read_csv(path)


def logits_of(detector, stamps: Shards) -> np.ndarray:
    """Logits of stamps that are in the form of a detector.

    Parameters
    ----------
    detector : Scorer
    stamps : Shards

    Returns
    -------
    ndarray
        float32 ``(n,)``; NaN where a stamp has no good pixel.
    """
    starts = range(0, len(stamps.truth), _BATCH)
    rows = [np.arange(start, min(start + _BATCH, len(stamps.truth))) for start in starts]
    return np.concatenate([detector(stamps.read(some)).logit for some in rows])
