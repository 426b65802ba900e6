"""What the gauge compares with what, and the figures of one comparison."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from real_sets import NUM_FOLDS, SETS, RealSet
from real_sky_systems import System

from lensdetect.metrics import purity_at, roc_curve, threshold_at, tpr_at_fpr_interval
from lensdetect.metrics.intervals import auroc_interval, tpr0_interval, tpr_bootstrap_interval, wilson_interval

CONFIDENCE = 0.95

#: TPR is told at these; and before the first false positive, and with fewer than ten.
RATES = (0.1, 0.015, 0.01)

#: Share of lenses on the sky for which lists are counted, and the completeness of these lists.
PRIOR, COMPLETENESS = 1e-3, 0.5


@dataclass(frozen=True)
class Part:
    """Objects of one set: those of some kinds, or of all; of a simulated sky those with the truth given."""

    set_name: str
    kinds: tuple[str, ...] = ()
    is_lens: bool | None = None

    def rows(self, found: RealSet) -> np.ndarray:
        """Mask of the rows meant."""
        table = found.table
        wanted = np.ones(len(table), bool) if not self.kinds else table["kind"].isin(self.kinds).to_numpy()
        if self.is_lens is not None:
            wanted &= (table["is_lens"] == self.is_lens).fillna(False).to_numpy(bool)
        return wanted


@dataclass(frozen=True)
class Comparison:
    """Lenses against others.

    Parameters
    ----------
    name : str
        For the heading.
    kind : str
        "lens-like", "ordinary", "no truth", "one object" or "simulated".
    lenses, others : tuple of Part
    bands : tuple of str
        Each tried on its own.
    """

    name: str
    kind: str
    lenses: tuple[Part, ...]
    others: tuple[Part, ...]
    bands: tuple[str, ...] = ("gri", "r")


_GRADED = (Part("cfhtls_graded", ("lens",)),)
_KIDS = (Part("kids_field"),)

REAL = (
    Comparison("CFHTLS graded lenses against lens-like non-lenses", "lens-like", _GRADED,
               (Part("cfhtls_graded", ("negative",)),)),
    Comparison("CFHTLS graded lenses against galaxies of the KiDS field", "ordinary", _GRADED, _KIDS),
    Comparison("CFHTLS graded lenses against galaxies of the CFHTLS fields", "ordinary", _GRADED,
               (Part("cfhtls_fields"), Part("cfhtls_gri_field"))),
    Comparison("CFHTLS graded lenses against DES galaxies", "ordinary", _GRADED, (Part("des_griz", ("galaxy",)),)),
    Comparison("DES arc system J0330-5228 against DES galaxies", "one object", (Part("des_griz", ("lens",)),),
               (Part("des_griz", ("galaxy",)),)),
    Comparison("Lensed quasar J1226-0006 against galaxies of the KiDS field", "one object",
               (Part("kids_ugri", ("lensed quasar",)),), _KIDS, ("ugri", "gri", "r")),
    Comparison("92 KiDS cutouts without truth against galaxies of the KiDS field", "no truth",
               (Part("kids_r_unlabelled"),), _KIDS, ("r",)),
    Comparison("CFHTLS graded lenses against 92 KiDS cutouts without truth", "no truth", _GRADED,
               (Part("kids_r_unlabelled"),), ("r",)),
)  # fmt: skip


def of_sky(name: str) -> Comparison:
    """Lenses of a simulated sky against its non-lenses."""
    own = f"sky {name}"
    return Comparison(
        f"Simulated sky: {name}",
        "simulated",
        (Part(own, is_lens=True),),
        (Part(own, is_lens=False),),
        ("ugri", "gri", "r"),
    )


def measure(
    system: System, comparison: Comparison, bands: str, load: Callable[[str], RealSet]
) -> dict[str, Any] | None:
    """One row of the table.

    Parameters
    ----------
    system : System
    comparison : Comparison
    bands : str
        One letter a band.
    load : callable
        From the name of a set to the set.

    Returns
    -------
    dict or None
        None where a set has no such bands, or the system does not take them. ``status`` is "measured", or says why
        there are no figures.
    """
    sets = {part.set_name: load(part.set_name) for part in (*comparison.lenses, *comparison.others)}
    if not system.takes(bands) or not all(set(bands) <= set(found.bands) for found in sets.values()):
        return None
    row = {
        "comparison": comparison.name,
        "kind": comparison.kind,
        "bands": bands,
        "system": system.name,
        "trained_on": system.describe(),
        "folds": _folds(system, sets),
    }
    taken = [_scores(system, parts, bands, sets) for parts in (comparison.lenses, comparison.others)]
    if not all(len(scores) for scores, _ in taken):
        return row | {"folds": "none", "status": "seen: nothing is left to be measured"}
    return row | {"status": "measured", "left_out_seen": taken[0][1] + taken[1][1]} | figures(taken[0][0], taken[1][0])


def _scores(system: System, parts, bands: str, sets: dict[str, RealSet]) -> tuple[np.ndarray, int]:
    """Scores of what may be measured, and how much may not; what has no pixel has the lowest score of all."""
    scores, seen = [], 0
    for part in parts:
        found = sets[part.set_name]
        wanted, unseen = part.rows(found), system.unseen(found)
        seen += int(np.sum(wanted & ~unseen))
        if np.any(wanted & unseen):
            scores.append(system.scores(found, bands)[wanted & unseen])
    joined = np.concatenate(scores) if scores else np.empty(0)
    return np.where(np.isnan(joined), -np.inf, joined), seen


def _folds(system: System, sets: dict[str, RealSet]) -> str:
    """Which folds are measured, where they are not all."""
    parts = []
    for name, found in sets.items():
        folds = sorted(set(found.table["fold"][system.unseen(found)]))
        if name in SETS and folds != sorted(set(found.table["fold"])):
            parts.append(f"{name} {','.join(map(str, folds)) or 'none'} of 0-{NUM_FOLDS - 1}")
    return "; ".join(parts) or ("all, out of fold" if system.joined else "all")


def figures(lens_scores: np.ndarray, other_scores: np.ndarray) -> dict[str, Any]:
    """Figures of merit with intervals.

    Parameters
    ----------
    lens_scores, other_scores : ndarray
        Not empty, without NaN.

    Returns
    -------
    dict
        Each figure, and its ends as ``_low`` and ``_high``.
    """
    is_lens = np.repeat([True, False], [len(lens_scores), len(other_scores)])
    roc = roc_curve(is_lens, np.concatenate([lens_scores, other_scores]))
    found: dict[str, Any] = {"lenses": roc.num_lenses, "non_lenses": roc.num_others}
    _put(found, "auroc", roc.auroc, auroc_interval(roc, confidence=CONFIDENCE))
    for rate in RATES:
        interval = tpr_at_fpr_interval(roc, rate, confidence=CONFIDENCE)
        _put(found, f"tpr_at_fpr_{rate:g}", float(roc.tpr_at_fpr(rate)), interval)
    _put(found, "tpr0", float(roc.tpr_below(1)), tpr0_interval(roc, confidence=CONFIDENCE))
    ten = tpr_bootstrap_interval(roc, below=10, confidence=CONFIDENCE, resamples=1000, seed=0)
    _put(found, "tpr10", float(roc.tpr_below(10)) if roc.num_others >= 10 else math.nan, ten)
    return found | _list_of(roc)


def _list_of(roc) -> dict[str, Any]:
    """The list that holds half of the lenses: non-lenses in it, and how many are looked at for each lens found."""
    vertex = int(np.flatnonzero(roc.threshold == threshold_at(roc, COMPLETENESS))[-1])
    wrong, right = int(roc.false_positives[vertex]), int(roc.true_positives[vertex])
    low, high = wilson_interval(wrong, roc.num_others, confidence=CONFIDENCE)
    found: dict[str, Any] = {"others_at_half": wrong}
    _put(found, "fpr_at_half", wrong / roc.num_others, (low, high))
    found["looked_at_per_lens"] = (wrong + right) / right
    # without a false positive half of one stands for them, as in purity_curve
    rates = max(wrong, 0.5) / roc.num_others, low, high
    rare, few, many = (1.0 / float(purity_at(right / roc.num_lenses, rate, prior=PRIOR)) for rate in rates)
    _put(found, "looked_at_per_lens_rare", rare, (few, many))
    return found


def _put(found: dict[str, Any], name: str, value: float, interval: tuple[float, float]) -> None:
    found[name], found[f"{name}_low"], found[f"{name}_high"] = value, *interval
