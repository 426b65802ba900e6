"""How long the systems of a challenge train, and which take part."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lensdetect.errors import InputError
from lensdetect.network.zoo import SYSTEMS
from lensdetect.training import PLANS, Plan, get_plan

OWN = "own"


@dataclass(frozen=True)
class ChallengePlan:
    """What all systems of a challenge have in common.

    Parameters
    ----------
    name : str
        Of the plan.
    systems : tuple of str
        Who takes part if nobody is named.
    recipe : str
        How networks are trained: a plan of ``lensdetect train``, or "own": ours
        with "adamw", all others with "published".
    minutes : float or None
        Equal training time for each network: as many epochs of its recipe as
        fit, measured on this machine, but at least one.
    epochs : int or None
        Equal number of epochs for each network.
    validation_fraction : float
        Part of the stamps that is held out of the training of every system, the
        same stamps for all.
    test_fraction : float
        Part that is held out before that, if there is no test set.
    repeats : int
        Trainings of each system, with seeds one after the other.

    Raises
    ------
    InputError
        If a number is out of range, the recipe is unknown, or both minutes and
        epochs are given.
    """

    name: str
    systems: tuple[str, ...]
    recipe: str = OWN
    minutes: float | None = None
    epochs: int | None = None
    validation_fraction: float = 0.1
    test_fraction: float = 0.2
    repeats: int = 1

    def __post_init__(self):
        """Check the numbers."""
        if self.recipe != OWN:
            get_plan(self.recipe)
        if self.minutes is not None and self.epochs is not None:
            raise InputError(f"plan {self.name} must set minutes or epochs, got both: leave one out")
        for field, least in (("minutes", 0), ("epochs", 0), ("repeats", 0), ("validation_fraction", 0)):
            value = getattr(self, field)
            if value is not None and not value > least:
                raise InputError(f"{field} of plan {self.name} must be more than {least}, got {value}")
        for field in ("validation_fraction", "test_fraction"):
            if not 0 < getattr(self, field) < 1:
                raise InputError(f"{field} of plan {self.name} must lie between 0 and 1, got {getattr(self, field)}")

    def training_plan(self, network: str, *, bands: tuple[str, ...]) -> Plan:
        """The recipe of a network, before its length is set.

        Parameters
        ----------
        network : str
            A key of ``DETECTORS``.
        bands : tuple of str
            Of the stamps; sets of bands that reach beyond them are left out.

        Returns
        -------
        Plan
        """
        own = "adamw" if SYSTEMS[network].group == "ours" else "published"
        plan = PLANS[own if self.recipe == OWN else self.recipe]
        sets = tuple((kept, share) for kept, share in plan.augmentation.band_sets if set(kept) < set(bands))
        augmentation = dataclasses.replace(plan.augmentation, band_sets=sets)
        return dataclasses.replace(plan, augmentation=augmentation, validation_fraction=self.validation_fraction)

    def splitting_plan(self) -> Plan:
        """A training plan that says which stamps are held out, for systems that need no more of it."""
        return dataclasses.replace(PLANS["adamw"], validation_fraction=self.validation_fraction)

    def as_dict(self) -> dict[str, Any]:
        """Plan in JSON values."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


def shortened(plan: Plan, epochs: int) -> Plan:
    """A training plan over another number of epochs.

    Parameters
    ----------
    plan : Plan
    epochs : int
        With fewer than the plan has stages, the last stages are left out.

    Returns
    -------
    Plan
    """
    kept = dataclasses.replace(plan, stages=plan.stages[: max(1, epochs)])
    return kept.with_epochs(max(1, epochs))


# Most important first: who has not the time for all interrupts.
_FIRST = ("arcformer_small", "lens_detector_15", "cmu_deeplens", "lastro_epfl", "cnn_3", "lens_detector_16")
_FIRST = (*_FIRST, "lens_detector_21", "manchester_svm", "all_star")

CHALLENGE_PLANS: dict[str, ChallengePlan] = {
    # Ten systems in about two hours; big networks have seen little by then.
    "quick": ChallengePlan("quick", (*_FIRST, "lens_detector_7", "oracle"), minutes=12.0),
    # Whole recipes, on the 18,000 and 2,000 of the paper.
    "full": ChallengePlan("full", (*_FIRST, "oracle")),
}


def get_challenge_plan(name_or_file: str | Path) -> ChallengePlan:
    """Plan by name, or from a TOML or JSON file.

    Parameters
    ----------
    name_or_file : str or path
        "quick", "full", or a file with any of the fields of ``ChallengePlan``.

    Returns
    -------
    ChallengePlan

    Raises
    ------
    InputError
        If there is no such plan or file, or a field is unknown or no value for it.
    """
    if str(name_or_file) in CHALLENGE_PLANS:
        return CHALLENGE_PLANS[str(name_or_file)]
    path = Path(name_or_file)
    if path.suffix not in {".toml", ".json"} or not path.is_file():
        raise InputError(f"a plan must be {', '.join(CHALLENGE_PLANS)}, or a .toml or .json file, got {name_or_file}")
    try:
        text = path.read_text()
        values = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        return plan_from_values({"name": path.stem} | values)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} must hold a plan: {error}") from error


def plan_from_values(values: dict[str, Any]) -> ChallengePlan:
    """Plan from plain values.

    Parameters
    ----------
    values : dict
        Fields of ``ChallengePlan``; those of "quick" stand for what is left out,
        but for its length.

    Returns
    -------
    ChallengePlan

    Raises
    ------
    InputError
        If a field is unknown.
    """
    fields = {field.name for field in dataclasses.fields(ChallengePlan)}
    unknown = sorted(set(values) - fields)
    if unknown:
        raise InputError(f"unknown field {unknown[0]!r}: a plan has {', '.join(sorted(fields))}")
    base = {"systems": CHALLENGE_PLANS["quick"].systems} | values
    return ChallengePlan(**base | {"systems": tuple(base["systems"])})
