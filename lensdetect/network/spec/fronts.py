"""Fronts as rows: what is done to raw flux before the first convolution."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedFront:
    """Preprocessing of the published detectors.

    Bad pixels become 0, flux is clipped to ``+-clip_flux`` and scaled so that
    ``clip_flux`` is ``scale`` (Thuruthipilly+ 2022, after CMU DeepLens).

    Parameters
    ----------
    band_order : tuple of str
        Order in which the published network takes the bands; those that the
        detector lacks are left out.
    clip_flux : float
        In flux units of AB zero point 0.
    scale : float
        Value of ``clip_flux`` after scaling.
    """

    band_order: tuple[str, ...] = ("r", "i", "g", "u")
    clip_flux: float = 1e-9
    scale: float = 100.0


@dataclass(frozen=True)
class StandardFront:
    """Flux less a mean, over a standard deviation; bad pixels count as no flux.

    The defaults are the constants of the LASTRO EPFL entry for the ground-based
    challenge (Schaefer+ 2018, A&A 611 A2), one pair for all bands.

    Parameters
    ----------
    mean_flux : float
        In flux units of AB zero point 0.
    sigma_flux : float
        In the same units.
    band_order : tuple of str
        Order in which the published network takes the bands; those that the
        detector lacks are left out.
    """

    mean_flux: float = 1.685e-12
    sigma_flux: float = 5.122e-11
    band_order: tuple[str, ...] = ("r", "i", "g", "u")


@dataclass(frozen=True)
class PeakFront:
    """Flux over the brightest pixel of the cutout, then a power; no flux below 0.

    One peak for all bands, so that colours stay.

    Parameters
    ----------
    power : float
        0.5 is the square root that the searches in KiDS stretch with.
    """

    power: float = 0.5


@dataclass(frozen=True)
class AsinhFront:
    """Noise-scaled asinh stretch, with one plane a band that marks bad pixels.

    ``asinh(flux / noise_sigma)`` is linear below the sky noise and logarithmic
    above it, so that a faint arc and a bright bulge are of the same order.
    """


@dataclass(frozen=True)
class MeasuredFront:
    """The same stretch with sky and noise measured in each plane of the cutout, whatever survey it is of.

    It needs no sky that is subtracted. A band counts in units of its own noise, which gives up the colour, or
    all bands in units of one depth of the cutout.

    Parameters
    ----------
    subtract_light : bool
        Whether each plane is given once more, without the smooth light of the
        galaxy in the middle.
    keep_colour : bool
        Whether the noise of all bands is scaled by one factor, measured in the cutout, from that of the survey.
    """

    subtract_light: bool = False
    keep_colour: bool = False


Front = PublishedFront | StandardFront | PeakFront | AsinhFront | MeasuredFront
