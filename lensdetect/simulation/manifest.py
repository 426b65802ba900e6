"""What a folder of simulated stamps says about itself, and whose folder it is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lensdetect.runs import code_key, open_run, writable, write_json
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
        "code_version": simulation_code(),
        "complete": False,
    }
    return json.loads(json.dumps(manifest))


@contextmanager
def held_folder(
    folder: Path, manifest: dict[str, Any], *, file_name: str = "manifest.json", within: Collection[str] = ()
) -> Iterator[None]:
    """Hold the folder of a simulation: new, or begun for the same. It is complete when the block ends well.

    Parameters
    ----------
    folder : Path
    manifest : dict
        Of the simulation that shall be in it, as if not complete yet.
    file_name : str
        Where the manifest is kept. The challenge's layout has another one, so
        that no reader takes the folder for shards.

    Raises
    ------
    InputError
        If the folder cannot be written, another run is at work in it, or it
        holds something else.
    """
    with open_run(folder, manifest, file_name=file_name, work="simulation", free=("complete",), within=within) as found:
        yield
        if not found["complete"]:
            with writable(folder, what="a simulation"):
                write_json(folder / file_name, {**found, "complete": True}, sort_keys=True)


def simulation_code() -> str:
    """Version of the code that the bytes of a simulation follow from."""
    return code_key("flags", "images", "simulation", "stamps", "survey")
