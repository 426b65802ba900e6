"""Several sets of stamps as one, each stamp shown as often as it shall be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lensdetect.data.order import Stamps
from lensdetect.errors import InputError
from lensdetect.stamps import UNKNOWN_TRUTH


@dataclass(frozen=True)
class Part:
    """One of the sets.

    Parameters
    ----------
    stamps : Stamps
    weight : float or ndarray
        How often a stamp is shown in an epoch, on average: one number, or one for each.
    validates : bool, ndarray or None
        Which stamps a training is validated with; None draws them.
    """

    stamps: Stamps
    weight: float | np.ndarray = 1.0
    validates: bool | np.ndarray | None = None


class JoinedStamps:
    """Stamps of several sets, read where they are; read as ``lensdetect.stamps.Shards`` is.

    Parameters
    ----------
    parts : sequence of Part
        All of one shape, and of one survey; all with ``validates``, or none.
    told : dict, optional
        What the manifest shall tell of them beside that of the first part.

    Attributes
    ----------
    manifest : dict
    truth : DataFrame
        One row a stamp, with ``weight`` and, where they are known, ``target`` and ``validates``; the
        number of its set stands in front of each id, as two sets may count from 0.

    Raises
    ------
    InputError
        If they are of different shape, bands, pixel scale or survey.
    """

    def __init__(self, parts: Sequence[Part], *, told: dict[str, Any] | None = None):
        self._parts = list(parts)
        for part in self._parts[1:]:
            _check_alike(self._parts[0].stamps, part.stamps)
        first = self._parts[0].stamps
        # one seed no longer says how they were made
        manifests = [part.stamps.manifest for part in self._parts]
        seeds = sorted(set().union(*map(seeds_of, manifests)))
        self.manifest: dict[str, Any] = {**first.manifest, "seed": None, "seeds": seeds, **_seen(manifests)}
        self.manifest |= told or {}
        self.shape = tuple(first.shape)
        truths = [_truth(part, place) for place, part in enumerate(self._parts)]
        self.truth: pd.DataFrame = pd.concat(truths, ignore_index=True)
        if "target" in self.truth:
            self.truth["target"] = self.truth["target"].fillna(self.truth["is_lens"].astype(float))
        self._starts = np.cumsum([0, *(len(part.stamps.truth) for part in self._parts)])

    def __len__(self) -> int:
        """Number of stamps."""
        return len(self.truth)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pixels of some stamps.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers in ``truth``, in any order.

        Returns
        -------
        ndarray
            float32 ``(len(rows), height, width, band)``.
        """
        rows = np.asarray(rows)
        out = np.empty((len(rows), *self.shape), np.float32)
        owner = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(owner):
            here = owner == number
            out[here] = self._parts[number].stamps.read(rows[here] - self._starts[number])
        return out

    def sha256(self) -> str:
        """Hash of all pixels, truth and weights."""
        digest = hashlib.sha256()
        for part in self._parts:
            digest.update(part.stamps.sha256().encode())
        extra = [name for name in ("weight", "validates") if name in self.truth]
        digest.update(self.truth[extra].to_csv(index=False).encode())
        return digest.hexdigest()


def seeds_of(manifest: dict[str, Any]) -> set[int]:
    """Seeds of the simulations that stamps are from.

    Parameters
    ----------
    manifest : dict
        Of the stamps, which may be joined ones.

    Returns
    -------
    set of int
    """
    own = manifest.get("seed")
    return {*manifest.get("seeds", ()), *(() if own is None else (own,))}


def _seen(manifests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Which real objects are among all of them, where any tells it: a detector is never measured on those."""
    told = [manifest["real_sky"] for manifest in manifests if "real_sky" in manifest]
    if not told:
        return {}
    for name in ("num_folds", "fold_seed"):
        if len({one.get(name) for one in told}) > 1:
            raise InputError(f"stamps to be joined must tell of real objects by one {name}: leave one set out")
    simulated = {name for one in told for name in one["simulated"]}
    simulated |= {manifest["survey"] for manifest in manifests if "real_sky" not in manifest}
    real: dict[str, set[int]] = {}
    for name, folds in (item for one in told for item in one["real"].items()):
        real[name] = real.get(name, set()) | set(folds)
    return {
        "real_sky": {
            **told[0],
            "simulated": sorted(simulated),
            "real": {name: sorted(folds) for name, folds in sorted(real.items())},
        }
    }


def _check_alike(first: Stamps, other: Stamps) -> None:
    for name in ("survey", "bands", "pixel_scale_arcsec"):
        if first.manifest.get(name) != other.manifest.get(name):
            raise InputError(
                f"stamps to be joined must have one {name}, got {first.manifest.get(name)} and "
                f"{other.manifest.get(name)}: leave one set out"
            )
    if tuple(first.shape) != tuple(other.shape):
        raise InputError(
            f"stamps to be joined must have one shape, got {tuple(first.shape)} and {tuple(other.shape)}: "
            "simulate or cut them at one size"
        )


def _truth(part: Part, place: int) -> pd.DataFrame:
    truth = part.stamps.truth
    truth = truth.assign(id=[f"{place}/{one}" for one in truth["id"]])
    truth = truth.assign(**{name: value for name, value in UNKNOWN_TRUTH.items() if name not in truth})
    if "has_source" not in truth:
        truth = truth.assign(has_source=truth["is_lens"])
    truth = truth.assign(weight=np.broadcast_to(part.weight, len(truth)))
    if part.validates is None:
        return truth
    return truth.assign(validates=np.broadcast_to(part.validates, len(truth)))
