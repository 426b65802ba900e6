import dataclasses
import math
from collections import Counter

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.simulation.sky.detector import BadColumn, CosmicRay, SaturatedCore
from lensdetect.simulation.sky.frame import window
from lensdetect.simulation.sky.glitches import GLITCHES, GlitchRates, draw_glitches
from lensdetect.simulation.sky.optics import Ghost, StarHalo
from lensdetect.simulation.sky.reduction import DepthStep, Misaligned, SkyHole
from lensdetect.simulation.sky.trails import AeroplaneTrail, SatelliteTrail
from lensdetect.survey import flux_from_mag, get_survey

KIDS, DES = get_survey("kids"), get_survey("des")
SIGMA = np.array([band.noise_sigma for band in KIDS.bands], np.float32)
NONE = dict.fromkeys(GLITCHES, 0.0)
IN_R = (0.0, 0.0, 1.0, 0.0)


def only(name, *, survey=KIDS, count=30, size=101):
    rng = np.random.default_rng(4)
    rates = GlitchRates(**NONE | {name: 1.0})
    return [draw_glitches(rates, survey, size=size, rng=rng) for _ in range(count)]


def painted(*glitches, shape=(101, 101), survey=KIDS, start=None):
    sigma = np.array([band.noise_sigma for band in survey.bands], np.float32)
    pixels = np.zeros((*shape, len(sigma)), np.float32) if start is None else start.copy()
    for glitch in glitches:
        glitch.paint(pixels, survey=survey, noise_sigma=sigma, rng=np.random.default_rng(9))
    return pixels


