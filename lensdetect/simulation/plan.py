"""One simulation: its parameters, its stamps, its shards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lensdetect.errors import InputError, reason_of, unknown_name
from lensdetect.simulation.layouts import LAYOUTS, Layout
from lensdetect.simulation.population import Population
from lensdetect.simulation.render.stamp import render_stamp
from lensdetect.stamps import Stamp
from lensdetect.survey import Survey

#: The id of stamp 0; the challenge numbers its stamps from here too.
_FIRST_ID = 100000


@dataclass(frozen=True)
class Plan:
    """What a process needs to make any shard of a simulation.

    Parameters
    ----------
    survey : Survey
    population : Population
    folder : Path
        Where the stamps go.
    count : int
        Stamps in all.
    seed : int
        Zero or positive.
    size : int
        Side of a stamp in pixels.
    shard_size : int
        Stamps in one shard; the last one may have fewer.
    layout : str
        A key of ``LAYOUTS``.

    Raises
    ------
    InputError
        If a value is out of range, or there is no such layout.
    """

    survey: Survey
    population: Population
    folder: Path
    count: int
    seed: int
    size: int
    shard_size: int
    layout: str

    def __post_init__(self):
        """Refuse what no simulation can be made of."""
        check_whole("count", self.count, low=1)
        check_whole("seed", self.seed, low=0)
        check_whole("size", self.size, low=11)
        check_whole("shard_size", self.shard_size, low=1)
        fraction = self.population.lens_fraction
        if not 0.0 <= fraction <= 1.0:
            raise InputError(f"lens_fraction must be from 0 to 1, got {fraction}: it is a share of the stamps")
        if self.layout not in LAYOUTS:
            raise unknown_name("layout", self.layout, LAYOUTS)

    @property
    def form(self) -> Layout:
        """How the stamps are written."""
        return LAYOUTS[self.layout]

    @property
    def shards(self) -> range:
        """Numbers of the shards."""
        return range(-(-self.count // self.shard_size))

    def rows(self, shard: int) -> range:
        """Numbers of the stamps in a shard."""
        return range(shard * self.shard_size, min((shard + 1) * self.shard_size, self.count))


def check_whole(name: str, value: int, *, low: int) -> None:
    """Refuse what is not a whole number of at least ``low``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
        raise InputError(f"{name} must be a whole number of at least {low}, got {value!r}: choose another")


def make_stamp(plan: Plan, index: int) -> Stamp:
    """Stamp of some number: its generator is seeded by the run's seed and this number alone.

    Parameters
    ----------
    plan : Plan
    index : int
        From 0.

    Returns
    -------
    Stamp

    Raises
    ------
    InputError
        If the parameters of a population that is not ours make no stamp.
    """
    try:
        return _draw_stamp(plan, index)
    except (ArithmeticError, ValueError) as error:
        # Parameters of a file can each be in range and make no galaxy together; ours do not, so that is a fault.
        if isinstance(error, InputError) or plan.population == type(plan.population)():
            raise
        raise InputError(
            f"stamp {index} cannot be drawn from this population ({reason_of(error)}): "
            "take back what the population file changes, one by one"
        ) from error


def _draw_stamp(plan: Plan, index: int) -> Stamp:
    rng = np.random.default_rng([plan.seed, index])
    side_arcsec = plan.size * plan.survey.pixel_scale_arcsec
    scene = plan.population.draw_scene(plan.survey, side_arcsec=side_arcsec, rng=rng)
    return render_stamp(
        scene,
        plan.survey,
        population=plan.population,
        rng=rng,
        size=plan.size,
        name=str(_FIRST_ID + index),
        seed=plan.seed,
    )


def make_shard(plan: Plan, shard: int) -> int:
    """Make and write one shard.

    Parameters
    ----------
    plan : Plan
    shard : int
        Its number.

    Returns
    -------
    int
        How many stamps it holds.
    """
    rows = plan.rows(shard)
    stamps = (make_stamp(plan, index) for index in rows)
    plan.form.write(plan.folder, shard, stamps=stamps, survey=plan.survey)
    return len(rows)
