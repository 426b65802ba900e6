"""Fronts: raw flux of any survey to numbers that a stem can learn from."""

from __future__ import annotations

from functools import singledispatch

from lensdetect.errors import InputError
from lensdetect.network.layers import AsinhStretch, BadPixels, PublishedScaling
from lensdetect.network.spec import AsinhFront, PublishedFront
from lensdetect.survey import Band, flux_from_mag


@singledispatch
def build_front(spec, cutouts, *, bands: tuple[Band, ...]):
    """Preprocess raw flux.

    Parameters
    ----------
    spec : PublishedFront or AsinhFront
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
    raise InputError(f"front must be PublishedFront or AsinhFront, got {type(spec).__name__}")


@build_front.register
def _(spec: PublishedFront, cutouts, *, bands: tuple[Band, ...]):
    names = [band.name for band in bands]
    unknown = sorted(set(names) - set(spec.band_order))
    if unknown:
        raise InputError(
            f"the published preprocessing takes the bands {', '.join(spec.band_order)}, got {', '.join(unknown)}: "
            "give PublishedFront another band_order"
        )
    order = [names.index(name) for name in spec.band_order if name in names]
    clip_flux = [spec.clip_flux * float(flux_from_mag(0.0, bands[index].zero_point_mag)) for index in order]
    return PublishedScaling(order, clip_flux, spec.scale, name="front_scaling")(cutouts), None


@build_front.register
def _(spec: AsinhFront, cutouts, *, bands: tuple[Band, ...]):
    images = AsinhStretch([band.noise_sigma for band in bands], name="front_stretch")(cutouts)
    return images, BadPixels(name="front_bad_pixels")(cutouts)
