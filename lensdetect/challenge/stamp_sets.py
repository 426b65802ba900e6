"""The stamps of a challenge: simulated, or its archive as it unpacks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lensdetect.data import LabelledCutouts, open_cutouts, read_truth, with_truth
from lensdetect.errors import InputError
from lensdetect.stamps import Shards, is_shards, undetected
from lensdetect.survey import Survey, get_survey

#: The survey of the challenge's own files.
_ARCHIVE_SURVEY = "bologna"
#: How the challenge's tables of truth are called, training and test.
_TRUTH_NAME = re.compile(r"classifications\.csv|.*catalog.*\.csv", re.IGNORECASE)


@dataclass(frozen=True)
class StampSet:
    """Where stamps and their truth lie; it can be written down and opened again.

    Parameters
    ----------
    folder : str
        Simulated stamps, or the challenge's archive, unpacked.
    truth : str or None
        Table of an archive; by default the one that lies in the folder.
    survey : str or None
        Of images that are none of the challenge's.
    size : int
        Side of the images of an archive, in pixels.
    """

    folder: str
    truth: str | None = None
    survey: str | None = None
    size: int = 101

    @property
    def is_simulated(self) -> bool:
        """Whether these are simulated stamps."""
        return is_shards(Path(self.folder))

    def open(self) -> tuple[Shards | LabelledCutouts, Survey]:
        """Open the stamps.

        Returns
        -------
        stamps : Shards or LabelledCutouts
        survey : Survey

        Raises
        ------
        InputError
            If there are none, or there is no table of truth.
        """
        if self.is_simulated:
            stamps = Shards(self.folder)
            return stamps, get_survey(stamps.manifest["survey"])
        if not Path(self.folder).is_dir():
            raise InputError(
                f"{self.folder} must be a folder of simulated stamps or the challenge's archive, unpacked: "
                "make one with lensdetect simulate"
            )
        survey = get_survey(self.survey or _ARCHIVE_SURVEY)
        truth = read_truth(self.truth or find_truth(Path(self.folder)))
        return with_truth(open_cutouts(self.folder, survey=survey, size=self.size), truth), survey


def find_truth(folder: Path) -> Path:
    """The table of truth in or one level below a folder.

    Parameters
    ----------
    folder : Path
        An archive of the challenge, unpacked.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If there is none, or more than one.
    """
    found = [
        path for path in sorted([*folder.glob("*.csv"), *folder.glob("*/*.csv")]) if _TRUTH_NAME.fullmatch(path.name)
    ]
    if len(found) != 1:
        names = ", ".join(str(path) for path in found) or "none"
        raise InputError(
            f"{folder} must hold one table of truth (classifications.csv, or a catalogue of a test set), got {names}: "
            "say which with --truth or --test-truth"
        )
    return found[0]


class Selection:
    """Some stamps of a set, in some of its bands; read as the whole is.

    Parameters
    ----------
    stamps : Stamps
        The whole.
    survey : Survey
        Of the whole.
    rows : ndarray of int
        Rows of the whole, in order.
    bands : sequence of str
        Names of the bands to keep; all if empty.

    Attributes
    ----------
    truth : DataFrame
        One row a stamp.
    survey : Survey
        With these bands alone.
    manifest : dict
        With these bands alone.
    """

    def __init__(self, stamps, survey: Survey, *, rows: np.ndarray, bands: Sequence[str] = ()):
        names = tuple(bands) or survey.band_names
        self.whole, self.rows = stamps, np.asarray(rows)
        self.planes = [survey.band_names.index(name) for name in names]
        self.truth: pd.DataFrame = stamps.truth.iloc[self.rows].reset_index(drop=True)
        self.survey = survey.with_bands(names)
        self.manifest: dict[str, Any] = {**stamps.manifest, "bands": list(names)}

    def __len__(self) -> int:
        """Number of stamps."""
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and number of bands of one stamp."""
        return (*self.whole.shape[:2], len(self.planes))

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pixels of some stamps, float32 ``(len(rows), height, width, band)``.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers in ``truth``, in any order.
        """
        pixels = self.whole.read(self.rows[np.asarray(rows)])
        return pixels if len(self.planes) == pixels.shape[-1] else np.ascontiguousarray(pixels[..., self.planes])

    def sha256(self) -> str:
        """Hash of the whole and of what is taken from it."""
        digest = hashlib.sha256(self.whole.sha256().encode())
        digest.update(self.rows.astype(np.int64).tobytes())
        digest.update(",".join(self.manifest["bands"]).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Split:
    """The stamps that a challenge trains on, and those that it is decided by.

    Parameters
    ----------
    training, test : Selection
        Validation stamps are among the training's.
    """

    training: Selection
    test: Selection


def open_split(
    data: StampSet, test: StampSet | None, *, test_fraction: float, seed: int, bands: Sequence[str] = ()
) -> Split:
    """Open the stamps of a challenge.

    Parameters
    ----------
    data : StampSet
        To train on.
    test : StampSet or None
        To test on; without one, a part of ``data`` is held out.
    test_fraction : float
        That part.
    seed : int
        Of the part.
    bands : sequence of str
        To keep; all if empty.

    Returns
    -------
    Split
        Sources whose arcs cannot be seen are in neither.

    Raises
    ------
    InputError
        If the two sets are of two surveys, or hold the same stamps.
    """
    stamps, survey = data.open()
    usable = np.flatnonzero(~undetected(stamps.truth))
    if test is None:
        order = np.random.default_rng([seed, 1]).permutation(usable)
        held = round(test_fraction * len(order))
        training, unseen = np.sort(order[held:]), np.sort(order[:held])
        return Split(
            Selection(stamps, survey, rows=training, bands=bands), Selection(stamps, survey, rows=unseen, bands=bands)
        )
    others, other_survey = test.open()
    if other_survey.name != survey.name or others.shape != stamps.shape:
        raise InputError(
            f"training and test stamps must be alike, got {survey.name} {stamps.shape} and "
            f"{other_survey.name} {others.shape}: give a test set of the same survey and size"
        )
    seeds = stamps.manifest.get("seed"), others.manifest.get("seed")
    if Path(data.folder).resolve() == Path(test.folder).resolve() or (seeds[0] is not None and seeds[0] == seeds[1]):
        raise InputError("the test stamps must be others than the training stamps: simulate them with another seed")
    unseen = np.flatnonzero(~undetected(others.truth))
    return Split(
        Selection(stamps, survey, rows=usable, bands=bands), Selection(others, survey, rows=unseen, bands=bands)
    )
