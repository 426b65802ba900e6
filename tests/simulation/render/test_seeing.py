"""The PSF: its width, its far wings, and that the frame does not show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, special

from lensdetect.simulation.render import expose, typical_conditions
from lensdetect.simulation.render.seeing import psf_transfer
from lensdetect.simulation.scene import StarLight
from lensdetect.survey import SURVEYS, flux_from_mag

BOLOGNA = SURVEYS["bologna"]
TYPICAL = typical_conditions(BOLOGNA)
MAGS = (19.0, 18.5, 18.0, 17.5, 17.3, 17.2)


def moffat_scale(band) -> float:
    return band.psf_fwhm_arcsec / (2 * np.sqrt(2 ** (1 / band.psf_beta) - 1))


def moffat(distance_arcsec, band) -> np.ndarray:
    """Per square arcsec."""
    scale = moffat_scale(band)
    return (band.psf_beta - 1) / (math.pi * scale**2) * (1 + (distance_arcsec / scale) ** 2) ** -band.psf_beta


@pytest.mark.parametrize("beta", [2.2, 2.5, 3.0, 4.765])
def test_transfer_is_the_transform_of_the_moffat_profile(beta):
    frequency = np.array([0.0, 0.3, 1.0, 3.0, 6.0], np.float32)
    scale = 0.8 / (2 * math.sqrt(2 ** (1 / beta) - 1))
    radius = np.linspace(0.0, 400.0, 2_000_001)
    profile = 2 * (beta - 1) / scale**2 * (1 + (radius / scale) ** 2) ** -beta * radius
    direct = [integrate.simpson(profile * special.j0(k * radius), x=radius) for k in frequency]
    assert psf_transfer(0.8, beta, frequency=frequency) == pytest.approx(direct, abs=3e-4)


def test_infinite_beta_is_a_gaussian():
    frequency = np.linspace(0.0, 12.0, 30, dtype=np.float32)
    sigma = 0.8 / math.sqrt(8 * math.log(2))
    wanted = np.exp(-0.5 * (frequency * sigma) ** 2)
    assert psf_transfer(0.8, math.inf, frequency=frequency) == pytest.approx(wanted, abs=1e-5)


def test_star_has_the_position_and_width_of_the_psf(scene_of):
    image = expose(scene_of(stars=(StarLight(0.33, -0.27, MAGS),)), BOLOGNA, conditions=TYPICAL).foreground
    axis = (np.arange(101) - 50) * 0.2
    for number, band in enumerate(BOLOGNA.bands):
        plane = image[..., number].astype(float)
        total = plane.sum()
        assert (plane.sum(axis=0) @ axis) / total == pytest.approx(0.33, abs=0.02)
        assert (plane.sum(axis=1) @ axis) / total == pytest.approx(-0.27, abs=0.02)
        distance = np.hypot(axis - 0.33, axis[:, None] + 0.27)
        half = distance[plane > 0.5 * plane.max()].max()
        assert half == pytest.approx(0.5 * band.psf_fwhm_arcsec, abs=0.14)  # two thirds of a pixel
        # wings: a Moffat profile keeps light where a Gaussian has none
        beyond = 1.0 - plane[distance < 2.0].sum() / flux_from_mag(MAGS[number], 0.0)
        scale = moffat_scale(band)
        assert beyond == pytest.approx((1 + (2.0 / scale) ** 2) ** (1 - band.psf_beta), rel=0.1)


def test_far_wings_are_the_moffat_profiles(scene_of):
    # 40 pixels from the star: a kernel of 101 pixels or more
    image = expose(scene_of(stars=(StarLight(0.0, 0.0, MAGS),)), BOLOGNA, conditions=TYPICAL).foreground
    axis = (np.arange(101) - 50) * 0.2
    at = np.abs(np.hypot(axis, axis[:, None]) - 40 * 0.2) < 0.1
    for number, band in enumerate(BOLOGNA.bands):
        distance = np.hypot(axis, axis[:, None])[at]
        wanted = flux_from_mag(MAGS[number], 0.0) * moffat(distance, band) * 0.2**2
        assert image[..., number][at].mean() == pytest.approx(wanted.mean(), rel=0.03)


def test_a_star_at_one_edge_does_not_shine_at_the_other(scene_of):
    image = expose(scene_of(stars=(StarLight(-10.0, 0.0, MAGS),)), BOLOGNA, conditions=TYPICAL).foreground
    for number, band in enumerate(BOLOGNA.bands):
        peak, opposite = image[50, 0, number], image[50, 100, number]
        # what comes around the frame comes from 50 pixels or more away
        assert opposite < 2.0 * flux_from_mag(MAGS[number], 0.0) * moffat(50 * 0.2, band) * 0.2**2
        assert opposite < 1e-3 * peak
    assert image.min() > -1e-3 * image.max()
