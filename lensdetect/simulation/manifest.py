"""What a folder of simulated stamps says about itself, and whose folder it is."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from lensdetect import __version__
from lensdetect.errors import InputError
from lensdetect.runs import write_whole
from lensdetect.simulation.plan import Plan


def build_manifest(plan: Plan) -> dict[str, Any]:
    """Manifest of a simulation that is not complete yet.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    dict
        Plain values, as JSON gives them back.
    """
    survey = plan.survey
    manifest = {
        "survey": survey.name,
        "bands": list(survey.band_names),
        "survey_row": dataclasses.asdict(survey),
        "pixel_scale_arcsec": survey.pixel_scale_arcsec,
        "size": int(plan.size),
        "count": int(plan.count),
        "seed": int(plan.seed),
        "lens_fraction": plan.population.lens_fraction,
        "shard_size": int(plan.shard_size),
        "layout": plan.layout,
        "population": dataclasses.asdict(plan.population),
        "code_version": __version__,
        "complete": False,
    }
    return json.loads(json.dumps(manifest))


def save_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest, whole or not at all, in the form of ``stamps.write_manifest``.

    The challenge's layout keeps it under another name, so that no reader takes
    the folder for shards.
    """
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def open_folder(folder: Path, manifest: dict[str, Any], *, file_name: str) -> None:
    """Create a folder with its manifest, or check that it holds the same simulation.

    Parameters
    ----------
    folder : Path
    manifest : dict
        Of the simulation that shall be in it.
    file_name : str
        Where the manifest is kept.

    Raises
    ------
    InputError
        If the folder cannot be written, holds something else, or holds another
        simulation; the message names the first difference with both values.
    """
    path = folder / file_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _check_same(folder, json.loads(path.read_text()), manifest)
            return
        if any(entry for entry in folder.iterdir() if not entry.name.startswith(".")):
            raise InputError(f"{folder} holds files but no {file_name}: choose a new or empty folder for the stamps")
        save_manifest(path, manifest)
    except OSError as error:
        raise InputError(
            f"the stamps' folder must be writable, got {folder} ({error.strerror}): choose another"
        ) from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path} must be JSON, got {error}: remove the folder and simulate again") from error


def _check_same(folder: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    for key, value in _flat({**wanted, "complete": None}).items():
        other = _flat({**found, "complete": None}).get(key)
        if other != value:
            raise InputError(
                f"{folder} holds another simulation: {key} is {other} there and {value} here: "
                "choose another folder, or ask for the same simulation to finish it"
            )


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        name = f"{prefix}{key}"
        flat.update(_flat(value, f"{name}.") if isinstance(value, dict) else {name: value})
    return flat
