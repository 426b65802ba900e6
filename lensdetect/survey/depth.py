"""Sky noise in one pixel from the depth that a survey prints."""

from __future__ import annotations

import math

from lensdetect.survey.magnitudes import flux_from_mag


def noise_from_depth(depth_mag: float, zero_point_mag: float, *, snr: float, noise_pixels: float) -> float:
    """Sky sigma in one pixel that gives an object of some magnitude its signal-to-noise ratio.

    White noise sums up to ``sigma * sqrt(noise_pixels)``, so ``sigma =
    flux(depth) / (snr * sqrt(noise_pixels))``. Surveys compute printed depths
    from the noise of pixels in this way; on the 108 KiDS tiles the rms found so
    is 4 to 13 % below the measured one.

    Parameters
    ----------
    depth_mag : float
        AB magnitude of the object.
    zero_point_mag : float
        AB magnitude of one flux unit.
    snr : float
        Signal-to-noise ratio at that magnitude, mostly 5.
    noise_pixels : float
        Pixels whose noise adds up: of ``aperture_pixels`` or ``psf_pixels``.

    Returns
    -------
    float
        In flux units.
    """
    return float(flux_from_mag(depth_mag, zero_point_mag)) / (snr * math.sqrt(noise_pixels))


def aperture_pixels(diameter_arcsec: float, pixel_scale_arcsec: float) -> float:
    """Pixels in a round aperture.

    Parameters
    ----------
    diameter_arcsec : float
        Of the aperture.
    pixel_scale_arcsec : float
        Side of one pixel.

    Returns
    -------
    float
    """
    return math.pi * (0.5 * diameter_arcsec / pixel_scale_arcsec) ** 2


def psf_pixels(fwhm_arcsec: float, pixel_scale_arcsec: float, *, beta: float) -> float:
    """Pixels that count where a point source is measured with its own PSF as the weight.

    It is ``1 / sum(PSF**2)``: ``pi a**2 (2 beta - 1) / (beta - 1)**2`` for a
    Moffat of scale a, and ``2.266 (fwhm / pixel)**2`` for a Gaussian (LSST's
    effective pixels, Ivezic+ 2019, section 3).

    Parameters
    ----------
    fwhm_arcsec : float
        Full width at half maximum of the PSF.
    pixel_scale_arcsec : float
        Side of one pixel.
    beta : float
        Index of the Moffat profile, above 1; infinity is a Gaussian.

    Returns
    -------
    float
    """
    width_pix = fwhm_arcsec / pixel_scale_arcsec
    if math.isinf(beta):
        return math.pi * width_pix**2 / (2.0 * math.log(2.0))
    scale_squared = width_pix**2 / (4.0 * (2.0 ** (1.0 / beta) - 1.0))
    return math.pi * scale_squared * (2.0 * beta - 1.0) / (beta - 1.0) ** 2
