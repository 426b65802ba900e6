"""The sky to learn from: wide Einstein radii, groups, and the conditions of all ground-based surveys."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.simulation import simulate
from lensdetect.simulation.choice import default_population
from lensdetect.simulation.sky import HaloPopulation, SkyPopulation, training_sky
from lensdetect.simulation.sky.environment import enclosed_einstein_radius_arcsec
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS

GROUND = SURVEYS["ground"]


@pytest.fixture(scope="module")
def lenses():
    population = dataclasses.replace(training_sky(), lens_fraction=1.0)
    return [population.draw_scene(GROUND, side_arcsec=20.2, rng=np.random.default_rng([7, n])) for n in range(60)]


def test_survey_ground_is_drawn_from_it_and_no_other():
    assert default_population(GROUND) == training_sky()
    assert default_population(SURVEYS["kids"]) == SkyPopulation()
    assert SkyPopulation().halos.share == 0.0


def test_radii_reach_from_the_seeing_to_clusters(lenses):
    radii = np.array([scene.einstein_radius_arcsec for scene in lenses])
    assert radii.min() > 0.9
    assert (radii > 1.5).mean() > 0.4
    assert (radii > 2.5).mean() > 0.12
    assert radii.max() < 12.0


def test_wide_lenses_stand_in_groups_whose_mass_is_in_the_radius(lenses):
    groups = [scene for scene in lenses if len(scene.masses) > 1]
    assert 0.15 < len(groups) / len(lenses) < 0.85
    for scene in groups:
        assert scene.einstein_radius_arcsec == pytest.approx(enclosed_einstein_radius_arcsec(scene.masses))
    wide = [scene for scene in lenses if scene.einstein_radius_arcsec > 4.0]
    assert all(len(scene.masses) > 1 for scene in wide)


def test_conditions_span_the_surveys(tmp_path):
    population = training_sky()
    rng = np.random.default_rng(3)
    scene = population.draw_scene(GROUND, side_arcsec=20.2, rng=rng)
    drawn = [population.draw_conditions(scene, GROUND, size=101, rng=rng) for _ in range(300)]
    r = GROUND.band_names.index("r")
    noise = np.array([one.noise_sigma[r] for one in drawn])
    seeing = np.array([one.psf_fwhm_arcsec[r] for one in drawn])
    assert np.quantile(noise, 0.95) / np.quantile(noise, 0.05) > 4.0
    assert np.quantile(seeing, 0.05) < 0.6 < 1.15 < np.quantile(seeing, 0.95)


def test_lenses_of_the_stamps_pass_its_brighter_cut(tmp_path):
    stamps = Shards(simulate(GROUND, tmp_path / "stamps", count=30, seed=5, workers=1, progress=False))
    lenses = stamps.truth[stamps.truth["is_lens"]]
    assert len(lenses) >= 5
    assert lenses["arc_snr"].min() >= training_sky().visibility.arc_snr_min > SkyPopulation().visibility.arc_snr_min


@pytest.mark.parametrize("radii", [(0.0, 3.0), (4.0, 2.0), (1.0, 1.0)])
def test_range_of_radii_must_increase(radii):
    with pytest.raises(InputError, match="radius_range_arcsec must increase from above 0, got"):
        HaloPopulation(radius_range_arcsec=radii)
