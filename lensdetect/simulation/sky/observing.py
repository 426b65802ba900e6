"""Conditions of a real survey, drawn per stamp: seeing, sky, zero points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.sky.masks import MaskRates, draw_mask
from lensdetect.survey import Survey

#: Standard deviations from the median to the 95th percentile of a normal distribution.
_TO_95 = 1.645

#: Where draws are cut: a survey throws away what is worse.
_WORST = 2.5

#: Dark sky at a good site, AB mag per square arcsec (Ivezic+ 2019, ApJ 873, 111, table 2,
#: rounded), for bands of surveys that state none; i and redder brighten with airglow.
_DARK_SKY = {"u": 23.0, "g": 22.3, "r": 21.2, "i": 20.5, "z": 19.6, "y": 18.6}

#: Of bands with other names: broad and red.
_OTHER_SKY = 21.0


@dataclass(frozen=True)
class SkyObserving:
    """How the conditions of stamps scatter about those of their survey.

    Where a survey states ranges for its bands they are used; the spreads here
    are for surveys that state typical values alone.

    Parameters
    ----------
    psf_spread : tuple of float
        5th and 95th percentile of the PSF width over the survey's typical one (KiDS: 0.75 and 1.3).
    noise_spread : tuple of float
        The same of the sky sigma (KiDS: 0.85 and 1.2).
    psf_band_correlation, noise_band_correlation : float
        Correlation between the bands of a stamp: seeing is drawn to the good
        nights for the reference band, so it is low.
    noise_correlation_scatter : float
        Relative standard deviation, log-normal, by which all correlations of
        neighbouring pixels of a stamp are larger or smaller than the survey's.
        Cutouts of KiDS scatter hardly more than 8000 pixels can tell; those of
        its other r-band product by a third.
    zero_point_scatter_mag : float
        Standard deviation of the zero point, each band on its own.
    masks : MaskRates
    """

    psf_spread: tuple[float, float] = (0.75, 1.30)
    noise_spread: tuple[float, float] = (0.85, 1.20)
    psf_band_correlation: float = 0.3
    noise_band_correlation: float = 0.3
    noise_correlation_scatter: float = 0.15
    zero_point_scatter_mag: float = 0.025
    masks: MaskRates = MaskRates()

    def __post_init__(self):
        """Refuse spreads that are none."""
        for name in ("psf_spread", "noise_spread"):
            low, high = getattr(self, name)
            if not 0.0 < low <= 1.0 <= high:
                raise InputError(f"{name} must enclose 1, the survey's typical value, got {low:g} to {high:g}")
        for name in ("psf_band_correlation", "noise_band_correlation"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} must be between 0 and 1, got {getattr(self, name):g}")


def draw_conditions(
    observing: SkyObserving, survey: Survey, *, size: int | None, rng: np.random.Generator
) -> Conditions:
    """Draw seeing, noise, zero points and masks of one stamp.

    Parameters
    ----------
    observing : SkyObserving
    survey : Survey
        Typical values, and the ranges where it states them.
    size : int or None
        Side of the stamp in pixels; None draws no mask.
    rng : numpy.random.Generator
        The same state gives the same conditions.

    Returns
    -------
    Conditions
    """
    psf = _draw_between(_psf_ranges(observing, survey), correlation=observing.psf_band_correlation, rng=rng)
    noise = _draw_between(_noise_ranges(observing, survey), correlation=observing.noise_band_correlation, rng=rng)
    gain_mag = rng.normal(0.0, observing.zero_point_scatter_mag, len(survey.bands))
    return Conditions(
        psf_fwhm_arcsec=psf,
        noise_sigma=noise,
        noise_correlation=_draw_correlation(observing, survey, rng=rng),
        photon_flux=photon_fluxes(survey, noise),
        gain=tuple(float(gain) for gain in 10.0 ** (-0.4 * gain_mag)),
        masked=None if size is None else draw_mask(observing.masks, survey, size=size, rng=rng),
    )


def _psf_ranges(observing: SkyObserving, survey: Survey) -> list[tuple[float, float, float]]:
    """5th percentile, median, 95th percentile of each band's PSF width."""
    low, high = observing.psf_spread
    medians = [band.psf_fwhm_arcsec for band in survey.bands]
    if not survey.conditions:
        return [(low * median, median, high * median) for median in medians]
    ranges = [band.psf_fwhm_range_arcsec for band in survey.conditions]
    return [(best, median, worst) for (best, worst), median in zip(ranges, medians, strict=True)]


