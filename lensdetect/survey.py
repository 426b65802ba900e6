"""Surveys as rows: bands, zero points, noise and PSF, with their sources.

Flux and magnitude are tied by the zero point, the AB magnitude of one unit of
flux: ``flux = 10 ** (-0.4 * (mag - zero_point_mag))``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError, unknown_name


@dataclass(frozen=True)
class Band:
    """One filter of a survey.

    Parameters
    ----------
    name : str
        Name of the band, as in ``survey.band_names``.
    zero_point_mag : float
        AB magnitude of one flux unit.
    noise_sigma : float
        Typical standard deviation of the sky in one pixel, in flux units.
    psf_fwhm_arcsec : float
        Typical full width at half maximum of the PSF, in arcsec.
    psf_beta : float
        Index of the Moffat profile of the PSF; infinity is a Gaussian.
    """

    name: str
    zero_point_mag: float
    noise_sigma: float
    psf_fwhm_arcsec: float
    psf_beta: float


@dataclass(frozen=True)
class BandConditions:
    """How one filter of a survey varies over its fields; what simulated skies are drawn from.

    Parameters
    ----------
    psf_fwhm_range_arcsec : tuple of float
        5th and 95th percentile over fields of the width of the PSF, in arcsec.
    noise_range : tuple of float
        The same of the sky sigma in one pixel, in flux units.
    sky_mag_arcsec2 : float
        Brightness of the sky, AB mag per square arcsec. The sky's noise tells
        with it how many photons a flux unit is: the photon noise of an object
        of flux f has the variance ``noise_sigma**2 * f / (sky flux in one pixel)``.
    made_of : tuple of (str, float)
        Where simulated galaxies have no magnitude in this very filter: the
        bands whose fluxes are averaged, with their weights; empty for itself.
    """

    psf_fwhm_range_arcsec: tuple[float, float]
    noise_range: tuple[float, float]
    sky_mag_arcsec2: float
    made_of: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Survey:
    """The conditions under which a set of images was taken.

    Parameters
    ----------
    name : str
        Key of the survey in ``SURVEYS``.
    bands : tuple of Band
        In the order of the last axis of every cutout.
    pixel_scale_arcsec : float
        Side of one pixel, in arcsec.
    reference_band : str
        Band in which arcs are counted and pictures are made sharpest.
    masked_value : float or None
        Pixel value that marks a masked pixel on disk, beside non-finite ones.
    file_band_order : tuple of str
        Order in which the survey's own files number the bands.
    source : str
        Where the numbers come from.
    conditions : tuple of BandConditions
        One for each band; empty where nothing but typical values is known.
    noise_correlation : tuple of float
        Correlation of the sky of coadded images between pixels 1, 2, 3 apart
        along an axis; empty for white noise.
    """

    name: str
    bands: tuple[Band, ...]
    pixel_scale_arcsec: float
    reference_band: str
    masked_value: float | None
    file_band_order: tuple[str, ...]
    source: str
    conditions: tuple[BandConditions, ...] = ()
    noise_correlation: tuple[float, ...] = ()

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands, in array order."""
        return tuple(band.name for band in self.bands)

    def select(self, names: Iterable[str]) -> tuple[Band, ...]:
        """Bands of this survey by name.

        Parameters
        ----------
        names : iterable of str
            Names in the wanted order.

        Returns
        -------
        tuple of Band

        Raises
        ------
        InputError
            If a name is not a band of this survey.
        """
        rows = {band.name: band for band in self.bands}
        for name in names:
            if name not in rows:
                raise unknown_name(f"band of survey {self.name}", name, rows)
        return tuple(rows[name] for name in names)


# Noise: sky sigma measured on the pure mock stamps among the genuine challenge
# stamps (Metcalf+ 2019, A&A 625 A119). The challenge took its PSFs from KiDS and
# printed no width; the KiDS DR4 medians stand in, and agree with the upper
# limits from the most compact objects of the genuine stamps (0.82 r, 0.81 i,
# 0.85 g, 1.5 u arcsec). Zero point 0 is inferred from the depths it implies.
_BOLOGNA = Survey(
    name="bologna",
    bands=(
        Band("u", 0.0, 2.02e-12, 0.94, 2.20),
        Band("g", 0.0, 1.26e-12, 0.83, 2.20),
        Band("r", 0.0, 1.52e-12, 0.65, 2.51),
        Band("i", 0.0, 3.20e-12, 0.80, 2.58),
    ),
    pixel_scale_arcsec=0.2,
    reference_band="r",
    masked_value=100.0,
    file_band_order=("r", "i", "g", "u"),
    source="Bologna Lens Challenge, ground based: Metcalf+ 2019, A&A 625 A119; sky measured on genuine stamps",
)

# Medians over 108 real DR4 tiles; the survey is described in Kuijken+ 2019.
_KIDS = Survey(
    name="kids",
    bands=(
        Band("u", 0.0, 5.3e-12, 0.94, 2.20),
        Band("g", 0.0, 2.2e-12, 0.83, 2.20),
        Band("r", 0.0, 2.4e-12, 0.65, 2.51),
        Band("i", 0.0, 7.9e-12, 0.80, 2.58),
    ),
    pixel_scale_arcsec=0.2,
    reference_band="r",
    masked_value=None,
    file_band_order=("u", "g", "r", "i"),
    source="Kilo-Degree Survey DR4: Kuijken+ 2019, A&A 625 A2; medians over 108 tiles",
)

SURVEYS: dict[str, Survey] = {survey.name: survey for survey in (_BOLOGNA, _KIDS)}


def get_survey(name: str) -> Survey:
    """Survey by name.

    Parameters
    ----------
    name : str
        A key of ``SURVEYS``.

    Returns
    -------
    Survey

    Raises
    ------
    InputError
        If there is no such survey; the message holds the nearest names.
    """
    if name not in SURVEYS:
        raise unknown_name("survey", name, SURVEYS)
    return SURVEYS[name]


def flux_from_mag(mag, zero_point_mag: float):
    """Flux of an AB magnitude.

    Parameters
    ----------
    mag : float or ndarray
        AB magnitude.
    zero_point_mag : float
        AB magnitude of one flux unit.

    Returns
    -------
    float or ndarray
        Flux in the survey's units.
    """
    return 10.0 ** (-0.4 * (np.asarray(mag, dtype=float) - zero_point_mag))


def mag_from_flux(flux, zero_point_mag: float):
    """AB magnitude of a flux; the inverse of ``flux_from_mag``.

    Parameters
    ----------
    flux : float or ndarray
        Flux in the survey's units, greater than zero; NaN (masked) stays NaN.
    zero_point_mag : float
        AB magnitude of one flux unit.

    Returns
    -------
    float or ndarray
        AB magnitude.

    Raises
    ------
    InputError
        If a flux is zero or negative.
    """
    flux = np.asarray(flux, dtype=float)
    if np.any(flux <= 0):
        raise InputError(f"a magnitude needs flux > 0, got a minimum of {np.nanmin(flux):g}: set such pixels to NaN")
    return zero_point_mag - 2.5 * np.log10(flux)
