"""Everything that fools a lens finder: kinds of scene without a source.

What is real and looks like a lens, kind by kind. The default shares are no
census of the sky: searches that trained on random negatives, or on one kind
alone, drowned in false positives (Canameras+ 2024, A&A 692 A72), so the rare
kinds are drawn far more often than they occur. For a census, lower them: major
mergers are 1-3 % of bright nearby galaxies (Darg+ 2010, MNRAS 401, 1043), and
ring galaxies with no bar far fewer than that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError, unknown_name
from lensdetect.simulation.scene import Glitch, Light, StarLight
from lensdetect.simulation.sky.companions import draw_chance_blue, draw_group, draw_satellites
from lensdetect.simulation.sky.deflectors import EarlyType
from lensdetect.simulation.sky.discs import draw_edge_on, draw_spiral
from lensdetect.simulation.sky.mergers import draw_merger
from lensdetect.simulation.sky.points import draw_pair, draw_star
from lensdetect.simulation.sky.rings import draw_ring
from lensdetect.survey import Survey

#: Kind of what is left of the stamps without a source.
PLAIN_KIND = "elliptical"


@dataclass(frozen=True)
class FoolerRates:
    """Shares of the stamps without a source, by kind; the rest are plain early types.

    Parameters
    ----------
    spiral : float
        Spirals from any side but the edge: blue arms, knots and now and then a bar around a redder bulge.
    ring : float
        Ring galaxies: a detached ring around a red core, or a knotty ring about
        a displaced nucleus with the intruder that made it.
    merger : float
        Two or three nuclei in one envelope, with tidal tails.
    edge_on : float
        Thin discs seen from the side.
    satellites : float
        An early type with small red satellites along an arc.
    chance_blue : float
        An early type with blue galaxies that happen to be 1 to 4 arcsec away.
    group : float
        An early type among others of its own red sequence.
    star : float
        A bright star with halo and diffraction spikes, in the middle or beside an early type.
    pair : float
        An early type between two points of like colours: stars, or a quasar and a star.

    Raises
    ------
    InputError
        If a share is negative or not finite, or their sum exceeds 1.
    """

    spiral: float = 0.16
    ring: float = 0.06
    merger: float = 0.08
    edge_on: float = 0.08
    satellites: float = 0.08
    chance_blue: float = 0.12
    group: float = 0.07
    star: float = 0.04
    pair: float = 0.03

    def __post_init__(self):
        """Refuse what is no set of shares."""
        shares = dataclasses.asdict(self)
        for kind, share in shares.items():
            if not 0.0 <= share <= 1.0:
                raise InputError(f"the share of kind {kind} must be between 0 and 1, got {share:g}")
        total = sum(shares.values())
        if total > 1.0 + 1e-9:
            raise InputError(
                f"the shares of the kinds that fool must sum to at most 1, got {total:g}: "
                f"lower some; what is left of 1 are plain early types"
            )


@dataclass(frozen=True)
class Fooler:
    """What stands in the middle of a stamp without a source.

    Parameters
    ----------
    kind : str
        Name in the column ``kind`` of truth.
    light : tuple of Light
        In place of the light of the early type it was drawn for; it holds that light where it is still there.
    stars : tuple of StarLight
        Points.
    glitches : tuple of Glitch
        What belongs to the kind and is not on the sky: the halo of a bright star.
    """

    kind: str
    light: tuple[Light, ...]
    stars: tuple[StarLight, ...] = ()
    glitches: tuple[Glitch, ...] = ()


def _draw_plain(centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> tuple[Light, ...]:
    """The early type alone."""
    return centre.light


_DRAWERS: dict[str, Callable] = {
    PLAIN_KIND: _draw_plain,
    "spiral": draw_spiral,
    "ring": draw_ring,
    "merger": draw_merger,
    "edge_on": draw_edge_on,
    "satellites": draw_satellites,
    "chance_blue": draw_chance_blue,
    "group": draw_group,
    "star": draw_star,
    "pair": draw_pair,
}

#: Every kind of a stamp without a source.
KINDS: tuple[str, ...] = tuple(_DRAWERS)


def draw_kind(rates: FoolerRates, *, rng: np.random.Generator) -> str:
    """Kind of one stamp without a source.

    Parameters
    ----------
    rates : FoolerRates
    rng : numpy.random.Generator

    Returns
    -------
    str
        One of ``KINDS``.
    """
    shares = dataclasses.asdict(rates)
    number = np.searchsorted(np.cumsum(list(shares.values())), rng.random(), side="right")
    return (*shares, PLAIN_KIND)[int(number)]


def draw_fooler(kind: str, centre: EarlyType, *, survey: Survey, rng: np.random.Generator) -> Fooler:
    """Draw what stands in the middle of a stamp without a source.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    centre : EarlyType
        The early type that the stamp would hold were it plain; kinds that are
        no early type take its place, the others are built around it.
    survey : Survey
        Its bands are those that glitches are painted in.
    rng : numpy.random.Generator

    Returns
    -------
    Fooler

    Raises
    ------
    InputError
        If there is no such kind; the message holds the nearest names.
    """
    if kind not in _DRAWERS:
        raise unknown_name("kind of scene without a source", kind, KINDS)
    things = _DRAWERS[kind](centre, survey=survey, rng=rng)
    return Fooler(
        kind=kind,
        light=tuple(thing for thing in things if isinstance(thing, Light)),
        stars=tuple(thing for thing in things if isinstance(thing, StarLight)),
        glitches=tuple(thing for thing in things if isinstance(thing, Glitch)),
    )
