"""What it takes to train a system and to score with it."""

from __future__ import annotations

import dataclasses
import math
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

from lensdetect.runs import read_json, write_json


@dataclass(frozen=True)
class Costs:
    """Costs of one system; what is not defined for it is NaN.

    Parameters
    ----------
    parameters : float
        Numbers in it, trained or averaged.
    operations : float
        Multiplications and additions for one image.
    epochs : float
        Passes over the training stamps.
    training_s : float
        Time of the training itself, without validation.
    training_stamps_per_s : float
        Over all epochs.
    scoring_stamps_per_s : float
        Of the test stamps, with the reading of them.
    """

    parameters: float = math.nan
    operations: float = math.nan
    epochs: float = math.nan
    training_s: float = math.nan
    training_stamps_per_s: float = math.nan
    scoring_stamps_per_s: float = math.nan


def peak_memory_mb() -> float:
    """Most memory that this process has had resident, mapped files included, in units of 10**6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in units of 1024 bytes, macOS in bytes.
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def write_costs(path: Path, costs: Costs, *, wall_s: float) -> None:
    """Write costs, with the peak memory of this process.

    Parameters
    ----------
    path : Path
        Ends in .json.
    costs : Costs
    wall_s : float
        Time from start to end, over all processes that worked on it.
    """
    values = dataclasses.asdict(costs) | {"peak_memory_mb": peak_memory_mb(), "wall_s": wall_s}
    write_json(path, {name: None if math.isnan(value) else value for name, value in values.items()})


def read_costs(path: Path) -> dict[str, float]:
    """What ``write_costs`` wrote; NaN for None."""
    values = read_json(path, remedy=f"remove {path.parent} to score again")
    return {name: math.nan if value is None else float(value) for name, value in values.items()}
