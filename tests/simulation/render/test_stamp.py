"""Stamps: sky, masks, glitches and the truth measured on them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.simulation import BolognaPopulation, Population, render_stamp
from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.render import expose, measure_arcs, observe, typical_conditions
from lensdetect.simulation.scene import Glitch, SersicLight, StarLight
from lensdetect.stamps import TRUTH_COLUMNS
from lensdetect.survey import SURVEYS

BOLOGNA = SURVEYS["bologna"]
TYPICAL = typical_conditions(BOLOGNA)
MAGS = (19.0, 18.5, 18.0, 17.5, 17.3, 17.2)
FAINT = (29.0,) * 6
R = BOLOGNA.band_names.index("r")


@dataclass(frozen=True)
class Steady(Population):
    """Always the same conditions; a lens is what is seen well enough."""

    conditions: Conditions = TYPICAL
    least_snr: float = 10.0

    def draw_scene(self, survey, *, side_arcsec, rng):
        raise NotImplementedError

    def draw_conditions(self, scene, survey, *, size, rng):
        return self.conditions

    def is_lens(self, scene, visibility):
        return visibility.arc_snr > self.least_snr


@dataclass(frozen=True)
class Level(Glitch):
    """Sets a row to a value, before or after the sky."""

    name = "level"
    before_sky: bool = True

    def paint(self, pixels, *, survey, noise_sigma, rng):
        pixels[3] = 50.0 * noise_sigma


def test_sky_has_the_sigma_of_each_band(scene_of, rng):
    pixels = render_stamp(scene_of(), BOLOGNA, population=Steady(), rng=rng).pixels
    assert pixels.dtype == np.float32
    assert pixels.shape == (101, 101, 4)
    sigma = [band.noise_sigma for band in BOLOGNA.bands]
    assert pixels.std(axis=(0, 1)) == pytest.approx(sigma, rel=0.03)
    assert np.abs(np.median(pixels, axis=(0, 1)) / sigma).max() < 0.06


def test_masked_pixels_are_nan(scene_of, rng):
    masked = np.zeros((41, 41, 4), bool)
    masked[5, 6:9, 1] = True
    population = Steady(conditions=dataclasses.replace(TYPICAL, masked=masked))
    pixels = render_stamp(scene_of(), BOLOGNA, population=population, rng=rng, size=41).pixels
    assert np.array_equal(np.isnan(pixels), masked)


def test_glitches_are_painted_before_or_after_the_sky(scene_of, rng):
    for before in (True, False):
        scene = scene_of(glitches=(Level(before_sky=before),))
        stamp = render_stamp(scene, BOLOGNA, population=Steady(), rng=rng, size=41)
        row = stamp.pixels[3] / np.float32(TYPICAL.noise_sigma)
        assert row.mean() == pytest.approx(50.0, abs=0.5)
        assert (row.std() > 0.5) == before
        assert stamp.truth["glitches"] == "level"


def test_gain_and_photon_noise_change_what_is_on_the_sky(scene_of, rng):
    scene = scene_of(stars=(StarLight(0.0, 0.0, (16.0,) * 6),))
    quiet = dataclasses.replace(TYPICAL, noise_sigma=tuple(1e-9 * sigma for sigma in TYPICAL.noise_sigma))
    exposure = expose(scene, BOLOGNA, conditions=quiet, size=41)
    brighter = dataclasses.replace(quiet, gain=(1.0, 1.1, 1.0, 1.0))
    pixels = observe(scene, exposure, survey=BOLOGNA, conditions=brighter, rng=rng)
    assert pixels.sum(axis=(0, 1)) / exposure.foreground.sum(axis=(0, 1)) == pytest.approx(
        [1.0, 1.1, 1.0, 1.0], rel=1e-5
    )
    counted = dataclasses.replace(quiet, photon_flux=(1e-13,) * 4)
    noise = observe(scene, exposure, survey=BOLOGNA, conditions=counted, rng=rng) - exposure.foreground
    peak = exposure.foreground > 1e-3 * exposure.foreground.max()
    assert (noise[peak] ** 2 / (1e-13 * exposure.foreground[peak])).mean() == pytest.approx(1.0, abs=0.15)


def test_arcs_are_counted_in_the_reference_band(scene_of):
    arcs = np.zeros((5, 5, 4), np.float32)
    sigma = np.array(TYPICAL.noise_sigma)
    arcs[0, :3, R] = np.array([0.9, 1.5, 3.0]) * sigma[R]
    arcs[1, 0, 0] = 4.0 * sigma[0]
    seen = measure_arcs(arcs, BOLOGNA, scene=scene_of(), conditions=TYPICAL)
    assert seen.arc_pixel_count == 2
    assert seen.arc_flux_sigma == pytest.approx(4.5, rel=1e-6)
    assert seen.arc_snr == pytest.approx(np.sqrt(0.81 + 2.25 + 9.0 + 16.0), rel=1e-6)
    assert seen.einstein_radius_over_seeing == pytest.approx(1.0 / BOLOGNA.bands[R].psf_fwhm_arcsec)
    masked = np.zeros(arcs.shape, bool)
    masked[1, 0, 0] = True
    half_hidden = dataclasses.replace(TYPICAL, masked=masked)
    seen = measure_arcs(arcs, BOLOGNA, scene=scene_of(), conditions=half_hidden)
    assert seen.arc_snr == pytest.approx(np.sqrt(0.81 + 2.25 + 9.0), rel=1e-6)


def test_magnitude_of_a_bright_galaxy_is_measured_on_the_stamp(scene_of, rng):
    light = SersicLight(0.1, -0.2, 0.4, 1.0, 0.7, 0.4, (18.0,) * 6)
    for name in ("bologna", "des", "hsc", "euclid_vis"):
        survey = SURVEYS[name]
        population = Steady(conditions=typical_conditions(survey))
        size = round(20.2 / survey.pixel_scale_arcsec)
        pixels = render_stamp(scene_of(light=(light,)), survey, population=population, rng=rng, size=size).pixels
        axis = (np.arange(size) - 0.5 * (size - 1)) * survey.pixel_scale_arcsec
        inside = np.hypot(axis - 0.1, axis[:, None] + 0.2) < 7.0
        for number, band in enumerate(survey.bands):
            # the wings of a Moffat profile beyond the aperture are not counted
            reach = 7.0 / (band.psf_fwhm_arcsec / (2 * np.sqrt(2 ** (1 / band.psf_beta) - 1)))
            counted = 1.0 - (1.0 + reach**2) ** (1.0 - band.psf_beta)
            flux = pixels[inside, number].sum(dtype=float) / counted
            assert band.zero_point_mag - 2.5 * np.log10(flux) == pytest.approx(18.0, abs=0.02)


@pytest.mark.parametrize("mags, kind", [(MAGS, "lens"), (FAINT, "undetected")])
def test_what_can_be_seen_decides_what_is_a_lens(scene_of, rng, mags, kind):
    scene = scene_of(source=(SersicLight(0.1, 0.0, 0.2, 1.0, 1.0, 0.0, mags),))
    truth = render_stamp(scene, BOLOGNA, population=Steady(), rng=rng, size=51).truth
    assert truth["kind"] == kind
    assert truth["is_lens"] == (kind == "lens")
    assert truth["has_source"]


def test_a_lensed_quasar_is_a_lens(scene_of, rng):
    scene = scene_of(source_points=(StarLight(0.2, 0.1, (20.0,) * 6),))
    truth = render_stamp(scene, BOLOGNA, population=Steady(), rng=rng, size=51).truth
    assert truth["is_lens"]
    assert truth["arc_pixel_count"] > 20


def draw_bologna(rng):
    return BolognaPopulation().draw_scene(BOLOGNA, side_arcsec=10.2, rng=rng)


def test_truth_of_lenses_and_others(rng):
    population = BolognaPopulation()
    for scene in [draw_bologna(rng) for _ in range(12)]:
        truth = render_stamp(scene, BOLOGNA, population=population, rng=rng, name="7", seed=3, size=51).truth
        assert set(truth) == set(TRUTH_COLUMNS)
        assert truth["is_lens"] == truth["has_source"] == scene.has_source
        assert truth["kind"] == ("lens" if scene.has_source else scene.kind)
        assert truth["einstein_radius_arcsec"] > 0.25
        assert scene.has_source or truth["arc_snr"] == 0
        assert (truth["id"], truth["seed"]) == ("7", 3)


def test_same_seed_same_pixels():
    scene, population = draw_bologna(np.random.default_rng(1)), BolognaPopulation()
    first, second = (
        render_stamp(scene, BOLOGNA, population=population, rng=np.random.default_rng(2)).pixels for _ in range(2)
    )
    assert np.array_equal(first, second, equal_nan=True)


def test_survey_with_a_foreign_band_is_refused(scene_of, rng):
    foreign = dataclasses.replace(BOLOGNA, bands=(dataclasses.replace(BOLOGNA.bands[0], name="K"),), name="far")
    scene = scene_of(stars=(StarLight(0.0, 0.0, MAGS),))
    with pytest.raises(InputError, match=r"survey far has band K, .* u, g, r, i, z, y: use a survey"):
        expose(scene, foreign, conditions=typical_conditions(foreign))
