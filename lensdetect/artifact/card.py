"""The card of a trained detector: what it is, what it takes, how good it is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from lensdetect.errors import ArtifactError, InputError
from lensdetect.survey import Band

#: Folder of what TensorFlow does not read itself; a server's warm-up requests
#: have to lie here, and a card may.
EXTRA_FOLDER = "assets.extra"
CARD_FILE = f"{EXTRA_FOLDER}/card.json"

# What TensorFlow reads: the graph, in either of its two forms, and the weights.
_SAVED_MODEL_FILES = ("*.pb", "*.cpb", "variables/variables.*")


@dataclass(frozen=True)
class Card:
    """What has to be known about a trained detector to use it.

    Parameters
    ----------
    name : str
        Name of the detector in the zoo, or of your own.
    survey : str
        Survey it was trained for.
    spec : dict
        Its parts, as ``network.spec_to_dict`` writes them.
    bands : tuple of Band
        In the order of the last axis of the cutouts.
    pixel_scale_arcsec : float
        Side of one pixel, in arcsec.
    size : int
        Height and width of the cutouts, in pixels.
    flux_unit : str
        Unit of the pixels in words ("AB zero point 0").
    training : dict
        Where the weights come from: hash and number of the stamps, seed,
        epochs, plan.
    metrics : dict of dict
        Figures by band set, all bands first, each with the number of stamps it
        was measured on: ``{"ugri": {"auroc": ..., "stamps": 10000}}``.
    licence : str
        Under which the weights may be used.
    calibration : dict
        ``slope`` and ``intercept`` of the calibrated probability,
        ``sigmoid(slope * logit + intercept)``.
    code_version : str
        Version of lensdetect that saved it.
    files_sha256 : dict
        SHA-256 of every file of the SavedModel, weights and graph, by path in
        the folder; filled in by ``save_detector``.

    Raises
    ------
    InputError
        If metrics or calibration have another form.
    """

    name: str
    survey: str
    spec: dict[str, Any]
    bands: tuple[Band, ...]
    pixel_scale_arcsec: float
    size: int
    flux_unit: str
    training: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    licence: str
    calibration: dict[str, float] = field(default_factory=lambda: {"slope": 1.0, "intercept": 0.0})
    code_version: str = field(default_factory=lambda: version("lensdetect"))
    files_sha256: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        """Check what a dataclass leaves open."""
        if set(self.calibration) != {"slope", "intercept"}:
            raise InputError(f"a calibration must have slope and intercept, got {sorted(self.calibration)}")
        if not all(isinstance(figures, dict) for figures in self.metrics.values()):
            raise InputError(f"metrics must be a dict of figures for each band set, got {self.metrics}")

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands, in array order."""
        return tuple(band.name for band in self.bands)

    @property
    def digest(self) -> str:
        """Tells this card, and by its hashes the weights and graph that it is of, from any others."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Text of ``card.json``; a number that is not finite becomes null."""
        return json.dumps(_plain(dataclasses.asdict(self)), indent=2, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Value in types that every JSON reader understands."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def load_card(folder: Path | str) -> Card:
    """Read the card of a detector folder.

    Parameters
    ----------
    folder : path
        ``<name>-<survey>/<version>``.

    Returns
    -------
    Card

    Raises
    ------
    ArtifactError
        If there is no card, or it is not readable, or has other fields; the
        message lists them.
    """
    path = Path(folder) / CARD_FILE
    if not path.is_file():
        raise ArtifactError(f"a detector folder must hold {CARD_FILE}, got none in {folder}: save it again")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactError(f"{path} must be JSON ({error}): take the folder from its source again") from error
    _check_fields(Card, values, path=path, what="the card")
    for row in values["bands"]:
        _check_fields(Band, row, path=path, what="a band")
    # Infinity, the index of a Gaussian, has no spelling in JSON.
    bands = tuple(Band(**row | {"psf_beta": row["psf_beta"] or math.inf}) for row in values["bands"])
    try:
        return Card(**values | {"bands": bands})
    except InputError as error:
        raise ArtifactError(f"{path}: {error}") from error


def _check_fields(kind: type, values: Any, *, path: Path, what: str) -> None:
    known = {row.name for row in dataclasses.fields(kind)}
    came = set(values) if isinstance(values, dict) else set()
    if came != known:
        raise ArtifactError(
            f"{what} in {path} must have exactly its known fields; missing: {sorted(known - came)}, "
            f"unknown: {sorted(came - known)}: use the version of lensdetect that saved it"
        )


def hash_files(folder: Path | str) -> dict[str, str]:
    """SHA-256 of every file of a SavedModel.

    Parameters
    ----------
    folder : path
        The SavedModel.

    Returns
    -------
    dict
        Hash by path in the folder; files that TensorFlow does not read are left
        out.
    """
    folder = Path(folder)
    paths = sorted(path for pattern in _SAVED_MODEL_FILES for path in folder.glob(pattern))
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(folder: Path | str) -> Card:
    """Check that a detector folder is as it was saved.

    Parameters
    ----------
    folder : path
        ``<name>-<survey>/<version>``.

    Returns
    -------
    Card
        Of the folder, for the caller's use.

    Raises
    ------
    ArtifactError
        If the card is missing, or a file of weights or graph is missing, added
        or changed; the message names the files.
    """
    card = load_card(folder)
    found = hash_files(folder)
    wrong = [
        f"{path} is {_difference(path, card.files_sha256, found)}"
        for path in sorted(card.files_sha256.keys() | found.keys())
        if card.files_sha256.get(path) != found.get(path)
    ]
    if wrong or not found:
        raise ArtifactError(
            f"the files of {folder} must be those its card was written for; {', '.join(wrong) or 'there are none'}: "
            "take the folder from its source again"
        )
    return card


def _difference(path: str, expected: dict[str, str], found: dict[str, str]) -> str:
    if path not in found:
        return "missing"
    return "changed" if path in expected else "not of the card"
