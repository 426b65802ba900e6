import dataclasses
import math

import numpy as np
import pytest

from lensdetect.simulation.scene import SCENE_BANDS
from lensdetect.simulation.sky.parameters import SkySourcePopulation
from lensdetect.simulation.sky.sources import (
    draw_galaxy_mags,
    draw_half_light_radius_arcsec,
    draw_mags_and_redshifts,
    draw_source,
)

DEFAULT = SkySourcePopulation()
I_BAND = SCENE_BANDS.index("i")


def test_counts_grow_as_published():
    mag, _ = draw_mags_and_redshifts(DEFAULT, 50_000, quasar=False, rng=np.random.default_rng(1))
    assert mag.min() >= 20.0 and mag.max() <= 26.5
    assert np.sum(mag < 25.5) / np.sum(mag < 24.5) == pytest.approx(10.0**0.3, rel=0.05)


def test_redshifts_follow_the_published_distribution():
    narrow = dataclasses.replace(DEFAULT, mag_range=(24.99, 25.01))
    _, redshift = draw_mags_and_redshifts(narrow, 20_000, quasar=False, rng=np.random.default_rng(2))
    # z**2 exp(-z / z0) has the mean 3 z0
    assert redshift.mean() == pytest.approx(3.0 * (0.0417 * 25.0 - 0.744), rel=0.02)


@pytest.mark.parametrize("mag", [22.0, 24.5])
def test_median_size_is_the_published_one(mag):
    rng = np.random.default_rng(3)
    radii = [draw_half_light_radius_arcsec(DEFAULT, mag, rng=rng) for _ in range(4000)]
    assert np.median(radii) == pytest.approx(1.678 * math.exp(-1.145 - 0.269 * (mag - 23.0)), rel=0.05)


def test_magnitudes_are_tied_to_the_counts_in_i():
    mags = draw_galaxy_mags(DEFAULT, 23.7, redshift=1.3, rng=np.random.default_rng(4))
    assert mags[I_BAND] == pytest.approx(23.7)


def test_most_sources_are_bluer_than_deflectors():
    rng = np.random.default_rng(5)
    rows = np.array([draw_galaxy_mags(DEFAULT, 23.0, redshift=1.5, rng=rng) for _ in range(400)])
    g_r = rows[:, 1] - rows[:, 2]
    assert np.median(g_r) < 0.5
    assert 0.02 < np.mean(g_r > 0.9) < 0.2  # the old ones


def test_neutral_hydrogen_takes_the_u_band_of_distant_sources():
    rng = np.random.default_rng(6)
    near, far = (
        np.median([np.diff(draw_galaxy_mags(DEFAULT, 23.0, redshift=z, rng=rng)[:2]) for _ in range(100)])
        for z in (1.5, 3.3)
    )
    assert near - far > 1.0  # g - u


def test_a_galaxy_has_clumps_about_its_middle():
    many = dataclasses.replace(DEFAULT, clumps_mean=4.0)
    source = draw_source(many, (0.3, -0.2), mag=23.0, redshift=1.0, quasar=False, rng=np.random.default_rng(7))
    smooth, *clumps = source.light
    assert (smooth.x_arcsec, smooth.y_arcsec) == (0.3, -0.2)
    assert clumps and not source.points
    assert all(math.hypot(part.x_arcsec - 0.3, part.y_arcsec + 0.2) < 8.0 * smooth.radius_arcsec for part in clumps)
    assert all(part.mags[I_BAND] > smooth.mags[I_BAND] for part in clumps)


def test_a_quasar_is_a_point_in_a_fainter_host():
    source = draw_source(DEFAULT, (0.1, 0.0), mag=20.0, redshift=2.0, quasar=True, rng=np.random.default_rng(8))
    [point], [host] = source.points, source.light
    assert (point.x_arcsec, point.y_arcsec) == (host.x_arcsec, host.y_arcsec) == (0.1, 0.0)
    assert point.mags[I_BAND] == pytest.approx(20.0)
    assert 1.4 < host.mags[I_BAND] - point.mags[I_BAND] < 4.1
