"""What the ablation changes, one thing at a time: rows of one table, and the stamps that each is trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from ground_stamps import ALL, ORDINARY, REAL_KINDS

from lensdetect.data.order import Stamps
from lensdetect.errors import InputError
from lensdetect.network import (
    Augmentation,
    DetectorSpec,
    MeasuredFront,
    PeakFront,
    ResidualStem,
    Stage,
    get_spec,
)
from lensdetect.training import CosineSchedule, Plan, TrainingStage

#: Stamps of the pool that the base is trained on; rules that drop lenses fill up from the rest of the pool.
NUM_STAMPS = 12_000

_BAND_SETS = ((("g", "r", "i"), 0.4), (("r",), 0.15), (("g", "r"), 0.05))


def plan_of(*, epochs: int = 6, peak: float = 2e-3, warmup_epochs: float = 0.5, max_shift_pix: int = 5) -> Plan:
    """The plan of the shipped detector, shorter."""
    return Plan(
        name="ablation",
        stages=(TrainingStage(epochs, CosineSchedule(peak, warmup_epochs=warmup_epochs), weight_decay=0.02),),
        batch_size=64,
        augmentation=Augmentation(max_shift_pix=max_shift_pix, band_sets=_BAND_SETS),
        validation_fraction=0.05,
    )


class Part:
    """Some rows of a set of stamps, perhaps under other names of what is a lens.

    Parameters
    ----------
    stamps : Stamps
    rows : ndarray of int
        In the order wanted.
    is_lens : ndarray of bool, optional
        Of these rows, where it is not what the truth says.
    """

    def __init__(self, stamps: Stamps, rows: np.ndarray, *, is_lens: np.ndarray | None = None):
        self._stamps, self._rows = stamps, np.asarray(rows)
        self.shape, self.manifest = stamps.shape, stamps.manifest
        truth = stamps.truth.iloc[self._rows].reset_index(drop=True)
        # what is called none stands for none, seen or not
        self.truth = truth if is_lens is None else truth.assign(is_lens=is_lens, has_source=is_lens)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pixels of some stamps."""
        return self._stamps.read(self._rows[rows])

    def sha256(self) -> str:
        """Hash of the truth; ids and seed stand for the pixels, which follow from them."""
        return hashlib.sha256(self.truth.to_csv(index=False).encode()).hexdigest()


#: Truth of the pool -> (rows, what is called a lens).
Rule = Callable[[pd.DataFrame], tuple[np.ndarray, np.ndarray]]


