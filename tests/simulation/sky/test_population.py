import collections
import dataclasses
import json
import math
import pickle

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.simulation.population import Visibility
from lensdetect.simulation.render import render_stamp
from lensdetect.simulation.sky import (
    EarlyTypePopulation,
    FoolerRates,
    GlitchRates,
    LensEnvironment,
    QuasarPopulation,
    SkyPopulation,
    SkySourcePopulation,
    VisibilityCut,
)
from lensdetect.simulation.sky.foolers import KINDS
from lensdetect.survey import SURVEYS, get_survey

KIDS = get_survey("kids")
SIDE_ARCSEC = 101 * KIDS.pixel_scale_arcsec
ALL_VISIBLE = dataclasses.replace(SkySourcePopulation(), undetected_share=0.0)


def scenes(population, count, *, survey=KIDS):
    side = 101 * survey.pixel_scale_arcsec
    return [
        population.draw_scene(survey, side_arcsec=side, rng=np.random.default_rng([11, number]))
        for number in range(count)
    ]


def stamps(population, count, *, survey=KIDS):
    for number, scene in enumerate(scenes(population, count, survey=survey)):
        yield render_stamp(scene, survey, population=population, rng=np.random.default_rng([12, number]))


@pytest.fixture(scope="module")
def lenses():
    return scenes(SkyPopulation(lens_fraction=1.0, sources=ALL_VISIBLE), 200)


@pytest.fixture(scope="module")
def others():
    return scenes(SkyPopulation(lens_fraction=0.0), 300)


def test_the_same_seed_gives_the_same_stamp():
    first, second = (next(stamps(SkyPopulation(lens_fraction=1.0), 1)) for _ in range(2))
    np.testing.assert_array_equal(first.pixels, second.pixels)


def test_einstein_radii_are_those_of_lenses_found_from_the_ground(lenses):
    radii = np.array([scene.einstein_radius_arcsec for scene in lenses])
    assert 0.9 < np.median(radii) < 1.5  # SLACS and KiDS candidates: mostly 0.8 to 2.5 arcsec
    assert np.quantile(radii, 0.9) < 3.5


def test_redshifts_and_velocity_dispersions_are_those_of_lenses(lenses):
    near, far, sigma = (
        np.array([getattr(scene, name) for scene in lenses])
        for name in ("deflector_redshift", "source_redshift", "velocity_dispersion_km_s")
    )
    assert (far > near).all()
    assert 0.3 < np.median(near) < 0.65
    assert 1.0 < np.median(far) < 2.2
    assert 220.0 < np.median(sigma) < 300.0


def test_sources_lie_within_the_deflectors_reach(lenses):
    lone = [scene for scene in lenses if len(scene.masses) == 1]
    for scene in lone:
        [mass], first = scene.masses, scene.source[0]
        away = math.hypot(first.x_arcsec - mass.x_arcsec, first.y_arcsec - mass.y_arcsec)
        assert away <= VisibilityCut().source_offset_max * scene.einstein_radius_arcsec * 1.0001


def test_most_lenses_drawn_to_be_seen_are_seen():
    truth = [stamp.truth for stamp in stamps(SkyPopulation(lens_fraction=1.0, sources=ALL_VISIBLE), 60)]
    assert all(row["has_source"] for row in truth)
    seen = [row for row in truth if row["is_lens"]]
    assert len(seen) >= 0.7 * len(truth)
    assert {row["kind"] for row in truth} <= {"lens", "undetected"}
    assert min(row["arc_snr_over_light"] for row in seen) >= VisibilityCut().arc_snr_over_light_min


def test_sources_that_are_left_as_they_come_are_mostly_not_seen():
    as_they_come = dataclasses.replace(SkySourcePopulation(), undetected_share=1.0)
    truth = [stamp.truth for stamp in stamps(SkyPopulation(lens_fraction=1.0, sources=as_they_come), 40)]
    assert sum(row["is_lens"] for row in truth) <= 8


def test_the_share_of_sources_is_the_stated_one():
    drawn = scenes(SkyPopulation(lens_fraction=0.3), 150)
    assert 0.2 < np.mean([scene.has_source for scene in drawn]) < 0.4


def test_every_kind_occurs_without_a_source(others):
    kinds = collections.Counter(scene.kind for scene in others)
    assert set(kinds) == set(KINDS)
    assert not any(scene.has_source for scene in others)
    assert kinds["spiral"] / len(others) == pytest.approx(FoolerRates().spiral, abs=0.07)


