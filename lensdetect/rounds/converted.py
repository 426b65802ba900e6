"""Stamps of any survey as a detector takes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lensdetect.artifact import Card
from lensdetect.artifact.conversion import plan_conversion
from lensdetect.errors import InputError
from lensdetect.stamps import Shards
from lensdetect.survey import Survey, get_survey


def manifest_of(card: Card) -> dict[str, Any]:
    """Manifest of stamps in the form that a detector takes.

    Parameters
    ----------
    card : Card

    Returns
    -------
    dict
    """
    return {
        "survey": card.survey,
        "bands": list(card.band_names),
        "pixel_scale_arcsec": card.pixel_scale_arcsec,
        "seed": None,
    }


class ConvertedStamps:
    """Simulated or painted stamps in the bands and the flux unit of a detector; read as ``Shards`` is.

    Parameters
    ----------
    folder : path
        Of stamps.
    card : Card
        Of the detector.

    Attributes
    ----------
    truth : DataFrame
    shape : tuple of int
    manifest : dict

    Raises
    ------
    InputError
        If it holds no stamps, or size, pixel scale or bands do not fit.
    """

    def __init__(self, folder: Path | str, card: Card):
        self._shards = Shards(folder)
        bands = self._shards.manifest["bands"]
        self._places = [place for place, name in enumerate(bands) if name in card.band_names]
        if not self._places:
            raise InputError(
                f"stamps to be mixed in must have some of the bands {', '.join(card.band_names)}, got "
                f"{', '.join(bands)} in {folder}: simulate them for these bands"
            )
        height, width = self._shards.shape[:2]
        if (height, width) != (card.size, card.size):
            raise InputError(
                f"stamps to be mixed in must have {card.size} x {card.size} pixels, got {height} x {width} in "
                f"{folder}: simulate them with --size {card.size}"
            )
        used = [bands[place] for place in self._places]
        self._conversion = plan_conversion(
            card,
            bands=used,
            zero_points_mag=_zero_points(self._shards.manifest["survey"], used, card),
            pixel_scale_arcsec=self._shards.manifest["pixel_scale_arcsec"],
        )
        self.truth: pd.DataFrame = self._shards.truth
        self.shape = (card.size, card.size, len(card.bands))
        self.manifest = manifest_of(card)

    def __len__(self) -> int:
        """Number of stamps."""
        return len(self.truth)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pixels of some stamps, float32 ``(len(rows), height, width, band)``; a band that they lack is NaN."""
        out = np.full((len(rows), *self.shape), np.nan, np.float32)
        self._conversion.fill(out, self._shards.read(rows)[..., self._places])
        return out

    def sha256(self) -> str:
        """Hash of all pixels and truth, as they are on disk."""
        return self._shards.sha256()


def _zero_points(survey: str, bands: list[str], card: Card) -> list[float] | None:
    if survey == card.survey:
        return None
    return [band.zero_point_mag for band in get_survey(survey).select(bands)]


def survey_of(card: Card, like: Survey) -> Survey:
    """The survey that a detector was trained for, as far as a training has to know it.

    Parameters
    ----------
    card : Card
    like : Survey
        What the card does not tell comes from here; no training looks at it.

    Returns
    -------
    Survey
    """
    return replace(
        like,
        name=card.survey,
        bands=card.bands,
        pixel_scale_arcsec=card.pixel_scale_arcsec,
        reference_band=card.bands[0].name,
        conditions=(),
    )
