"""Magnitudes of a scene -> fluxes in the bands of a survey."""

from __future__ import annotations

import numpy as np

from lensdetect.errors import InputError
from lensdetect.simulation.scene import SCENE_BANDS
from lensdetect.survey import Survey


def band_fluxes(mags: tuple[float, ...] | np.ndarray, survey: Survey) -> np.ndarray:
    """Fluxes in the bands of a survey.

    Parameters
    ----------
    mags : tuple of float or ndarray
        In the order of ``SCENE_BANDS``; or ``(n, 6)``, for n objects at once.
    survey : Survey

    Returns
    -------
    ndarray
        ``(band,)`` or ``(n, band)``, in flux units of the survey.

    Raises
    ------
    InputError
        If the survey has a band in which scenes have no magnitudes.
    """
    in_ab = 10.0 ** (-0.4 * np.asarray(mags, float))
    return in_ab @ _weights(survey)


def _weights(survey: Survey) -> np.ndarray:
    """``(SCENE_BANDS, band)``: what a band of the survey gets of each band of the scene."""
    weights = np.zeros((len(SCENE_BANDS), len(survey.bands)))
    for number, band in enumerate(survey.bands):
        made_of = survey.conditions[number].made_of if survey.conditions else ()
        parts = dict(made_of or ((band.name, 1.0),))
        for name, weight in parts.items():
            if name not in SCENE_BANDS:
                raise InputError(
                    f"survey {survey.name} has band {name}, simulated galaxies have magnitudes in "
                    f"{', '.join(SCENE_BANDS)}: use a survey with those bands, or say what the band is made of"
                )
            weights[SCENE_BANDS.index(name), number] = weight / sum(parts.values())
        weights[:, number] *= 10.0 ** (0.4 * band.zero_point_mag)
    return weights