def _noise_ranges(observing: SkyObserving, survey: Survey) -> list[tuple[float, float, float]]:
    """The same of the sky sigma."""
    low, high = observing.noise_spread
    medians = [band.noise_sigma for band in survey.bands]
    if not survey.conditions:
        return [(low * median, median, high * median) for median in medians]
    ranges = [band.noise_range for band in survey.conditions]
    return [(best, median, worst) for (best, worst), median in zip(ranges, medians, strict=True)]


def _draw_between(ranges: list[tuple[float, float, float]], *, correlation: float, rng) -> tuple[float, ...]:
    """A value of each band: log-normal on either side of its median, with its own width.

    The normal deviates of the bands share a part, so that a bad night is bad in
    all of them.
    """
    shared, own = rng.standard_normal(), rng.standard_normal(len(ranges))
    deviates = np.clip(math.sqrt(correlation) * shared + math.sqrt(1.0 - correlation) * own, -_WORST, _WORST)
    values = []
    for (low, median, high), deviate in zip(ranges, deviates, strict=True):
        towards = high / median if deviate > 0.0 else median / low
        values.append(float(median * towards ** (deviate / _TO_95)))
    return tuple(values)


def _draw_correlation(observing: SkyObserving, survey: Survey, *, rng) -> tuple[float, ...]:
    """The survey's noise correlation, all lags larger or smaller by one factor."""
    correlation = np.asarray(survey.noise_correlation)
    if correlation.size == 0:
        return ()
    factor = math.exp(rng.normal(0.0, observing.noise_correlation_scatter))
    factor = min(factor, 0.98 * _largest_factor(correlation))
    return tuple(float(lag) for lag in factor * correlation)


def _largest_factor(correlation: np.ndarray) -> float:
    """By how much correlations may grow before noise would need negative power at some frequency.

    The power spectrum along an axis is ``1 + 2 sum_k rho_k cos(k w)``.
    """
    frequencies = np.linspace(0.0, math.pi, 65)
    lags = np.arange(1, correlation.size + 1)
    lowest = float(np.min(2.0 * np.cos(np.outer(frequencies, lags)) @ correlation))
    return -1.0 / lowest if lowest < 0.0 else math.inf


def photon_fluxes(survey: Survey, noise_sigma: tuple[float, ...]) -> tuple[float, ...]:
    """Flux of one photon in each band: the sky's noise is that of its own photons.

    The variance of the sky of flux s in a pixel is ``s`` times the flux of a
    photon, so this is ``noise_sigma**2 / s``.

    Parameters
    ----------
    survey : Survey
        Its sky brightness, or that of a dark site where it states none.
    noise_sigma : tuple of float
        Sky sigma in one pixel of each band.

    Returns
    -------
    tuple of float
        ``(band,)``, in flux units.
    """
    fluxes = []
    for number, (band, sigma) in enumerate(zip(survey.bands, noise_sigma, strict=True)):
        stated = survey.conditions[number].sky_mag_arcsec2 if survey.conditions else math.nan
        sky_mag = stated if math.isfinite(stated) else _DARK_SKY.get(band.name, _OTHER_SKY)
        sky_flux = 10.0 ** (-0.4 * (sky_mag - band.zero_point_mag)) * survey.pixel_scale_arcsec**2
        fluxes.append(float(sigma**2 / sky_flux))
    return tuple(fluxes)
