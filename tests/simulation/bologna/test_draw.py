"""Scenes: what is drawn has the distributions that the population states."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lensdetect.simulation import BolognaPopulation
from lensdetect.simulation.bologna.deflectors import sphere_within
from lensdetect.simulation.neighbours import draw_counts_mag
from lensdetect.simulation.render.deflection import trace_rays
from lensdetect.survey import SURVEYS

RADIAN_ARCSEC = 206264.806


def draw_scene(population: BolognaPopulation, *, rng: np.random.Generator):
    return population.draw_scene(SURVEYS["bologna"], side_arcsec=20.2, rng=rng)


@pytest.fixture(scope="module")
def scenes():
    rng = np.random.default_rng(11)
    return [draw_scene(BolognaPopulation(), rng=rng) for _ in range(3000)]


def test_same_generator_state_gives_the_same_scene():
    first, second = (draw_scene(BolognaPopulation(), rng=np.random.default_rng(5)) for _ in range(2))
    assert first == second


def test_lens_fraction(scenes):
    share = np.mean([scene.has_source for scene in scenes])
    assert abs(share - 0.401) < 0.03  # three standard errors


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_only_lenses_or_none(fraction):
    population = dataclasses.replace(BolognaPopulation(), lens_fraction=fraction)
    rng = np.random.default_rng(1)
    assert all(draw_scene(population, rng=rng).has_source == bool(fraction) for _ in range(50))


def test_einstein_radii_follow_the_genuine_table(scenes, shared_data):
    table = pd.read_csv(shared_data / "bologna_ground" / "classifications.csv")
    genuine = np.sqrt(table["Einstein_area"] / np.pi) * RADIAN_ARCSEC
    quantiles = np.linspace(0.05, 0.95, 10)
    for has_source in (False, True):
        ours = [scene.einstein_radius_arcsec for scene in scenes if scene.has_source == has_source]
        assert np.quantile(ours, quantiles) == pytest.approx(np.quantile(genuine, quantiles), rel=0.15)


def test_classes_differ_by_the_source_alone(scenes):
    for measure in (
        lambda s: s.light[0].mags[2],
        lambda s: len(s.light),
        lambda s: len(s.stars),
        lambda s: s.real_like,
    ):
        values = [[measure(scene) for scene in scenes if scene.has_source == has] for has in (False, True)]
        error = np.sqrt(sum(np.var(side) / len(side) for side in values))
        assert abs(np.mean(values[0]) - np.mean(values[1])) < 4 * error


def test_kinds_and_groups(scenes):
    kinds = {scene.kind for scene in scenes}
    assert kinds == {"elliptical", "spiral", "disc", "group"}
    members = {scene.kind == "group": len(scene.masses) for scene in sorted(scenes, key=lambda s: len(s.masses))}
    assert members[True] > 1
    assert members[False] == 1
    wide = [len(scene.masses) for scene in scenes if scene.einstein_radius_arcsec > 4]
    narrow = [len(scene.masses) for scene in scenes if scene.einstein_radius_arcsec < 1]
    assert np.mean(wide) > np.mean(narrow) + 0.5


def test_mass_within_the_einstein_radius_is_critical(scenes):
    groups = [scene for scene in scenes if len(scene.masses) > 2][:20]
    theta = np.linspace(0.0, 2.0 * np.pi, 2000, endpoint=False)
    for scene in groups:
        masses = tuple(dataclasses.replace(mass, axis_ratio=1.0) for mass in scene.masses)
        radius, centre = scene.einstein_radius_arcsec, masses[0]
        x, y = centre.x_arcsec + radius * np.cos(theta), centre.y_arcsec + radius * np.sin(theta)
        beta_x, beta_y = trace_rays(x, y, masses=masses, shear=(0.0, 0.0))
        outward = (beta_x - centre.x_arcsec) * np.cos(theta) + (beta_y - centre.y_arcsec) * np.sin(theta)
        assert abs(outward.mean()) < 0.005 * radius


def test_sphere_within_a_circle():
    assert sphere_within(0.0) == pytest.approx(1.0)
    assert sphere_within(1.0) == pytest.approx(2.0 / np.pi, rel=0.01)  # chord average of a sphere on the rim
    # far outside it is a point whose field has no mean divergence but the isothermal halo's own 1 / (2 d)
    assert sphere_within(20.0) == pytest.approx(1.0 / 40.0, rel=0.01)


def test_sources_lie_about_the_deflector_and_are_mostly_blue(scenes):
    sources = [scene for scene in scenes if scene.has_source]
    widest = max(BolognaPopulation().source.far_arcsec)
    for scene in sources:
        offset = np.hypot(
            scene.source[0].x_arcsec - scene.masses[0].x_arcsec, scene.source[0].y_arcsec - scene.masses[0].y_arcsec
        )
        assert offset <= widest
    colour = [scene.source[0].mags[1] - scene.source[0].mags[2] for scene in sources]
    deflector = [scene.light[0].mags[1] - scene.light[0].mags[2] for scene in sources]
    assert np.median(colour) < np.median(deflector) - 0.5


def test_centres_jitter_by_half_a_pixel(scenes):
    x = np.array([scene.masses[0].x_arcsec for scene in scenes])
    assert np.abs(x).max() <= 0.1
    assert x.std() == pytest.approx(0.2 / np.sqrt(12), rel=0.05)


def test_number_counts_rise_with_the_slope():
    rng = np.random.default_rng(2)
    mags = np.array([draw_counts_mag((20.0, 24.0), 0.3, rng=rng) for _ in range(8000)])
    assert mags.min() >= 20.0 and mags.max() <= 24.0
    bright, faint = np.sum(mags < 22.0), np.sum(mags >= 22.0)
    assert faint / bright == pytest.approx(10 ** (0.3 * 2), rel=0.12)
