"""Stamps: fluxes, rings, seeing, sky, masks and the truth measured on them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.simulation import BolognaPopulation, render_stamp
from lensdetect.simulation.bologna import ObservingPopulation
from lensdetect.simulation.bologna.observing import draw_mask
from lensdetect.simulation.conditions import Conditions, typical_conditions
from lensdetect.simulation.render.deflection import ellipticity, trace_rays
from lensdetect.simulation.render.sky import draw_sky
from lensdetect.simulation.render.stamp import expose, measure_arcs
from lensdetect.simulation.scene import IsothermalMass, Scene, SersicLight, SpiralArms, StarLight
from lensdetect.stamps import TRUTH_COLUMNS
from lensdetect.survey import SURVEYS, flux_from_mag

BOLOGNA = SURVEYS["bologna"]
TYPICAL = typical_conditions(BOLOGNA)
STEADY = BolognaPopulation(observing=ObservingPopulation(noise_scatter=0.0, masked_fraction=0.0))
ALL_MAGS = (19.0, 18.5, 18.0, 17.5, 17.3, 17.2)
MAGS = ALL_MAGS[:4]
R = BOLOGNA.band_names.index("r")


def scene_of(*, light=(), stars=(), source=(), mass=None, real_like=False) -> Scene:
    mass = mass or IsothermalMass(0.0, 0.0, 1.0)
    return Scene("elliptical", mass.einstein_radius_arcsec, (mass,), (0.0, 0.0), light, stars, source, real_like)


def axis_arcsec(size: int) -> np.ndarray:
    return (np.arange(size) - 0.5 * (size - 1)) * BOLOGNA.pixel_scale_arcsec


@pytest.mark.parametrize(
    "index, radius_arcsec, axis_ratio, arms",
    [
        (1.0, 0.6, 0.5, None),
        (4.0, 0.3, 0.6, None),
        (2.5, 0.08, 0.8, None),
        (1.0, 1.2, 0.6, SpiralArms(2, 0.8, 4.0, 1.0)),
        (0.5, 0.1, 1.0, None),
    ],
)
def test_flux_is_that_of_the_magnitude(index, radius_arcsec, axis_ratio, arms):
    light = SersicLight(0.03, -0.07, radius_arcsec, index, axis_ratio, 0.7, MAGS, arms)
    image = expose(scene_of(light=(light,)), BOLOGNA, conditions=TYPICAL, size=251).foreground
    mags = -2.5 * np.log10(image.sum(axis=(0, 1), dtype=float))
    assert mags == pytest.approx(MAGS, abs=0.02)


def test_half_the_light_is_within_the_half_light_radius():
    light = SersicLight(0.0, 0.0, 4.0, 1.0, 1.0, 0.0, MAGS)
    image = expose(scene_of(light=(light,)), BOLOGNA, conditions=TYPICAL, size=301).foreground[..., R]
    axis = axis_arcsec(301)
    within = np.hypot(axis, axis[:, None]) < 4.0
    # the wings of the PSF carry a little of it out
    assert image[within].sum() / flux_from_mag(MAGS[R], 0.0) == pytest.approx(0.49, abs=0.01)


def test_star_has_the_position_and_width_of_the_psf():
    star = StarLight(0.33, -0.27, MAGS)
    image = expose(scene_of(stars=(star,)), BOLOGNA, conditions=TYPICAL).foreground
    axis = axis_arcsec(101)
    for number, band in enumerate(BOLOGNA.bands):
        plane = image[..., number].astype(float)
        total = plane.sum()
        assert (plane.sum(axis=0) @ axis) / total == pytest.approx(0.33, abs=0.02)
        assert (plane.sum(axis=1) @ axis) / total == pytest.approx(-0.27, abs=0.02)
        distance = np.hypot(axis - 0.33, axis[:, None] + 0.27)
        half = distance[plane > 0.5 * plane.max()].max()
        assert half == pytest.approx(0.5 * band.psf_fwhm_arcsec, abs=0.14)  # two thirds of a pixel
        # wings: a Moffat profile keeps light where a Gaussian has none
        beyond = 1.0 - plane[distance < 2.0].sum() / total
        scale = band.psf_fwhm_arcsec / (2 * np.sqrt(2 ** (1 / band.psf_beta) - 1))
        assert beyond == pytest.approx((1 + (2.0 / scale) ** 2) ** (1 - band.psf_beta), rel=0.1)


@pytest.mark.parametrize("radius_arcsec, axis_ratio", [(1.2, 1.0), (2.5, 0.98), (5.0, 0.98)])
def test_ring_of_a_centred_source_has_the_einstein_radius(radius_arcsec, axis_ratio):
    source = SersicLight(0.0, 0.0, 0.05, 1.0, 1.0, 0.0, MAGS)
    scene = scene_of(mass=IsothermalMass(0.0, 0.0, radius_arcsec, axis_ratio, 0.4), source=(source,))
    arcs = expose(scene, BOLOGNA, conditions=TYPICAL).arcs[..., R]
    axis = axis_arcsec(101)
    distance = np.hypot(axis, axis[:, None])
    bins = np.arange(0.0, 8.0, 0.1)
    which = np.digitize(distance, bins)
    profile = [arcs[which == number].mean() if (which == number).any() else 0.0 for number in range(1, len(bins))]
    peak = bins[int(np.argmax(profile))] + 0.05
    assert peak == pytest.approx(radius_arcsec, abs=0.5 * BOLOGNA.pixel_scale_arcsec)


def test_source_far_away_keeps_its_flux():
    source = SersicLight(3.0, 0.0, 0.3, 1.0, 0.7, 0.0, MAGS)
    scene = scene_of(mass=IsothermalMass(0.0, 0.0, 1e-4), source=(source,))
    arcs = expose(scene, BOLOGNA, conditions=TYPICAL, size=201).arcs
    assert -2.5 * np.log10(arcs.sum(axis=(0, 1), dtype=float)) == pytest.approx(MAGS, abs=0.02)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # raised inside lenstronomy's own imports
def test_deflection_is_lenstronomys():
    from lenstronomy.LensModel.lens_model import LensModel

    masses = (IsothermalMass(0.05, -0.03, 1.4, 0.7, 0.6), IsothermalMass(3.0, 1.0, 0.3))
    axis = np.linspace(-5.0, 5.0, 40)
    x, y = (array.ravel() for array in np.meshgrid(axis, axis))
    ours = trace_rays(x, y, masses=masses, shear=(0.03, -0.02))
    e1, e2 = ellipticity(0.7, 0.6)
    model = LensModel(["SIE", "SIS", "SHEAR"])
    theirs = model.ray_shooting(
        x,
        y,
        [
            {"theta_E": 1.4, "e1": e1, "e2": e2, "center_x": 0.05, "center_y": -0.03},
            {"theta_E": 0.3, "center_x": 3.0, "center_y": 1.0},
            {"gamma1": 0.03, "gamma2": -0.02, "ra_0": 0.05, "dec_0": -0.03},
        ],
    )
    assert np.allclose(ours, theirs, atol=1e-10)


def test_sky_has_the_sigma_of_each_band(rng):
    pixels = render_stamp(scene_of(), BOLOGNA, observing=STEADY, rng=rng).pixels
    assert pixels.dtype == np.float32
    assert pixels.shape == (101, 101, 4)
    sigma = [band.noise_sigma for band in BOLOGNA.bands]
    assert pixels.std(axis=(0, 1)) == pytest.approx(sigma, rel=0.03)
    assert np.abs(np.median(pixels, axis=(0, 1)) / sigma).max() < 0.06


def test_real_like_sky_is_stronger_and_correlated(rng):
    stamps = [render_stamp(scene_of(real_like=True), BOLOGNA, observing=STEADY, rng=rng).pixels for _ in range(5)]
    for pixels in stamps:
        ratio = pixels.std(axis=(0, 1)) / [band.noise_sigma for band in BOLOGNA.bands]
        assert np.all((ratio > 2.4 * 0.96) & (ratio < 3.9 * 1.04))
        for band in range(4):
            neighbours = np.corrcoef(pixels[:, 1:, band].ravel(), pixels[:, :-1, band].ravel())[0, 1]
            assert 0.14 - 0.04 < neighbours < 0.19 + 0.04


def test_correlated_sky_keeps_its_sigma(rng):
    sky = draw_sky(300, dataclasses.replace(TYPICAL, noise_correlation=0.16), rng=rng)
    assert sky.std(axis=(0, 1)) == pytest.approx(TYPICAL.noise_sigma, rel=0.02)
    assert np.corrcoef(sky[1:, :, R].ravel(), sky[:-1, :, R].ravel())[0, 1] == pytest.approx(0.16, abs=0.015)


def test_masked_pixels_are_nan_band_by_band(rng):
    observing = dataclasses.replace(STEADY, masked_fraction=1.0)
    stamps = [render_stamp(scene_of(), BOLOGNA, observing=observing, rng=rng).pixels for _ in range(12)]
    masked = np.isnan(np.array(stamps)).mean(axis=(1, 2))
    assert 0.2 < (masked > 0).mean() < 0.7
    assert any(len(set(row)) > 1 for row in masked)  # bands have holes of their own
    assert np.median(masked[masked > 0]) < 0.05


def test_a_share_of_the_stamps_has_masks(rng):
    observing = ObservingPopulation()
    masks = [draw_mask(51, 4, observing=observing, rng=rng) for _ in range(1500)]
    share = np.mean([mask.any() for mask in masks])
    some = 1.0 - (1.0 - observing.masked_band_fraction) ** 4
    assert share == pytest.approx(observing.masked_fraction * some, abs=0.035)
    assert max(mask.mean(axis=(0, 1)).max() for mask in masks) > 0.1  # large ones occur


def test_arcs_are_counted_in_the_reference_band():
    arcs = np.zeros((5, 5, 4), np.float32)
    sigma = np.array(TYPICAL.noise_sigma)
    arcs[0, :3, R] = np.array([0.9, 1.5, 3.0]) * sigma[R]
    arcs[1, 0, 0] = 4.0 * sigma[0]
    truth = measure_arcs(arcs, BOLOGNA, conditions=TYPICAL)
    assert truth["arc_pixel_count"] == 2
    assert truth["arc_flux_sigma"] == pytest.approx(4.5, rel=1e-6)
    assert truth["arc_snr"] == pytest.approx(np.sqrt(0.81 + 2.25 + 9.0 + 16.0), rel=1e-6)


def test_truth_of_lenses_and_others(rng):
    scenes = [draw_scene(Population(), rng=rng) for _ in range(12)]
    for scene in scenes:
        truth = render_stamp(scene, BOLOGNA, rng=rng, name="7", seed=3, size=51).truth
        assert set(truth) == set(TRUTH_COLUMNS)
        assert truth["is_lens"] == truth["has_source"] == scene.has_source
        assert truth["kind"] == ("lens" if scene.has_source else scene.kind)
        assert truth["einstein_radius_arcsec"] > 0.25
        assert (truth["arc_snr"] > 0) == scene.has_source
        assert (truth["id"], truth["seed"]) == ("7", 3)


def test_same_seed_same_pixels():
    scene = draw_scene(Population(), rng=np.random.default_rng(1))
    first, second = (render_stamp(scene, BOLOGNA, rng=np.random.default_rng(2)).pixels for _ in range(2))
    assert np.array_equal(first, second, equal_nan=True)


def test_survey_with_a_foreign_band_is_refused(rng):
    foreign = dataclasses.replace(BOLOGNA, bands=(dataclasses.replace(BOLOGNA.bands[0], name="y"),), name="far")
    scene = scene_of(stars=(StarLight(0.0, 0.0, MAGS),))
    with pytest.raises(InputError, match=r"survey far has band y, .* u, g, r, i: use a survey"):
        render_stamp(scene, foreign, rng=rng)
