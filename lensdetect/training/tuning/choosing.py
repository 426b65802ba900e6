"""Which knobs a search turns, and a detector and plan with them turned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lensdetect.errors import InputError, unknown_name
from lensdetect.network import DetectorSpec, MergedSpec
from lensdetect.training.plan import Plan
from lensdetect.training.tuning.knobs import Knob, plan_knobs
from lensdetect.training.tuning.parts import encoder_knobs, head_knobs, stem_knobs

#: What can be tuned.
PARTS = ("stem", "encoder", "head", "plan")


def knobs_of(spec: DetectorSpec | MergedSpec, plan: Plan, *, parts: Iterable[str] = PARTS) -> tuple[Knob, ...]:
    """What a search may turn.

    Parameters
    ----------
    spec : DetectorSpec or MergedSpec
        What the search starts from. Branches that are merged stay as they are.
    plan : Plan
        Likewise.
    parts : iterable of str
        Some of ``PARTS``.

    Returns
    -------
    tuple of Knob
        By name each once; all in their default give ``spec`` and ``plan`` back.

    Raises
    ------
    InputError
        If there is no such part, or nothing in those that could be turned.
    """
    parts = tuple(parts)
    for part in parts:
        if part not in PARTS:
            raise unknown_name("part to tune", part, PARTS)
    found = {"plan": plan_knobs(plan)}
    if isinstance(spec, DetectorSpec):
        found["stem"] = stem_knobs(spec.stem, spec)
        found["encoder"] = encoder_knobs(spec.encoder, spec)
        found["head"] = head_knobs(spec.head, spec)
    knobs = tuple(knob for part in PARTS if part in parts for knob in found.get(part, ()))
    if not knobs:
        raise InputError(f"a search needs something to turn, got nothing in {', '.join(parts)} of this detector")
    return knobs


def turned(
    spec: DetectorSpec | MergedSpec, plan: Plan, *, knobs: Iterable[Knob], values: dict[str, Any]
) -> tuple[DetectorSpec | MergedSpec, Plan]:
    """Detector and plan with knobs turned.

    Parameters
    ----------
    spec, plan
        What the search starts from.
    knobs : iterable of Knob
        From ``knobs_of``.
    values : dict
        Value of each knob by its name; others are passed over.

    Returns
    -------
    spec, plan
        Changed.
    """
    for knob in knobs:
        value = values[knob.name]
        if value == knob.default:
            continue
        if knob.name.startswith("plan_"):
            plan = knob.turn(plan, value)
        else:
            spec = knob.turn(spec, value)
    return spec, plan
