"""Noiseless images: flux, size, place and seeing of all that can be in a scene."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lensdetect.simulation.render import band_fluxes, expose, typical_conditions
from lensdetect.simulation.scene import (
    ImageLight,
    IsothermalMass,
    RingLight,
    SersicLight,
    SpiralArms,
    StarLight,
)
from lensdetect.survey import SURVEYS, Band, BandConditions, Survey, flux_from_mag

BOLOGNA = SURVEYS["bologna"]
TYPICAL = typical_conditions(BOLOGNA)
MAGS = (19.0, 18.5, 18.0, 17.5, 17.3, 17.2)
R = BOLOGNA.band_names.index("r")
FAINT_MASS = IsothermalMass(0.0, 0.0, 1e-4)

#: Sharp and undersampled, from a band in which galaxies have no magnitude of their own.
SPACE = Survey(
    name="space",
    bands=(Band("vis", 25.0, 0.01, 0.17, 2.5),),
    pixel_scale_arcsec=0.1,
    reference_band="vis",
    masked_value=None,
    file_band_order=("vis",),
    source="made up for this test",
    conditions=(BandConditions((0.16, 0.18), (0.01, 0.01), 22.3, made_of=(("r", 0.5), ("i", 0.4), ("z", 0.1))),),
)


def axis_arcsec(size: int, pixel_arcsec: float = 0.2) -> np.ndarray:
    return (np.arange(size) - 0.5 * (size - 1)) * pixel_arcsec


def clumpy_image(size: int, rng: np.random.Generator) -> np.ndarray:
    """A galaxy as a sharp telescope sees it: clumps a few pixels wide, nothing at the rim."""
    axis = np.arange(size) - 0.5 * (size - 1)
    image = np.zeros((size, size))
    for x, y in rng.normal(0.0, 0.12 * size, (12, 2)):
        image += rng.uniform(0.2, 1.0) * np.exp(-((axis - x) ** 2 + (axis[:, None] - y) ** 2) / (2 * 1.5**2))
    return (image / image.sum()).astype(np.float32)


def flux_error(image: np.ndarray, survey: Survey = BOLOGNA) -> float:
    return float(np.abs(image.sum(axis=(0, 1), dtype=float) / band_fluxes(MAGS, survey) - 1.0).max())


@pytest.mark.parametrize(
    "index, radius_arcsec, axis_ratio, arms",
    [
        (1.0, 0.6, 0.5, None),
        (4.0, 0.3, 0.6, None),
        (2.5, 0.08, 0.8, None),
        (1.0, 1.2, 0.6, SpiralArms(2, 0.8, 4.0, 1.0)),
        (0.5, 0.1, 1.0, None),
        (1.0, 0.3, 0.2, None),
    ],
)
def test_flux_is_that_of_the_magnitude(scene_of, index, radius_arcsec, axis_ratio, arms):
    light = SersicLight(0.03, -0.07, radius_arcsec, index, axis_ratio, 0.7, MAGS, arms)
    image = expose(scene_of(light=(light,)), BOLOGNA, conditions=TYPICAL, size=251).foreground
    assert -2.5 * np.log10(image.sum(axis=(0, 1), dtype=float)) == pytest.approx(MAGS[:4], abs=0.02)


def test_seeing_and_binning_keep_the_flux(scene_of):
    star = StarLight(0.33, -0.27, MAGS)
    compact = SersicLight(0.1, 0.2, 0.3, 0.5, 0.7, 0.4, MAGS)
    for scene in (scene_of(stars=(star,)), scene_of(light=(compact,))):
        assert flux_error(expose(scene, BOLOGNA, conditions=TYPICAL, size=351).foreground) < 1e-3


@pytest.mark.parametrize("name", ["bologna", "des", "hsc", "euclid_vis"])
def test_any_survey_gets_the_flux_of_its_bands(scene_of, name):
    survey = SURVEYS[name]
    light = SersicLight(0.3, -0.2, 0.4, 1.0, 0.7, 0.4, MAGS)
    image = expose(scene_of(light=(light,)), survey, conditions=typical_conditions(survey), size=301).foreground
    assert flux_error(image, survey) < 0.01


def test_a_band_made_of_others_has_their_weighted_flux(scene_of):
    fluxes = [flux_from_mag(MAGS[number], 25.0) for number in (2, 3, 4)]
    assert band_fluxes(MAGS, SPACE) == pytest.approx([np.dot(fluxes, (0.5, 0.4, 0.1))])
    star = scene_of(stars=(StarLight(0.04, 0.02, MAGS),))
    image = expose(star, SPACE, conditions=typical_conditions(SPACE), size=301).foreground
    assert flux_error(image, SPACE) < 1e-3


def test_half_the_light_is_within_the_half_light_radius(scene_of):
    light = SersicLight(0.0, 0.0, 4.0, 1.0, 1.0, 0.0, MAGS)
    image = expose(scene_of(light=(light,)), BOLOGNA, conditions=TYPICAL, size=301).foreground[..., R]
    axis = axis_arcsec(301)
    within = np.hypot(axis, axis[:, None]) < 4.0
    # the wings of the PSF carry a little of it out
    assert image[within].sum() / flux_from_mag(MAGS[R], 0.0) == pytest.approx(0.49, abs=0.01)


def test_ring_lies_on_its_ellipse_and_has_its_flux(scene_of):
    ring = RingLight(0.4, -0.3, 2.5, 0.25, 0.6, 0.5, MAGS)
    image = expose(scene_of(light=(ring,)), BOLOGNA, conditions=TYPICAL, size=251).foreground
    assert flux_error(image) < 5e-3
    axis = axis_arcsec(251)
    row, column = np.unravel_index(image[..., R].argmax(), (251, 251))
    along = (axis[column] - 0.4) * np.cos(0.5) + (axis[row] + 0.3) * np.sin(0.5)
    across = (axis[row] + 0.3) * np.cos(0.5) - (axis[column] - 0.4) * np.sin(0.5)
    # narrow across the minor axis, wide across the major one: blurred, it peaks at the ends of the latter
    assert np.sqrt(0.6 * along**2 + across**2 / 0.6) == pytest.approx(2.5, abs=0.3)
    middle = image[125 - 3 : 125 + 1, 125 : 125 + 4, R].mean()
    assert middle < 0.05 * image[..., R].max()


@pytest.mark.parametrize("extent_rad", [0.8, 2.5, 5.9])
def test_part_of_a_ring_has_the_whole_flux_on_its_side(scene_of, extent_rad):
    part = RingLight(0.0, 0.0, 3.0, 0.3, 0.8, 0.2, MAGS, middle_rad=2.0, extent_rad=extent_rad)
    image = expose(scene_of(light=(part,)), BOLOGNA, conditions=TYPICAL, size=251).foreground
    assert flux_error(image) < 5e-3
    axis = axis_arcsec(251)
    plane = image[..., R].astype(float)
    direction = np.arctan2(plane.sum(axis=1) @ axis, plane.sum(axis=0) @ axis)
    assert direction == pytest.approx(2.0, abs=0.1)


def test_image_of_a_galaxy_keeps_flux_place_and_turn(scene_of, rng):
    image = clumpy_image(81, rng)
    light = ImageLight(0.7, -0.4, image, 0.03, 0.9, MAGS)
    seen = expose(scene_of(light=(light,)), BOLOGNA, conditions=TYPICAL, size=301).foreground
    assert flux_error(seen) < 1e-3
    inside, axis = axis_arcsec(81, 0.03), axis_arcsec(301)
    x, y = image.sum(axis=0) @ inside, image.sum(axis=1) @ inside
    plane = seen[..., R].astype(float) / seen[..., R].sum()
    turned = x * np.cos(0.9) - y * np.sin(0.9), x * np.sin(0.9) + y * np.cos(0.9)
    assert plane.sum(axis=0) @ axis == pytest.approx(0.7 + turned[0], abs=0.01)
    assert plane.sum(axis=1) @ axis == pytest.approx(-0.4 + turned[1], abs=0.01)


def test_unlensed_sources_keep_their_flux(scene_of, rng):
    parts = (
        SersicLight(3.0, 0.0, 0.3, 1.0, 0.7, 0.0, MAGS),
        SersicLight(3.0, 0.0, 0.05, 0.5, 1.0, 0.0, MAGS),
        SersicLight(3.0, 0.1, 0.2, 2.0, 0.7, 0.0, MAGS),
        RingLight(3.0, 0.2, 0.5, 0.06, 0.7, 0.3, MAGS),
        ImageLight(3.0, 0.0, clumpy_image(61, rng), 0.03, 0.3, MAGS),
    )
    for source, most in zip(parts, (3e-3, 1e-3, 5e-3, 1e-3, 1e-3), strict=True):
        image = expose(scene_of(mass=FAINT_MASS, source=(source,)), BOLOGNA, conditions=TYPICAL, size=351).arcs
        assert flux_error(image) < most


@pytest.mark.parametrize("kind", ["ring", "image"])
def test_lensed_light_is_magnified_as_a_point_at_its_place(scene_of, rng, kind):
    # a small source far from the caustics of a sphere: image at beta + radius, magnified by 1 + radius / beta
    small = {
        "ring": RingLight(2.0, 0.0, 0.05, 0.015, 1.0, 0.0, MAGS),
        "image": ImageLight(2.0, 0.0, clumpy_image(31, rng), 0.01, 0.0, MAGS),
    }[kind]
    image = expose(scene_of(source=(small,)), BOLOGNA, conditions=TYPICAL, size=351).arcs
    magnified = image.sum(axis=(0, 1), dtype=float) / band_fluxes(MAGS, BOLOGNA)
    assert magnified == pytest.approx(1.0 + 1.0 / 2.0, rel=0.02)


@pytest.mark.parametrize("radius_arcsec, axis_ratio", [(1.2, 1.0), (2.5, 0.98), (5.0, 0.98)])
def test_ring_of_a_centred_source_has_the_einstein_radius(scene_of, radius_arcsec, axis_ratio):
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


def test_a_quasar_is_seen_as_its_magnified_images(scene_of):
    quasar = StarLight(0.4, 0.0, MAGS)
    scene = scene_of(mass=IsothermalMass(0.0, 0.0, 1.5), source_points=(quasar,))
    arcs = expose(scene, BOLOGNA, conditions=TYPICAL, size=251).arcs[..., R].astype(float)
    axis = axis_arcsec(251)
    right, left = arcs[:, axis > 0].sum(), arcs[:, axis < 0].sum()
    unlensed = flux_from_mag(MAGS[R], 0.0)
    # images of a sphere: at beta + radius and beta - radius, magnified by radius / beta + 1 and - 1
    assert right / unlensed == pytest.approx(1.5 / 0.4 + 1.0, rel=0.02)
    assert left / unlensed == pytest.approx(1.5 / 0.4 - 1.0, rel=0.03)
    row, column = np.unravel_index(arcs.argmax(), arcs.shape)
    assert (axis[column], axis[row]) == pytest.approx((1.9, 0.0), abs=0.11)


def test_what_is_too_faint_to_matter_is_left_out(scene_of):
    light = SersicLight(0.0, 0.0, 0.5, 1.0, 1.0, 0.0, (35.0,) * 6)
    scene = scene_of(light=(light,), source=(light,))
    exposure = expose(scene, BOLOGNA, conditions=TYPICAL, size=51)
    assert not exposure.foreground.any()
    assert not exposure.arcs.any()
    loud = dataclasses.replace(TYPICAL, noise_sigma=tuple(1e-6 * sigma for sigma in TYPICAL.noise_sigma))
    assert expose(scene, BOLOGNA, conditions=loud, size=51).foreground.any()
