"""Glitches are flagged, and good cutouts are not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.flags import FLAGS, bits, names
from lensdetect.images.cutouts import open_tile
from lensdetect.images.index import index_tiles
from lensdetect.search.quality import flag_duplicates, flag_quality
from lensdetect.simulation.render import render_stamp
from lensdetect.simulation.sky import SkyPopulation
from lensdetect.simulation.sky.glitches import GLITCHES, GlitchRates
from lensdetect.survey import SURVEYS

KIDS = SURVEYS["kids"]
WHITE = dataclasses.replace(KIDS, noise_correlation=())
SIGMA = np.array([band.noise_sigma for band in KIDS.bands], np.float32)
QUIET = GlitchRates(**dict.fromkeys(GLITCHES, 0.0))


def stamps(count: int, *, glitch: str | None = None, seed: int = 5) -> np.ndarray:
    """Simulated stamps of which all have one glitch, or none."""
    rates = QUIET if glitch is None else dataclasses.replace(QUIET, **{glitch: 1.0})
    population = SkyPopulation(glitches=rates, lens_fraction=0.2)
    found, number = [], 0
    while len(found) < count:
        rng = np.random.default_rng([seed, number])
        number += 1
        scene = population.draw_scene(KIDS, side_arcsec=20.2, rng=rng)
        # a bright star among what fools brings glitches of its own
        if scene.kind != "star":
            stamp = render_stamp(scene, KIDS, population=population, rng=rng, size=101, name=str(number), seed=seed)
            found.append(stamp.pixels)
    return np.stack(found)


def noise(count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((count, 101, 101, 4)).astype(np.float32) * SIGMA


def test_good_stamps_are_left_alone():
    flags = flag_quality(stamps(60), KIDS)
    assert np.count_nonzero(flags) <= 3, [names(int(some)) for some in flags if some]


@pytest.mark.parametrize(
    ("glitch", "flag", "least"),
    [
        ("satellite_trail", "trail", 0.85),
        ("aeroplane_trail", "trail", 0.85),
        ("cosmic_ray", "cosmic_ray", 0.85),
        ("bad_column", "bad_column", 0.85),
        ("saturated_core", "saturated", 0.85),
        ("ghost", "bad_background", 0.6),
        ("star_halo", "bad_background", 0.7),
        ("misaligned", "misaligned", 0.25),
        ("sky_hole", "bad_background", 0.8),
        ("depth_step", "bad_background", 0.85),
    ],
)
def test_most_glitches_are_flagged(glitch, flag, least):
    flags = flag_quality(stamps(24, glitch=glitch), KIDS, reach_arcsec=20.0)
    assert np.mean(flags & FLAGS[flag].value != 0) >= least


@pytest.mark.parametrize("lone", [True, False], ids=["survey of one band", "three bands missing"])
def test_one_band_tells_trails_from_galaxies(lone):
    good, trails = stamps(60), stamps(40, glitch="satellite_trail")
    found = np.zeros(40, bool)
    # a trail is in one of the bands, so it is found in one of them
    for band in range(4):
        kept = slice(band, band + 1)
        alone = dataclasses.replace(KIDS, bands=KIDS.bands[kept], conditions=(), reference_band=KIDS.band_names[band])
        survey = alone if lone else KIDS
        one = [
            pixels[..., kept] if lone else np.where(np.arange(4) == band, pixels, np.nan) for pixels in (good, trails)
        ]
        of_good, of_trails = (flag_quality(pixels, survey) & FLAGS["trail"].value != 0 for pixels in one)
        assert np.count_nonzero(of_good) <= 2
        found |= of_trails
    assert found.mean() > 0.55


def test_noise_alone_has_no_flag_in_any_unit(rng):
    pixels = noise(60, rng)
    assert np.count_nonzero(flag_quality(pixels, WHITE)) <= 1
    np.testing.assert_array_equal(
        flag_quality(pixels * np.float32(1e12), WHITE, noise_sigma=SIGMA * 1e12), flag_quality(pixels, WHITE)
    )


def test_what_is_missing_is_not_suspicious(rng):
    pixels = noise(5, rng)
    pixels[0, ..., 0] = np.nan
    pixels[1, :, 60:] = np.nan
    pixels[2, 20:40, :, 1] = np.nan
    pixels[3] = np.nan
    pixels[4, 50, 50] = np.nan
    assert list(map(names, flag_quality(pixels, WHITE).tolist())) == [()] * 5


def test_a_hole_in_the_core_is_saturation(rng):
    pixels = noise(1, rng)
    pixels[0, 48:53, 48:53, 2] = np.nan
    assert names(int(flag_quality(pixels, WHITE)[0])) == ("saturated",)


@pytest.mark.parametrize("is_row", [False, True])
def test_a_dead_column_is_told_from_a_gap(rng, is_row):
    pixels = noise(2, rng)
    pixels[0, :, 30:32, 1] = np.nan
    pixels[1, :, 30:50, 1] = np.nan
    flags = flag_quality(pixels.swapaxes(1, 2) if is_row else pixels, WHITE)
    assert list(map(names, flags.tolist())) == [("bad_column",), ()]


@pytest.mark.parametrize("column", [1, 50, 99])
def test_a_bad_column_begins_anywhere_and_a_strip_along_the_edge_is_none(rng, column):
    pixels = noise(3, rng)
    pixels[0, 75:, column, 1] += np.float32(4.0 * SIGMA[1])
    # what is in all bands is on the sky
    pixels[1, 75:, column] += np.float32(4.0) * SIGMA
    pixels[2, :2, :, 3] = np.nan
    found = flag_quality(pixels, WHITE, reach_arcsec=20.0)
    assert list(map(names, found.tolist())) == [("bad_column",), (), ()]


def spoilt(name: str, away_pix: int, rng) -> np.ndarray:
    """A cutout with a glitch of which the nearest part is so far from the middle."""
    pixels = noise(1, rng)
    place, strong = 50 + away_pix, np.float32(SIGMA[1])
    y, x = np.mgrid[:101, :101]
    if name == "cosmic_ray":
        pixels[0, place, 50, 1] += 40.0 * strong
    elif name == "bad_column":
        pixels[0, :, place, 1] += 4.0 * strong
    elif name == "bad_column from the edge":
        pixels[0, place:, 50, 1] += 4.0 * strong
    elif name == "dead column":
        pixels[0, :, place : place + 2, 1] = np.nan
    elif name == "trail":
        pixels[0, place : place + 6, :, 1] += 3.0 * strong
    elif name == "ghost":
        pixels[0, np.hypot(y - place - 25, x - 50) < 25] += np.float32(1.5) * SIGMA
    elif name == "trough":
        pixels[0, np.hypot(y - place - 15, x - 50) < 15] -= SIGMA
    else:
        pixels[0, place:, :, 1] *= 2.0
    return pixels


@pytest.mark.parametrize(
    "name",
    ["cosmic_ray", "bad_column", "bad_column from the edge", "dead column", "trail", "ghost", "trough", "depth step"],
)
def test_a_glitch_counts_only_where_it_comes_as_near_as_arcs_can_lie(name, rng):
    near, far = spoilt(name, 15, rng), spoilt(name, 42, rng)
    assert flag_quality(near, WHITE)[0] and not flag_quality(far, WHITE)[0]
    # the radius is a setting, of arcsec and not of pixels
    assert not flag_quality(near, WHITE, reach_arcsec=1.0)[0]
    assert not flag_quality(near, WHITE, pixel_scale_arcsec=1.0)[0]


def test_a_band_that_is_shifted_is_told_from_an_object_of_two_colours(rng):
    pixels = noise(3, rng)
    peaks = np.float32([0.0, 40.0, 120.0, 80.0]) * SIGMA
    star = moffat(0.8, 3.0).astype(np.float32)[..., None]
    pixels += star * peaks
    # a blue companion moves the centroid as well
    pixels[1, ..., 1] += np.roll(star[..., 0], 6, axis=1) * np.float32(30.0 * SIGMA[1])
    pixels[2, ..., 1] = np.roll(pixels[2, ..., 1], 1, axis=1)
    is_misaligned = flag_quality(pixels, WHITE) & FLAGS["misaligned"].value != 0
    assert list(is_misaligned) == [False, False, True]


def test_light_that_is_flat_is_a_ghost_and_that_of_a_galaxy_is_not(rng):
    pixels = noise(2, rng)
    away = np.hypot(*np.meshgrid(np.arange(101) - 25, np.arange(101) - 30))
    pixels[0, away < 25] += SIGMA
    colour = np.float32([0.2, 2.0, 8.0, 4.0]) * SIGMA
    pixels[1] += np.exp(-away / 10.0).astype(np.float32)[..., None] * colour
    assert list(map(names, flag_quality(pixels, WHITE).tolist())) == [("bad_background",), ()]


def moffat(fwhm_arcsec: float, beta: float) -> np.ndarray:
    axis = (np.arange(101) - 50) * 0.2
    core2 = fwhm_arcsec**2 / (4.0 * (2.0 ** (1.0 / beta) - 1.0))
    return (1.0 + (axis[:, None] ** 2 + axis**2) / core2) ** -beta


def test_stars_under_typical_seeing_are_star_like(rng):
    pixels = noise(2, rng)
    for number, factor in enumerate((1.0, 2.0)):
        for band, row in enumerate(KIDS.bands):
            star = moffat(factor * row.psf_fwhm_arcsec, row.psf_beta)
            pixels[number, ..., band] += np.float32(200.0 * row.noise_sigma) * star.astype(np.float32)
    is_star = flag_quality(pixels, WHITE) & FLAGS["star_like"].value != 0
    assert list(is_star) == [True, False]


def test_one_band_is_enough_and_small_cutouts_are_passed_over(rng):
    survey = dataclasses.replace(WHITE, bands=KIDS.bands[2:3], file_band_order=("r",))
    pixels = noise(20, rng)[..., 2:3]
    away = np.abs(np.subtract.outer(np.arange(101), np.arange(101)))
    pixels[0, away < 6] += np.float32(10.0 * SIGMA[2])
    flags = flag_quality(pixels, survey)
    assert flags[0] & FLAGS["trail"].value
    assert np.count_nonzero(flags[1:]) <= 1
    assert not flag_quality(pixels[:, :50, :50], survey).any()


def test_bands_must_be_those_of_the_survey(rng):
    with pytest.raises(
        InputError, match=r"must be \(n, size, size, 4\) for the bands u, g, r, i, got \(2, 101, 101, 3\)"
    ):
        flag_quality(np.zeros((2, 101, 101, 3), np.float32), KIDS)


def test_duplicates_are_all_but_the_first():
    ra = np.array([10.0, 10.0001, np.nan, 10.0, 359.99999, 0.00001, np.nan])
    dec = np.array([60.0, 60.0, 60.0, 60.0004, 0.0, 0.0, 60.0])
    flags = flag_duplicates(ra, dec, radius_arcsec=0.5)
    assert list(flags != 0) == [False, True, False, False, False, True, False]
    assert set(flags) == {0, bits("duplicate")}
    assert not flag_duplicates(np.array([]), np.array([])).any()


def test_a_real_lens_beside_a_bleeding_star_keeps_its_place(shared_data):
    survey = SURVEYS["cfhtls"]
    (tile,) = index_tiles(shared_data / "cfhtls_gri_field", survey).tiles
    # SL2SJ142209+524652, where lenscat (Vujeva+ 2024) has it; the star is 10 arcsec away
    x, y = tile.pixels(np.array([215.53862]), np.array([52.78123]))
    for scale_arcsec in (None, 0.2):
        with open_tile(tile, survey, scale_arcsec=scale_arcsec) as opened:
            pixels = opened.cut(x, y).pixels
            whole = flag_quality(pixels, survey, noise_sigma=opened.noise_sigma, reach_arcsec=20.0)
            assert whole & bits("cosmic_ray", "bad_background")
            assert not flag_quality(pixels, survey, noise_sigma=opened.noise_sigma)[0]


@pytest.mark.parametrize("scale_arcsec", [None, 0.2], ids=["as it is", "resampled"])
def test_a_real_field_is_suspicious_about_its_bright_star_alone(shared_data, scale_arcsec):
    survey = SURVEYS["cfhtls"]
    (tile,) = index_tiles(shared_data / "cfhtls_gri_field", survey).tiles
    x, y = (places.ravel() for places in np.meshgrid(np.arange(55, 390, 55), np.arange(55, 390, 55)))
    with open_tile(tile, survey, scale_arcsec=scale_arcsec) as opened:
        flagged = flag_quality(opened.cut(x, y).pixels, survey, noise_sigma=opened.noise_sigma) != 0
    # the star is at (190, 165), with spikes of 60 pixels
    away = np.maximum(np.abs(x - 190), np.abs(y - 165))
    assert flagged[away < 40].all()
    assert not flagged[away > 100].any()
