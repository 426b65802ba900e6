"""Photometric redshifts: two template galaxies fitted to the measured fluxes."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from lensdetect.simulation.colours import EARLY_TYPE, LATE_TYPE, mags_from_colours, track_colours
from lensdetect.simulation.render.fluxes import band_fluxes
from lensdetect.survey import Survey

#: Redshifts that are tried.
_REDSHIFTS = np.arange(0.05, 1.2, 0.01)

#: What templates are uncertain by, relative to the flux.
_TEMPLATE_ERROR = 0.07

#: Objects fitted at once.
_BATCH = 8192


def fit_redshifts(fluxes: np.ndarray, errors: np.ndarray, *, survey: Survey) -> np.ndarray:
    """Redshifts from fluxes, with a flat prior over redshift and type.

    Parameters
    ----------
    fluxes, errors : ndarray
        ``(n, band)``, calibrated.
    survey : Survey

    Returns
    -------
    ndarray
        ``(n, 4)``: median of the probability, its 16th and 84th percentile, and
        the redshift of the best fit.
    """
    out = np.empty((len(fluxes), 4))
    for first in range(0, len(fluxes), _BATCH):
        batch = slice(first, first + _BATCH)
        out[batch] = _fit(fluxes[batch], errors[batch], templates=_templates(survey))
    return out


@functools.lru_cache(maxsize=4)
def _templates(survey: Survey) -> np.ndarray:
    """Fluxes of galaxies of magnitude 0 in r: ``(2, redshift, band)``."""
    unused = np.random.default_rng(0)
    tracks = (dataclasses.replace(track, scatter_mag=0.0) for track in (EARLY_TYPE, LATE_TYPE))
    mags = [
        [mags_from_colours(0.0, track_colours(track, redshift, rng=unused)) for redshift in _REDSHIFTS]
        for track in tracks
    ]
    return np.stack([band_fluxes(np.array(rows), survey) for rows in mags])


def _fit(fluxes: np.ndarray, errors: np.ndarray, *, templates: np.ndarray) -> np.ndarray:
    """The brightness of a template is free: its best value has a closed form for each redshift."""
    weight = 1.0 / (errors**2 + (_TEMPLATE_ERROR * fluxes) ** 2)
    shape = templates.reshape(-1, templates.shape[-1])
    shape = shape / np.linalg.norm(shape, axis=1, keepdims=True)
    along, norm = (fluxes * weight) @ shape.T, weight @ (shape**2).T
    gain = np.maximum(along, 0.0) ** 2 / norm
    likelihood = np.exp(0.5 * (gain - gain.max(axis=1, keepdims=True)))
    by_redshift = likelihood.reshape(len(fluxes), -1, len(_REDSHIFTS)).sum(axis=1)
    cumulative = np.cumsum(by_redshift, axis=1)
    cumulative /= cumulative[:, -1:]
    limits = [_REDSHIFTS[np.argmax(cumulative >= level, axis=1)] for level in (0.5, 0.16, 0.84)]
    return np.stack([*limits, _REDSHIFTS[gain.argmax(axis=1) % len(_REDSHIFTS)]], axis=1)
