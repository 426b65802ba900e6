"""The card of a trained detector: what it is, what it takes, how good it is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from lensdetect.artifact.calibration import Calibration
from lensdetect.errors import ArtifactError, InputError
from lensdetect.fields import from_table, within
from lensdetect.survey import Band

#: Folder of what TensorFlow does not read itself; a server's warm-up requests
#: have to lie here, and a card may.
EXTRA_FOLDER = "assets.extra"
CARD_FILE = f"{EXTRA_FOLDER}/card.json"

#: In the file, not a field: the SHA-256 of all the others.
_OWN_HASH = "card_sha256"
#: A card is a few kB; what claims to be one and is much larger is not read.
_MOST_BYTES = 4_000_000


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
    calibration : tuple of Calibration
        One for each set of bands that the detector was calibrated with, all
        bands first; empty for a detector that is not calibrated.
    code_version : str
        Version of lensdetect that saved it.
    files_sha256 : dict
        SHA-256 of every file that TensorFlow or a server reads, by path in the
        folder; filled in by ``save_detector``.

    Raises
    ------
    InputError
        If a value is out of its range, or metrics or calibration have another form.
    """

    name: str
    survey: str
    spec: dict[str, Any]
    bands: tuple[Band, ...]
    pixel_scale_arcsec: float
    size: int
    flux_unit: str
    training: dict[str, Any]
    metrics: dict[str, dict[str, int | float | None | tuple[int | float | None, ...]]]
    licence: str
    calibration: tuple[Calibration, ...] = ()
    code_version: str = field(default_factory=lambda: version("lensdetect"))
    files_sha256: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        """Check what types leave open."""
        names = self.band_names
        if not names or len(set(names)) < len(names):
            raise InputError(f"bands must be one or more, each once, got {list(names)}")
        for band in self.bands:
            within(band.zero_point_mag, low=-100, high=100, place=f"the zero point of band {band.name}")
            within(band.noise_sigma, low=1e-300, high=1e300, place=f"noise_sigma of band {band.name}")
        within(self.pixel_scale_arcsec, low=1e-3, high=100, place="pixel_scale_arcsec")
        within(self.size, low=1, high=10_000, place="size")
        if not all(isinstance(figures, dict) for figures in self.metrics.values()):
            raise InputError(f"metrics must be a dict of figures for each band set, got {self.metrics}")
        if self.calibration and set(self.calibration[0].bands) != set(names):
            raise InputError(
                f"the first calibration must be that of all bands {', '.join(names)}, "
                f"got {', '.join(self.calibration[0].bands) or 'none'}"
            )
        for one in self.calibration:
            if not one.bands or not set(one.bands) <= set(names):
                raise InputError(f"a calibration must be of some of {', '.join(names)}, got {list(one.bands)}")

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands, in array order."""
        return tuple(band.name for band in self.bands)

    @property
    def digest(self) -> str:
        """Tells this card, and by its hashes the weights and graph that it is of, from any others."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def calibration_of(self, bands: Iterable[str] | None = None) -> Calibration:
        """The calibration for images in some bands.

        Parameters
        ----------
        bands : iterable of str, optional
            Bands that the images have; all of the detector by default.

        Returns
        -------
        Calibration
            That of the smallest set on the card which holds them all; of a
            detector that is not calibrated, one that leaves its logit alone.
        """
        present = set(self.band_names if bands is None else bands) & set(self.band_names)
        fitting = [one for one in self.calibration if present <= set(one.bands)]
        return min(fitting, key=lambda one: len(one.bands), default=Calibration(bands=self.band_names))

    def probability(
        self, logit: np.ndarray, *, bands: Iterable[str] | None = None, prior: float | None = None
    ) -> np.ndarray:
        """Probability that a cutout shows a lens.

        Parameters
        ----------
        logit : array_like
            Of the detector.
        bands : iterable of str, optional
            Bands that the cutouts have; all of the detector by default.
        prior : float, optional
            Share of lenses among such cutouts; by default that of the stamps on
            which the detector was calibrated.

        Returns
        -------
        ndarray
            float32, of the same shape.

        Raises
        ------
        InputError
            If a prior is given and the card does not say that of its calibration.
        """
        return expit(self.calibration_of(bands).logit(logit, prior=prior)).astype(np.float32)

    def to_json(self) -> str:
        """Text of ``card.json``, with a hash of its own; a number that is not finite becomes null."""
        values = _plain(dataclasses.asdict(self))
        return json.dumps(values | {_OWN_HASH: _own_hash(values)}, indent=2, allow_nan=False) + "\n"


def _own_hash(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


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
        If there is no card, or it is not readable, or was changed since it was
        written, or a field is unknown, lacking or of another type or range; the
        message names it.
    """
    path = Path(folder) / CARD_FILE
    if not path.is_file():
        raise ArtifactError(f"a detector folder must hold {CARD_FILE}, got none in {folder}: save it again")
    values = _read(path)
    if values.pop(_OWN_HASH, None) not in (None, _own_hash(values)):
        raise ArtifactError(
            f"{path} must be as it was written, got another hash: take the folder from its source again"
        )
    try:
        return from_table(Card, _of_today(values), place="the card")
    except InputError as error:
        raise ArtifactError(
            f"{path}: {error}: use the version of lensdetect that saved it, or take the folder from its source again"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ArtifactError(
                f"{path} must be a card of at most {_MOST_BYTES // 10**6} MB, got {path.stat().st_size}"
            )
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"{path} must be JSON ({error}): take the folder from its source again") from error
    if not isinstance(values, dict):
        raise ArtifactError(f"{path} must be a table of fields, got a {type(values).__name__}")
    return values


def _of_today(values: dict[str, Any]) -> dict[str, Any]:
    """Fields in the form of today: older cards have one calibration, without its prior."""
    bands, calibration = values.get("bands"), values.get("calibration")
    if isinstance(bands, list):
        bands = [_with_infinity(band) for band in bands]
        if isinstance(calibration, dict):
            names = [band.get("name") for band in bands if isinstance(band, dict)]
            calibration = [calibration | {"bands": names}]
    changed = {"bands": bands, "calibration": calibration}
    return values | {name: value for name, value in changed.items() if name in values}


def _with_infinity(band: Any) -> Any:
    """The index of a Gaussian is infinity, which is null in the file."""
    if isinstance(band, dict) and "psf_beta" in band and band["psf_beta"] is None:
        return dataclasses.replace(from_table(Band, band | {"psf_beta": 1.0}, place="a band"), psf_beta=math.inf)
    return band
