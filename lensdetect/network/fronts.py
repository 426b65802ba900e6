"""Fronts: raw flux of any survey to numbers that a stem can learn from."""

from __future__ import annotations

from functools import singledispatch

from lensdetect.errors import InputError
from lensdetect.network.layers import AsinhStretch, BadPixels, PublishedScaling
from lensdetect.network.measuring import MeasuredStretch
from lensdetect.network.naming import any_of
from lensdetect.network.scaling import PeakScaling, StandardScaling
from lensdetect.network.spec import AsinhFront, Front, MeasuredFront, PeakFront, PublishedFront, StandardFront
from lensdetect.survey import Band, flux_from_mag


@singledispatch
def build_front(spec, cutouts, *, bands: tuple[Band, ...]):
    """Preprocess raw flux.

    Parameters
    ----------
    spec : Front
        Which front.
    cutouts : KerasTensor
        ``(n, height, width, band)``, raw flux, NaN where bad.
    bands : tuple of Band
        Zero point and noise of each band.

    Returns
    -------
    images : KerasTensor
        float32 ``(n, height, width, band)``, no NaN.
    bad : KerasTensor or None
        float32 of the same shape, 1 where a pixel is bad, for fronts that tell.

    Raises
    ------
    InputError
        If ``spec`` is no front.
    """
    raise InputError(f"front must be {any_of(Front)}, got {type(spec).__name__}")


@build_front.register
def _(spec: PublishedFront, cutouts, *, bands: tuple[Band, ...]):
    order = _published_order(spec, bands)
    clip_flux = [spec.clip_flux * _flux_of_mag_0(bands[index]) for index in order]
    return PublishedScaling(order, clip_flux, spec.scale, name="front_scaling")(cutouts), None


@build_front.register
def _(spec: StandardFront, cutouts, *, bands: tuple[Band, ...]):
    order = _published_order(spec, bands)
    unit_flux = [_flux_of_mag_0(bands[index]) for index in order]
    mean, sigma = ([value * unit for unit in unit_flux] for value in (spec.mean_flux, spec.sigma_flux))
    return StandardScaling(order, mean, sigma, name="front_scaling")(cutouts), None


@build_front.register
def _(spec: PeakFront, cutouts, *, bands: tuple[Band, ...]):
    unit_flux = [_flux_of_mag_0(band) for band in bands]
    return PeakScaling(unit_flux, spec.power, name="front_scaling")(cutouts), None


def _published_order(spec: PublishedFront | StandardFront, bands: tuple[Band, ...]) -> list[int]:
    """Index among the bands of each band that the published network takes."""
    names = [band.name for band in bands]
    unknown = sorted(set(names) - set(spec.band_order))
    if unknown:
        raise InputError(
            f"the published preprocessing takes the bands {', '.join(spec.band_order)}, got {', '.join(unknown)}: "
            f"give {type(spec).__name__} another band_order"
        )
    return [names.index(name) for name in spec.band_order if name in names]


def _flux_of_mag_0(band: Band) -> float:
    """What turns flux of AB zero point 0 into flux of the band."""
    return float(flux_from_mag(0.0, band.zero_point_mag))


@build_front.register
def _(spec: AsinhFront, cutouts, *, bands: tuple[Band, ...]):
    images = AsinhStretch([band.noise_sigma for band in bands], name="front_stretch")(cutouts)
    return images, BadPixels(name="front_bad_pixels")(cutouts)


@build_front.register
def _(spec: MeasuredFront, cutouts, *, bands: tuple[Band, ...]):
    noise_sigma = [band.noise_sigma for band in bands] if spec.keep_colour else None
    stretch = MeasuredStretch(subtract_light=spec.subtract_light, noise_sigma=noise_sigma, name="front_stretch")
    return stretch(cutouts), BadPixels(name="front_bad_pixels")(cutouts)