def _as_simulated(truth: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The first stamps; a source that cannot be seen is neither lens nor other."""
    rows = np.flatnonzero((truth["is_lens"] | ~truth["has_source"]).to_numpy()[:NUM_STAMPS])
    return rows, truth["is_lens"].to_numpy()[rows]


def _lenses_where(truth: pd.DataFrame, keep: Callable[[pd.DataFrame], pd.Series]) -> tuple[np.ndarray, np.ndarray]:
    """The base's others, and as many lenses as it has among those that a stricter or looser rule admits."""
    base, is_lens = _as_simulated(truth)
    wanted = int(is_lens.sum())
    admitted = np.flatnonzero(keep(truth).to_numpy())
    if len(admitted) < wanted:
        raise InputError(f"the pool must hold {wanted} lenses of this rule, got {len(admitted)}: simulate more stamps")
    rows = np.concatenate([base[~is_lens], admitted[:wanted]])
    return rows, np.arange(len(rows)) >= len(base) - wanted


def _faint_as_others(truth: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(NUM_STAMPS), truth["is_lens"].to_numpy()[:NUM_STAMPS]


def _all(truth: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    rows = np.flatnonzero((truth["is_lens"] | ~truth["has_source"]).to_numpy())
    return rows, truth["is_lens"].to_numpy()[rows]


BRIGHT: Rule = partial(_lenses_where, keep=lambda truth: truth["is_lens"] & (truth["arc_snr_over_light"] >= 55.0))
WIDE: Rule = partial(_lenses_where, keep=lambda truth: truth["is_lens"] & (truth["einstein_radius_over_seeing"] >= 2.2))
LOOSE: Rule = partial(_lenses_where, keep=lambda truth: truth["has_source"])


@dataclass(frozen=True)
class Mix:
    """Real cutouts among simulated stamps for a second step, without one fold each time.

    Parameters
    ----------
    sets : tuple of str
        Whose cutouts.
    painted : tuple of int
        Seeds of arcs painted onto real galaxies.
    shards : int
        Of simulated stamps.
    """

    sets: tuple[str, ...] = ALL
    painted: tuple[int, ...] = ()
    shards: int = 8


@dataclass(frozen=True)
class Change:
    """One thing that is done otherwise than in the base.

    Parameters
    ----------
    title : str
        For the page.
    detector : str or DetectorSpec
    sky : str
        Folder of the pool of stamps, under that of the skies.
    survey : str
        That the stamps are of.
    rule : callable
        Which stamps, and what is a lens.
    plan : Plan
    start : str or None
        Change whose run of the same seed is where it starts from.
    mix : Mix or None
        What a second step is trained on, once for each fold.
    teachers : tuple of str
        Changes whose runs of the same seed say, together as a committee, what is learned too.
    teachers_share : float
        Their weight, against that of the truth.
    taught : tuple of str or None
        Kinds of stamps that they teach; all, if None.
    """

    title: str
    detector: str | DetectorSpec
    sky: str = "ground"
    survey: str = "ground"
    rule: Rule = _as_simulated
    plan: Plan = plan_of()
    start: str | None = None
    mix: Mix | None = None
    teachers: tuple[str, ...] = ()
    teachers_share: float = 0.5
    taught: tuple[str, ...] | None = None


def _small(front: MeasuredFront | PeakFront) -> DetectorSpec:
    return replace(get_spec("arcformer_small"), front=front)


def _fine_grid() -> DetectorSpec:
    stem = ResidualStem((Stage(16, kernel=5), Stage(32), Stage(64, blocks=1), Stage(96, stride=1)))
    return replace(get_spec("arcformer_small_subtracted"), stem=stem)


#: Planes without the light of the galaxy, each band by its own noise.
SUBTRACTED = _small(MeasuredFront(subtract_light=True))

BASE = Change("base: arcformer_small_measured, 12,000 stamps of sky ground, 6 epochs", "arcformer_small_measured")

#: What won, with twice the stamps for twice as long.
LONG = Change(
    "long: subtracted, shifts of 2 pixels, 24,000 stamps, 12 epochs",
    detector=SUBTRACTED,
    rule=_all,
    plan=plan_of(epochs=12, warmup_epochs=1.0, max_shift_pix=2),
)

#: A second step is one pass at a quarter of the rate.
_SECOND = {
    "start": "long",
    "plan": plan_of(epochs=1, peak=5e-4, warmup_epochs=0.2, max_shift_pix=2),
}

#: What else is changed, is changed from this.
_COLOUR = replace(
    BASE,
    title="colour: subtracted, and one measured scale for all bands",
    detector="arcformer_small_subtracted",
    plan=plan_of(max_shift_pix=1),
)

#: The same with what won, twice the stamps again, and three passes over real cutouts.
COLOUR_LONG = replace(
    _COLOUR,
    title="colour_long: colour, shifts of 2 pixels, 48,000 stamps, 12 epochs",
    sky="ground48",
    rule=_all,
    plan=plan_of(epochs=12, warmup_epochs=1.0, max_shift_pix=2),
)
_THIRD = {
    "start": "colour_long",
    "plan": plan_of(epochs=3, peak=5e-4, warmup_epochs=0.2, max_shift_pix=2),
}

CHANGES: dict[str, Change] = {
    "base": BASE,
    "survey_noise": replace(
        BASE, title="stretched by the survey's noise, not that of the cutout", detector="arcformer_small"
    ),
    "tokens_13": replace(_COLOUR, title="colour, 13 x 13 tokens of 1.6 arcsec, not 7 x 7", detector=_fine_grid()),
    "bright_arcs": replace(_COLOUR, title="colour, lens rule: arcs of S/N 55 over the light, not 25", rule=BRIGHT),
    "wide_arcs": replace(_COLOUR, title="colour, lens rule: Einstein radius of 2.2 seeings, not 1.2", rule=WIDE),
    "faint_arcs": replace(_COLOUR, title="colour, lens rule: sources below the cut are lenses too", rule=LOOSE),
    "faint_as_others": replace(
        _COLOUR, title="colour, sources below the cut are trained on as others, not left out", rule=_faint_as_others
    ),
    "centred": replace(
        BASE, title="centred: shifts of at most 1 pixel in training, not 5", plan=plan_of(max_shift_pix=1)
    ),
    "subtracted": replace(
        BASE,
        title="subtracted: shifts of 1 pixel, and planes without the smooth light of the galaxy",
        detector=SUBTRACTED,
        plan=plan_of(max_shift_pix=1),
    ),
    "colour": _COLOUR,
    "student": replace(
        _COLOUR,
        title="student: colour, half of its labels from a committee of base, subtracted, survey_noise and colour",
        teachers=("base", "subtracted", "survey_noise", "colour"),
    ),
    "colour_long": COLOUR_LONG,
    "colour_painted": replace(
        COLOUR_LONG,
        title="colour_painted: colour_long, and a second step with galaxies, graded objects and painted arcs",
        mix=Mix(painted=(1, 2, 3, 4), shards=12),
        **_THIRD,
    ),
    "fixed_long": replace(
        COLOUR_LONG,
        title="fixed_long: the same 48,000 stamps, 10 epochs, the survey's noise as scale, no light subtracted",
        detector="arcformer_small",
        plan=plan_of(epochs=10, warmup_epochs=1.0, max_shift_pix=2),
    ),
    "colour_graded": replace(
        COLOUR_LONG, title="colour_graded: colour_painted without painted arcs", mix=Mix(), **_THIRD
    ),
    "colour_unlabelled": replace(
        COLOUR_LONG,
        title="colour_unlabelled: the same, what colour_long says of real cutouts as their labels (self-training)",
        mix=Mix(),
        teachers=("colour_long",),
        teachers_share=1.0,
        taught=REAL_KINDS,
        **_THIRD,
    ),
    "peak_root": replace(
        BASE, title="stretched by the square root of the flux over its peak", detector=_small(PeakFront(power=0.5))
    ),
    "kids_sky": replace(_COLOUR, title="colour, natural sky of KiDS, not the wide sky", sky="kids", survey="kids"),
    "long": LONG,
    "second_step": replace(
        LONG, title="long, and a second step on simulated stamps alone", rule=_as_simulated, **_SECOND
    ),
    "galaxies": replace(
        LONG, title="galaxies: long, and a second step with ordinary real galaxies", mix=Mix(tuple(ORDINARY)), **_SECOND
    ),
    "graded": replace(LONG, title="graded: the same, and the graded lenses and look-alikes", mix=Mix(), **_SECOND),
    "painted": replace(
        LONG,
        title="painted: long, and a second step with ordinary galaxies, graded objects and painted arcs",
        mix=Mix(painted=(1, 2)),
        **_SECOND,
    ),
}
