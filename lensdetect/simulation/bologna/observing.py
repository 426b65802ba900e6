"""Seeing, sky and masks of the challenge's stamps."""

from __future__ import annotations

import numpy as np

from lensdetect.simulation.bologna.parameters import ObservingPopulation
from lensdetect.simulation.conditions import Conditions
from lensdetect.survey import Survey


def draw_conditions(
    observing: ObservingPopulation, survey: Survey, *, real_like: bool, size: int | None, rng: np.random.Generator
) -> Conditions:
    """Draw seeing and noise of one stamp.

    Parameters
    ----------
    observing : ObservingPopulation
        The scatter about the survey's typical values.
    survey : Survey
        The typical values.
    real_like : bool
        Whether it shall look like a real survey stamp: noisier, correlated.
    size : int or None
        Side of the stamp in pixels; None draws no mask.
    rng : numpy.random.Generator

    Returns
    -------
    Conditions
    """
    seeing = observing.real_seeing_scatter if real_like else observing.seeing_scatter
    count = len(survey.bands)
    width = np.exp(rng.normal(0.0, seeing, count))
    noise = np.exp(rng.normal(0.0, observing.noise_scatter, count))
    correlation: tuple[float, ...] = ()
    if real_like:
        noise = noise * rng.uniform(*observing.real_noise_factor, count)
        correlation = observing.real_noise_correlation
    return Conditions(
        psf_fwhm_arcsec=tuple(float(w * band.psf_fwhm_arcsec) for w, band in zip(width, survey.bands, strict=True)),
        noise_sigma=tuple(float(n * band.noise_sigma) for n, band in zip(noise, survey.bands, strict=True)),
        noise_correlation=correlation,
        masked=None if size is None else draw_mask(size, count, observing=observing, rng=rng),
    )


def draw_mask(size: int, bands: int, *, observing: ObservingPopulation, rng: np.random.Generator) -> np.ndarray:
    """Holes: rectangles or bands of full rows or columns, each band on its own.

    Parameters
    ----------
    size : int
        Side of the stamp in pixels.
    bands : int
        Number of bands.
    observing : ObservingPopulation
        How many holes, how large.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray
        bool ``(size, size, band)``, True where masked.
    """
    mask = np.zeros((size, size, bands), bool)
    if rng.random() >= observing.masked_fraction:
        return mask
    for band in range(bands):
        if rng.random() >= observing.masked_band_fraction:
            continue
        longest = 0.6 if rng.random() < observing.large_mask_fraction else 0.15
        height, width = (max(1, int(size * rng.uniform(0.01, longest))) for _ in range(2))
        style = rng.random()  # half rectangles; full rows and columns are thin, as bad columns and chip gaps are
        if style < 0.25:
            height, width = size, max(1, width // 3)
        elif style < 0.5:
            height, width = max(1, height // 3), size
        top, left = (int(rng.integers(0, size - extent + 1)) for extent in (height, width))
        mask[top : top + height, left : left + width, band] = True
    return mask
