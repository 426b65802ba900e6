"""Under which conditions one stamp is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.survey import Survey


@dataclass(frozen=True, eq=False)
class Conditions:
    """Under which one stamp is taken; tuples in the order of the survey's bands.

    Parameters
    ----------
    psf_fwhm_arcsec : tuple of float
        Width of the PSF.
    noise_sigma : tuple of float
        Standard deviation of the sky in one pixel, in flux.
    noise_correlation : tuple of float
        Correlation of the sky between pixels 1, 2, 3 apart along an axis; empty for white noise.
    photon_flux : tuple of float
        Flux of one detected photon: the variance of an object's flux f is f
        times this; empty for no photon noise.
    gain : tuple of float
        Factor by which the flux of everything on the sky is off (an error of the
        zero point); empty for none.
    masked : ndarray, optional
        bool ``(size, size, band)``, True where a pixel is NaN.
    """

    psf_fwhm_arcsec: tuple[float, ...]
    noise_sigma: tuple[float, ...]
    noise_correlation: tuple[float, ...] = ()
    photon_flux: tuple[float, ...] = ()
    gain: tuple[float, ...] = ()
    masked: np.ndarray | None = None


def typical_conditions(survey: Survey) -> Conditions:
    """The survey's typical PSF and white noise, no masks.

    Parameters
    ----------
    survey : Survey

    Returns
    -------
    Conditions
    """
    return Conditions(
        psf_fwhm_arcsec=tuple(band.psf_fwhm_arcsec for band in survey.bands),
        noise_sigma=tuple(band.noise_sigma for band in survey.bands),
    )