def galaxy(shape=(101, 101), *, sigma_pix=4.0):
    y, x = np.indices(shape)
    peak = np.exp(-0.5 * ((x - shape[1] // 2) ** 2 + (y - shape[0] // 2) ** 2) / sigma_pix**2)
    return (peak[..., None] * SIGMA * 50.0).astype(np.float32)


# rates


def test_glitches_come_at_their_rates_and_in_some_tenth_of_the_stamps():
    rng, rates = np.random.default_rng(2), GlitchRates()
    drawn = [draw_glitches(rates, KIDS, size=101, rng=rng) for _ in range(8000)]
    counts = Counter(name for stamp in drawn for name in {glitch.name for glitch in stamp})
    for name, rate in dataclasses.asdict(rates).items():
        assert counts[name] / 8000 == pytest.approx(rate, abs=0.006)
    assert 0.10 < np.mean([bool(stamp) for stamp in drawn]) < 0.125


def test_rates_of_0_give_none_and_of_1_all():
    rng = np.random.default_rng(2)
    assert draw_glitches(GlitchRates(**NONE), KIDS, size=101, rng=rng) == ()
    drawn = draw_glitches(GlitchRates(**dict.fromkeys(GLITCHES, 1.0)), KIDS, size=101, rng=rng)
    assert {glitch.name for glitch in drawn} == set(GLITCHES)


@pytest.mark.parametrize("rate", [-0.01, 1.5, math.nan])
def test_a_rate_is_a_probability(rate):
    with pytest.raises(InputError, match="the rate of glitch ghost is a probability per stamp, between 0 and 1, got"):
        GlitchRates(ghost=rate)


# every glitch


@pytest.mark.parametrize("name", GLITCHES)
@pytest.mark.parametrize(("survey", "shape"), [(KIDS, (101, 101)), (DES, (61, 90))], ids=["square", "rectangle"])
def test_every_glitch_changes_pixels_leaves_nan_alone_and_repeats(name, survey, shape):
    rng = np.random.default_rng(1)
    sigma = np.array([band.noise_sigma for band in survey.bands])
    y, x = np.indices(shape) - np.array(shape)[:, None, None] // 2
    scene = (np.exp(-0.05 * (x**2 + y**2))[..., None] * 80.0 + rng.standard_normal((*shape, len(sigma)))) * sigma
    scene = scene.astype(np.float32)
    scene[:5], scene[..., 0] = np.nan, np.nan
    changed = []
    for glitches in only(name, survey=survey, count=12, size=61):
        pixels = painted(*glitches, survey=survey, start=scene)
        np.testing.assert_array_equal(pixels, painted(*glitches, survey=survey, start=scene))
        assert np.isnan(pixels[np.isnan(scene)]).all()
        assert pixels.dtype == np.float32
        changed.append(not np.array_equal(pixels, scene, equal_nan=True))
    # it may fall into the band or the rows that are missing
    assert np.mean(changed) > 0.4


# one by one


def test_a_trail_is_a_straight_line_of_its_width_and_brightness():
    trail = SatelliteTrail(offset_arcsec=1.0, angle_rad=0.0, width_arcsec=0.6, peak_sigma=(0.0, 0.0, 10.0, 0.0))
    r = painted(trail)[..., 2] / SIGMA[2]
    assert (painted(trail)[..., [0, 1, 3]] == 0).all()
    # along x, one arcsec above the middle: 5 pixels
    np.testing.assert_allclose(r, np.broadcast_to(r[:, :1], r.shape), rtol=1e-5)
    assert r[:, 0].argmax() == 55 and r.max() == pytest.approx(10.0)
    assert r[58, 0] == pytest.approx(10.0 * math.exp(-0.5), rel=1e-4)


def test_a_trail_does_not_depend_on_how_an_image_is_cut_into_blocks():
    trail = SatelliteTrail(3.0, 1.1, 0.5, (5.0,) * 4, flicker=0.4, period_arcsec=30.0)
    tall = painted(trail, shape=(1301, 21))
    np.testing.assert_allclose(tall[640:661], painted(trail, shape=(21, 21)), rtol=1e-4, atol=1e-17)


def test_an_aeroplane_leaves_two_dashed_lines():
    trail = AeroplaneTrail(0.0, 0.0, 0.5, (0.0, 0.0, 20.0, 0.0), gap_arcsec=4.0, dash_arcsec=4.0, flash_share=0.5)
    r = painted(trail)[..., 2] / SIGMA[2]
    upper, lower, between = r[60], r[40], r[50]
    assert between.max() < 0.05 * upper.max()
    for line in (upper, lower):
        # 20 arcsec at 4 arcsec a flash
        assert 4 <= np.sum((line[1:] > 10.0) & (line[:-1] <= 10.0)) <= 6
    # one wing is dark while the other is lit
    assert np.corrcoef(upper, lower)[0, 1] < -0.8


def test_a_cosmic_ray_is_as_sharp_as_the_pixels():
    ray = CosmicRay(-1.0, 0.0, 0.0, 8.0, tuple(30.0 * band for band in IN_R))
    hit = painted(ray)[..., 2] > 0
    assert hit.sum() == 8 and hit[50].sum() == 8
    assert hit[50, 45:53].all()
    assert not ray.before_sky
    beyond = CosmicRay(30.0, 30.0, 0.0, 8.0, (30.0,) * 4)
    assert (painted(beyond) == 0).all()


def test_bad_columns_run_to_the_edge_and_may_be_dead():
    bright = painted(BadColumn(2.0, 0.0, 2, (0.0, 0.0, 5.0, 0.0)))[..., 2]
    assert (bright[50:, 60:62] > 0).all() and (bright != 0).sum() == 2 * 51
    dead = painted(BadColumn(2.0, -99.0, 1, (0.0, 0.0, math.nan, 0.0), is_row=True))
    assert np.isnan(dead[60, :, 2]).all() and np.isnan(dead).sum() == 101
    outside = painted(BadColumn(-30.0, -99.0, 1, (5.0,) * 4))
    assert (outside == 0).all()


@pytest.mark.parametrize("as_nan", [False, True])
def test_a_saturated_core_is_flat_or_masked_with_a_bleeding_column(as_nan):
    scene = galaxy()
    pixels = painted(SaturatedCore(0.0, 0.0, (1.0, 1.0, 0.4, 1.0), bleed_arcsec=4.0, as_nan=as_nan), start=scene)
    np.testing.assert_array_equal(pixels[..., [0, 1, 3]], scene[..., [0, 1, 3]])
    full = np.isnan(pixels[..., 2]) if as_nan else pixels[..., 2] == np.float32(0.4 * scene[50, 50, 2])
    assert full[scene[..., 2] > 0.41 * scene[50, 50, 2]].all()
    assert full[30:71, 50].all() and not full[25, 50] and not full[50, 60]


def test_a_saturated_core_passes_over_what_is_masked():
    blank = np.full((41, 41, 4), np.nan, np.float32)
    assert np.isnan(painted(SaturatedCore(0.0, 0.0, (0.3,) * 4, 2.0), start=blank)).all()


def test_a_ghost_is_a_ring_with_a_hole_or_a_disc():
    disc = Ghost(0.0, 0.0, 5.0, 0.0, (2.0,) * 4, soft_arcsec=0.4)
    ring = dataclasses.replace(disc, hole_share=0.6)
    disc_r, ring_r = (painted(glitch)[..., 2] / SIGMA[2] for glitch in (disc, ring))
    assert disc_r[50, 50] == pytest.approx(1.4, abs=0.05) and abs(ring_r[50, 50]) < 0.02
    # 4 arcsec from the middle both are there, 7 arcsec from it neither
    np.testing.assert_allclose(ring_r[50, 70], disc_r[50, 70], rtol=0.02)
    assert disc_r[50, 85] < 0.01
    faraway = dataclasses.replace(disc, x_arcsec=100.0)
    assert (painted(faraway) == 0).all()


def test_a_halo_holds_its_share_of_the_star():
    mags = (16.0, 15.0, 14.0, 13.7, 13.5, 13.4)
    flux = flux_from_mag(14.0, 0.0)
    spikes = StarHalo(0.0, 0.0, mags, aureole_share=0.0, spike_share=0.01, spike_arcsec=2.0, angle_rad=0.0)
    image = painted(spikes, shape=(401, 401))[..., 2]
    assert image.sum() == pytest.approx(0.01 * flux, rel=0.02)
    # four arms, nothing between them
    assert min(image[200, 230], image[200, 170], image[230, 200], image[170, 200]) > 100 * image[230, 230]
    aureole = dataclasses.replace(spikes, aureole_share=0.04, spike_share=0.0)
    image = painted(aureole, shape=(1001, 1001))[..., 2]
    # within a radius R of a Moffat profile of index 1.5: 1 - 1 / sqrt(1 + (R / core)**2)
    axis = (np.arange(1001) - 500) * 0.2
    inside = np.hypot(axis, axis[:, None]) < 50.0
    assert image[inside].sum() == pytest.approx(0.04 * flux * (1 - 1 / math.sqrt(1 + 400)), rel=0.01)


def test_a_shifted_band_is_the_scene_moved_by_so_much():
    scene = galaxy()
    pixels = painted(Misaligned((0.0, 0.0, 1.3, 0.0), (0.0, 0.0, -0.6, 0.0)), start=scene)
    np.testing.assert_array_equal(pixels[..., [0, 1, 3]], scene[..., [0, 1, 3]])
    y, x = np.indices((101, 101))
    for axis, shift in ((x, 1.3), (y, -0.6)):
        centre = np.sum(axis * pixels[..., 2]) / np.sum(pixels[..., 2])
        assert centre - 50 == pytest.approx(shift, abs=0.01)
    assert pixels[..., 2].sum() == pytest.approx(scene[..., 2].sum(), rel=1e-3)


def test_masked_pixels_do_not_spread_through_a_shift():
    scene = galaxy()
    scene[20:25] = np.nan
    pixels = painted(Misaligned((0.5,) * 4, (0.5,) * 4), start=scene)
    np.testing.assert_array_equal(np.isnan(pixels), np.isnan(scene))
    missing = np.full((21, 21, 4), np.nan, np.float32)
    assert np.isnan(painted(Misaligned((0.5,) * 4, (0.5,) * 4), start=missing)).all()


def test_drawn_shifts_are_of_half_a_pixel_to_two_in_one_band():
    for (glitch,) in only("misaligned"):
        lengths = np.hypot(glitch.shift_x_pix, glitch.shift_y_pix)
        assert np.count_nonzero(lengths) == 1 and 0.5 <= lengths.max() <= 2.0


def test_a_sky_hole_is_deepest_at_its_radius():
    image = painted(SkyHole(0.0, 0.0, 3.0, (0.0, 1.0, 2.0, 0.0)))
    r = image[..., 2] / SIGMA[2]
    assert (image <= 0).all() and (image[..., 0] == 0).all()
    assert r.min() == pytest.approx(-2.0, abs=0.01)
    assert r[50, 65] == pytest.approx(-2.0, abs=0.01) and r[50, 50] == pytest.approx(-1.0, abs=0.01)
    assert r[50, 100] > -0.02


def test_beyond_a_depth_step_there_is_so_much_more_noise():
    sky = (np.random.default_rng(3).standard_normal((400, 400, 4)) * SIGMA).astype(np.float32)
    step = DepthStep(0.0, 0.0, (1.0, 1.0, 1.8, 1.0), (0.0, 0.0, 0.5, 0.0))
    r = painted(step, start=sky)[..., 2] / SIGMA[2]
    assert r[200:].std() == pytest.approx(1.8, rel=0.02) and r[:200].std() == pytest.approx(1.0, rel=0.02)
    assert r[200:].mean() == pytest.approx(0.5, abs=0.03)


def test_a_window_is_a_view_with_distances_and_empty_beyond_the_edge():
    pixels = np.zeros((11, 21, 4), np.float32)
    view, dx, dy = window(pixels, KIDS, x_arcsec=0.2, y_arcsec=0.0, reach_arcsec=0.5)
    assert view.shape == (5, 5, 4) and dx.shape == (1, 5) and dy.shape == (5, 1)
    np.testing.assert_allclose(dx[0], [-0.4, -0.2, 0.0, 0.2, 0.4], atol=1e-12)
    view += 1.0
    assert pixels[5, 11, 0] == 1.0 and pixels.sum() == 100.0
    assert window(pixels, KIDS, x_arcsec=50.0, y_arcsec=0.0, reach_arcsec=1.0)[0].size == 0
