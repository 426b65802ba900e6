import dataclasses
import math

import numpy as np
import pytest

from lensdetect.simulation.scene import SCENE_BANDS
from lensdetect.simulation.sky.deflectors import (
    absolute_mag,
    apparent_mag,
    draw_early_type,
    draw_within_limits,
    half_light_radius_kpc,
)
from lensdetect.simulation.sky.distances import arcsec_per_kpc, comoving_volume_weight
from lensdetect.simulation.sky.parameters import EarlyTypePopulation

DEFAULT = EarlyTypePopulation()
NO_LIMITS = dataclasses.replace(DEFAULT, mag_range=(0.0, 40.0))


@pytest.fixture(scope="module")
def galaxies():
    rng = np.random.default_rng(3)
    return [draw_early_type(DEFAULT, rng=rng) for _ in range(1500)]


def expected_mean(values, density):
    return float(np.sum(values * density) / np.sum(density))


@pytest.mark.parametrize("by_cross_section", [False, True])
def test_velocity_dispersions_follow_the_published_distribution(by_cross_section):
    rows = draw_within_limits(NO_LIMITS, 20_000, rng=np.random.default_rng(1), by_cross_section=by_cross_section)
    sigma = np.linspace(150.0, 420.0, 5000)
    density = (sigma / 161.0) ** 2.32 * np.exp(-((sigma / 161.0) ** 2.67)) / sigma
    if by_cross_section:
        density = density * sigma**4
    assert rows[:, 1].mean() == pytest.approx(expected_mean(sigma, density), rel=0.01)


def test_redshifts_follow_the_comoving_volume():
    rows = draw_within_limits(NO_LIMITS, 20_000, rng=np.random.default_rng(2))
    redshift = np.linspace(0.1, 0.9, 2000)
    assert rows[:, 0].mean() == pytest.approx(expected_mean(redshift, comoving_volume_weight(redshift)), rel=0.01)


def test_luminosity_solves_the_published_relation():
    for sigma in (150.0, 220.0, 350.0):
        mag = absolute_mag(sigma)
        assert -2.97 - 0.37 * mag - 0.006 * mag**2 == pytest.approx(math.log10(sigma), abs=1e-9)


def test_a_typical_luminous_red_galaxy_has_the_magnitude_that_surveys_see():
    # the CMASS galaxies of BOSS: z about 0.55, 200 to 260 km/s, r of 20 to 21 (Thomas+ 2013, MNRAS 431, 1383)
    assert 20.0 < apparent_mag(230.0, 0.55, evolution_mag=0.85) < 21.0


def test_galaxies_are_within_the_limits(galaxies):
    mags = np.array([galaxy.mags[SCENE_BANDS.index("r")] for galaxy in galaxies])
    assert mags.min() >= 16.0 and mags.max() <= 21.5
    assert all(0.1 <= galaxy.redshift <= 0.9 for galaxy in galaxies)
    assert all(0.4 <= galaxy.axis_ratio <= 1.0 for galaxy in galaxies)


def test_size_goes_with_velocity_dispersion(galaxies):
    ratio = [
        math.log10(
            galaxy.radius_arcsec
            / (half_light_radius_kpc(galaxy.velocity_dispersion_km_s) * arcsec_per_kpc(galaxy.redshift))
        )
        for galaxy in galaxies
    ]
    assert np.mean(ratio) == pytest.approx(0.0, abs=0.01)
    assert np.std(ratio) == pytest.approx(0.11, abs=0.01)


def test_distant_galaxies_are_redder(galaxies):
    colour = np.array([galaxy.mags[1] - galaxy.mags[2] for galaxy in galaxies])
    redshift = np.array([galaxy.redshift for galaxy in galaxies])
    assert colour[(redshift > 0.4) & (redshift < 0.6)].mean() - colour[redshift < 0.25].mean() > 0.3


def test_light_is_that_of_the_galaxy(galaxies):
    [part] = galaxies[0].light
    assert part.mags == galaxies[0].mags
    assert (part.x_arcsec, part.y_arcsec) == (galaxies[0].x_arcsec, galaxies[0].y_arcsec)


def test_the_same_seed_gives_the_same_galaxy():
    first, second = (draw_early_type(DEFAULT, rng=np.random.default_rng(9)) for _ in range(2))
    assert first == second