def test_glitches_come_with_lenses_and_others_alike():
    rates = dataclasses.replace(GlitchRates(), cosmic_ray=1.0)
    for lens_fraction in (0.0, 1.0):
        for scene in scenes(SkyPopulation(lens_fraction=lens_fraction, glitches=rates), 3):
            assert "cosmic_ray" in {glitch.name for glitch in scene.glitches}


def test_twins_are_galaxies_like_those_of_lenses(lenses):
    plain = FoolerRates(**{field.name: 0.0 for field in dataclasses.fields(FoolerRates)})
    sigmas = {}
    for share in (0.0, 1.0):
        drawn = scenes(SkyPopulation(lens_fraction=0.0, twin_share=share, foolers=plain, sources=ALL_VISIBLE), 120)
        sigmas[share] = np.mean([scene.velocity_dispersion_km_s for scene in drawn])
    of_lenses = np.mean([scene.velocity_dispersion_km_s for scene in lenses])
    assert sigmas[1.0] == pytest.approx(of_lenses, rel=0.05)
    assert sigmas[0.0] < 0.9 * of_lenses


def test_quasars_are_seen_as_points():
    quasars = dataclasses.replace(ALL_VISIBLE, quasars=QuasarPopulation(share=1.0))
    population = SkyPopulation(lens_fraction=1.0, sources=quasars)
    drawn = scenes(population, 5)
    assert all(len(scene.source_points) == 1 for scene in drawn)
    assert sum(stamp.truth["is_lens"] for stamp in stamps(population, 12)) >= 6


def test_real_galaxies_serve_as_sources(shared_data):
    real = dataclasses.replace(ALL_VISIBLE, real_sources=str(shared_data / "cosmos_galaxies"), real_share=1.0)
    population = SkyPopulation(lens_fraction=1.0, sources=real)
    assert sum(stamp.truth["is_lens"] for stamp in stamps(population, 10)) >= 5


def test_a_stamp_without_a_source_is_no_lens(others):
    clear = Visibility(3.0, 500, 5000.0, 500.0, 300.0)
    assert not SkyPopulation().is_lens(others[0], clear)


def test_the_label_follows_an_adjusted_cut(lenses):
    faint = Visibility(1.5, 30, 60.0, 12.0, 6.0)
    loose = SkyPopulation(visibility=VisibilityCut(arc_snr_min=10.0, arc_snr_over_light_min=5.0))
    assert loose.is_lens(lenses[0], faint)
    assert not SkyPopulation().is_lens(lenses[0], faint)


def test_lenses_stand_in_groups_as_often_as_stated(lenses):
    in_groups = np.mean([len(scene.masses) > 1 for scene in lenses])
    assert in_groups == pytest.approx(LensEnvironment().group_share, abs=0.07)


@pytest.mark.parametrize("name", sorted(name for name in SURVEYS if SURVEYS[name].conditions or name == "bologna"))
def test_every_survey_has_a_sky(name):
    survey = SURVEYS[name]
    for lens_fraction in (0.0, 1.0):
        [stamp] = stamps(SkyPopulation(lens_fraction=lens_fraction), 1, survey=survey)
        assert stamp.pixels.shape == (101, 101, len(survey.bands))
        assert stamp.truth["has_source"] == bool(lens_fraction)


def test_a_cut_that_nothing_passes_is_refused():
    hopeless = SkyPopulation(
        lens_fraction=1.0,
        sources=dataclasses.replace(ALL_VISIBLE, quasars=QuasarPopulation(share=0.0)),
        early_types=EarlyTypePopulation(sigma_range_km_s=(150.0, 160.0)),
        visibility=VisibilityCut(einstein_radius_over_seeing_min=9.0),
    )
    with pytest.raises(InputError, match=r"no lens that can be seen was found in 1024000 draws for survey kids"):
        hopeless.draw_scene(KIDS, side_arcsec=SIDE_ARCSEC, rng=np.random.default_rng(0))


def test_a_population_can_be_sent_hashed_and_written():
    population = SkyPopulation()
    assert pickle.loads(pickle.dumps(population)) == population
    assert hash(population) == hash(SkyPopulation())
    assert json.loads(json.dumps(dataclasses.asdict(population)))["foolers"]["spiral"] == population.foolers.spiral
