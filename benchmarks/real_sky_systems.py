"""What the gauge judges: detectors, committees of them, and detectors trained on complements of folds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from real_sets import NUM_FOLDS, SEED, SETS, RealSet, at_scale

from lensdetect import artifact
from lensdetect.errors import InputError
from lensdetect.runs import write_whole

#: In the detector's folder (there or in ``assets.extra``), or up to two folders above: beside a run's plan.json.
SEEN_FILE = "real_sky.json"

#: What a record may say, and what each must be.
_SEEN_KEYS = {"real", "simulated", "num_folds", "fold_seed"}


@dataclass(frozen=True)
class Seen:
    """What a detector was trained on.

    Parameters
    ----------
    real : dict
        Folds that it has seen, by real set; a set that is not named was not seen.
    simulated : frozenset of str
        Simulated skies, by the name of the survey, and "painted".
    recorded : bool
        Whether there was a record; without one the card's survey is all that is known.
    """

    real: dict[str, frozenset[int]] = field(default_factory=dict)
    simulated: frozenset[str] = frozenset()
    recorded: bool = True

    def unseen(self, found: RealSet) -> np.ndarray:
        """Rows of a set that may be measured."""
        if found.name not in SETS:
            sky = found.name.removeprefix("sky ")
            unseen = np.full(len(found), sky.partition(" ")[0] not in self.simulated)
            return unseen & ~self._painted_on_seen(found)
        return ~found.table["fold"].isin(self.real.get(found.name, frozenset())).to_numpy()

    def _painted_on_seen(self, found: RealSet) -> np.ndarray:
        """Rows whose galaxy is of a fold that was seen."""
        if "onto" not in found.table:
            return np.zeros(len(found), bool)
        pairs = zip(found.table["onto"], found.table["fold"], strict=True)
        return np.array([fold in self.real.get(onto, frozenset()) for onto, fold in pairs])

    def describe(self) -> str:
        """One phrase for the table."""
        if not self.recorded:
            return f"{', '.join(self.simulated)} (no record: by its card)"
        folds = [f"{name} {','.join(map(str, sorted(own)))}" for name, own in sorted(self.real.items())]
        return "; ".join([", ".join(sorted(self.simulated)) or "-", *folds])


def read_seen(folder: Path, card: artifact.Card) -> Seen:
    """What the record of a detector says it was trained on.

    The record is JSON, in the card's ``training["real_sky"]`` or in a file ``real_sky.json``::

        {"simulated": ["kids", "des"], "real": {"cfhtls_graded": [1, 2, 3]}, "num_folds": 4, "fold_seed": 20261126}

    Parameters
    ----------
    folder : path
        Of the detector.
    card : Card

    Returns
    -------
    Seen

    Raises
    ------
    InputError
        If the record has another form, names a set that there is not, or folds dealt in another way.
    """
    places = [folder / "assets.extra", folder, folder.parent, folder.parent.parent]
    path = next((place / SEEN_FILE for place in places if (place / SEEN_FILE).is_file()), None)
    values = card.training.get("real_sky")
    if values is None and path is None:
        return Seen(simulated=frozenset([card.survey]), recorded=False)
    where = f"the card of {folder}" if values is not None else str(path)
    if values is None:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path} must be JSON, got something else ({error}): write it again") from error
    return _checked(values, where)


def write_seen(folder: Path, *, simulated: Iterable[str], real: dict[str, Iterable[int]]) -> Path:
    """Write the record beside a run.

    Parameters
    ----------
    folder : path
        Of the run, or of the detector.
    simulated : iterable of str
        Skies that it was trained on, by the name of the survey, and "painted".
    real : dict
        Folds by real set; a set may be left out if nothing of it was used, as galaxy to paint on or otherwise.

    Returns
    -------
    Path
    """
    values = {
        "simulated": sorted(simulated),
        "real": {name: sorted(int(fold) for fold in folds) for name, folds in sorted(real.items())},
        "num_folds": NUM_FOLDS,
        "fold_seed": SEED,
    }
    _checked(values, "the record")
    path = Path(folder) / SEEN_FILE
    write_whole(path, lambda file: file.write((json.dumps(values, indent=2) + "\n").encode()))
    return path


def _checked(values, where: str) -> Seen:
    if not isinstance(values, dict) or not set(values) <= _SEEN_KEYS or "simulated" not in values:
        got = sorted(values) if isinstance(values, dict) else type(values).__name__
        raise InputError(
            f"{where} must have simulated, and may have real, num_folds and fold_seed, got {got}: correct it"
        )
    real = values.get("real", {})
    dealt = (values.get("num_folds", NUM_FOLDS), values.get("fold_seed", SEED))
    if dealt != (NUM_FOLDS, SEED):
        raise InputError(
            f"{where} must speak of {NUM_FOLDS} folds of seed {SEED}, got {dealt[0]} of seed {dealt[1]}: train on those"
        )
    if not isinstance(real, dict) or not set(real) <= set(SETS):
        raise InputError(f"real sets in {where} must be some of {', '.join(SETS)}, got {real}: correct it")
    for name, folds in real.items():
        if not isinstance(folds, list) or not set(folds) <= set(range(NUM_FOLDS)):
            raise InputError(
                f"folds of {name} in {where} must be some of 0 to {NUM_FOLDS - 1}, got {folds}: correct it"
            )
    return Seen({name: frozenset(folds) for name, folds in real.items()}, frozenset(values["simulated"]))


class Detector:
    """A trained detector with what it has seen; scores are kept, so that each set is scored once.

    Parameters
    ----------
    name_or_path : str
        As ``find_detector`` takes it.
    views : int
        1, or 8 for the mean logit over turns and mirrors.
    """

    def __init__(self, name_or_path: str, *, views: int = 1):
        folder = artifact.find_detector(name_or_path)
        self.name, self.views = str(name_or_path), views
        self.scorer = artifact.load_detector(folder)
        self.seen = read_seen(folder, self.scorer.card)
        self._kept: dict[tuple, np.ndarray] = {}

    def takes(self, bands: Iterable[str]) -> bool:
        """Whether it takes all of some bands."""
        return set(bands) <= set(self.scorer.bands)

    def logits(self, found: RealSet, bands: Sequence[str]) -> np.ndarray:
        """Calibrated logit of each cutout of a set, float64 ``(n,)``; NaN where there is no pixel."""
        key = (found.name, tuple(bands))
        if key not in self._kept:
            self._kept[key] = self._scored(found.in_bands(bands))
        return self._kept[key]

    def _scored(self, found: RealSet) -> np.ndarray:
        card = self.scorer.card
        cutouts = at_scale(found, pixel_scale_arcsec=card.pixel_scale_arcsec, size=card.size)
        form = {"bands": found.bands, "zero_points_mag": found.zero_points_mag}
        logit = self.scorer(cutouts, **form, views=self.views).logit
        return card.calibration_of(found.bands).logit(logit)


@dataclass(frozen=True)
class System:
    """One row of the table: what gives each object one score.

    Parameters
    ----------
    name : str
    detectors : tuple of Detector
    joined : bool
        False: the mean of the calibrated logits, of what none has seen (one detector, or a committee). True: each
        object has the score of one detector that has not seen its fold (cross-validation).
    """

    name: str
    detectors: tuple[Detector, ...]
    joined: bool = False

    def takes(self, bands: Iterable[str]) -> bool:
        """Whether all detectors take all of some bands."""
        return all(detector.takes(bands) for detector in self.detectors)

    def describe(self) -> str:
        """What was trained on, for the table."""
        phrases = dict.fromkeys(detector.seen.describe() for detector in self.detectors)
        return " / ".join(phrases)

    def unseen(self, found: RealSet) -> np.ndarray:
        """Rows of a set that can be measured."""
        each = np.stack([detector.seen.unseen(found) for detector in self.detectors])
        return each.any(axis=0) if self.joined else each.all(axis=0)

    def scores(self, found: RealSet, bands: Sequence[str]) -> np.ndarray:
        """Score of each row, float64 ``(n,)``; NaN where it may not be measured or has no pixel."""
        logits = np.stack([detector.logits(found, bands) for detector in self.detectors])
        if not self.joined:
            return np.where(self.unseen(found), logits.mean(axis=0), np.nan)
        unseen = np.stack([detector.seen.unseen(found) for detector in self.detectors])
        picked = _one_of(unseen, found.table["fold"].to_numpy())
        return np.where(picked >= 0, logits[picked, np.arange(len(found))], np.nan)


def _one_of(unseen: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Number of the detector that scores each row, of those that have not seen it: all have their share; -1 is none."""
    count = unseen.sum(axis=0)
    turn = fold % np.maximum(count, 1)
    nth = (np.cumsum(unseen, axis=0) - 1 == turn) & unseen
    return np.where(count > 0, nth.argmax(axis=0), -1)
