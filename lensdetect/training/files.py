"""Plans and specs as files, which ``lensdetect tune`` writes and ``lensdetect train`` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lensdetect.errors import InputError
from lensdetect.network import DetectorSpec, MergedSpec, spec_from_dict
from lensdetect.training.plan import Plan, plan_from_dict
from lensdetect.training.plans import get_plan


def is_file_name(name: str) -> bool:
    """Whether a name is that of a file, not of a row in a table.

    Parameters
    ----------
    name : str
        As it was given.

    Returns
    -------
    bool
    """
    return name.endswith(".json")


def find_plan(name: str) -> Plan:
    """Plan by name, or from a file.

    Parameters
    ----------
    name : str
        A key of ``PLANS``, or a .json file with ``Plan.as_dict``; the
        ``plan.json`` of a run will do.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If there is no such plan, or the file holds none.
    """
    if not is_file_name(name):
        return get_plan(name)
    values = _read(Path(name), "a plan")
    # That of a run holds more than the plan.
    values = values.get("plan", values)
    try:
        return plan_from_dict(values)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def find_detector_spec(name: str) -> str | DetectorSpec | MergedSpec:
    """Name of a detector as it is, or the spec in a file.

    Parameters
    ----------
    name : str
        A detector's name, or a .json file with ``spec_to_dict``.

    Returns
    -------
    str, DetectorSpec or MergedSpec

    Raises
    ------
    InputError
        If the file holds no spec of a whole detector.
    """
    if not is_file_name(name):
        return name
    try:
        spec = spec_from_dict(_read(Path(name), "a spec"))
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    if not isinstance(spec, (DetectorSpec, MergedSpec)):
        raise InputError(f"{name} must hold a whole detector, got a {type(spec).__name__}: give its DetectorSpec")
    return spec


def _read(path: Path, what: str) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"{path} must be a file with {what}, got {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} must be JSON with {what}, got {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path} must be JSON with {what}, got a {type(values).__name__}")
    return values
