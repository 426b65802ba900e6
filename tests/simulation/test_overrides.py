import dataclasses

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.simulation.bologna import BolognaPopulation
from lensdetect.simulation.overrides import population_toml, read_population
from lensdetect.simulation.sky import SkyPopulation
from lensdetect.simulation.sky.deflectors import draw_early_type


@pytest.fixture
def read(tmp_path):
    def read(text, base=None):
        path = tmp_path / "population.toml"
        path.write_text(text, encoding="utf-8")
        return read_population(path, base or SkyPopulation())

    return read


def test_a_rate_is_changed_and_nothing_else(read):
    population = read("[foolers]\nspiral = 0.3\n")
    base = SkyPopulation()
    assert population.foolers.spiral == 0.3
    assert population == dataclasses.replace(base, foolers=dataclasses.replace(base.foolers, spiral=0.3))


def test_any_depth_can_be_reached(read):
    population = read("lens_fraction = 0.2\n[sources]\nmag_range = [20, 25.5]\n[sources.quasars]\nshare = 1\n")
    assert population.lens_fraction == 0.2
    assert population.sources.mag_range == (20.0, 25.5)
    assert population.sources.quasars.share == 1.0
    assert isinstance(population.sources.quasars.share, float)
    hash(population)


def test_text_and_whole_numbers_keep_their_type(read):
    population = read('[sources]\nreal_sources = "/data/galaxies"\n[visibility]\narc_pixel_count_min = 35\n')
    assert population.sources.real_sources == "/data/galaxies"
    assert population.visibility.arc_pixel_count_min == 35


@pytest.mark.parametrize("base", [SkyPopulation(), BolognaPopulation()], ids=["sky", "bologna"])
def test_a_written_population_is_read_back(read, base):
    assert read(population_toml(base), base) == base


def test_an_empty_file_changes_nothing(read):
    assert read("") == SkyPopulation()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[foolers]\nspirl = 0.2",
            r"unknown parameter in \[foolers\] of .*toml 'spirl': did you mean spiral",
        ),
        ("foolerz = 0.2", r"unknown parameter in the top level of .* 'foolerz': did you mean foolers"),
        ("foolers = 3", r"foolers must be a table, got 3: write \[foolers\] and its keys below"),
        ('[foolers]\nspiral = "much"', r'foolers.spiral must be a number, got "much": it is [\d.]+ by default'),
        ("[foolers]\nspiral = true", r"foolers.spiral must be a number, got true"),
        ("[sources]\nreal_sources = 4", r'sources.real_sources must be text, got 4: it is "" by default'),
        ("[visibility]\narc_pixel_count_min = 2.5", r"arc_pixel_count_min must be a whole number, got 2.5"),
        ("[sources]\nmag_range = [20]", r"mag_range must be a list of 2, each part of it a number, got \[20\]"),
        ("[sources]\nmag_range = [26, 20]", r"mag_range must increase, got \[26, 20\]: give the lower end first"),
        ("[sources]\nred_share = 1.5", r"sources.red_share must be between 0 and 1, got 1.5"),
        ("lens_fraction = -0.1", r"lens_fraction must be between 0 and 1, got -0.1"),
        (
            "[early_types]\nsize_scatter_dex = -1",
            r"size_scatter_dex must be between 0 and 5, got -1",
        ),
        ("[early_types]\naxis_ratio_min = 1.5", r"early_types.axis_ratio_min must be between 0.01 and 1, got 1.5"),
        (
            "[environment]\nshear_median = -1e9",
            r"environment.shear_median must be between 1e-06 and 1, got -1",
        ),
        ("[sources]\nclumps_mean = 1e300", r"sources.clumps_mean must be between 0 and 10000, got 1e.300"),
        ("[early_types]\nsersic_index = inf", r"sersic_index must be finite, got inf"),
        ("[foolers]\nspiral = 0.99", r"population.toml: the shares .* must sum to at most 1"),
        ("[foolers\nspiral = 0.99", r"population.toml must be TOML, got: .*: write lines like"),
    ],
)
def test_mistakes_are_told_with_the_way_out(read, text, message):
    with pytest.raises(InputError, match=message):
        read(text)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match=r"must be readable, got No such file or directory for .*none.toml"):
        read_population(tmp_path / "none.toml", SkyPopulation())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[deflector]\neinstein_radius_quantiles = [0, 1]",
            r"must be lists of one length, got .*quantiles 2, .* 23",
        ),
        (
            "[source]\nmag_quantiles = [0, 1]\nmag = [25]",
            r"mag_quantiles, mag must be lists of one length",
        ),
        (
            "[source]\nmag_quantiles = [0, 0.5]\nmag = [25, 26]",
            r"mag_quantiles must rise from 0 to 1, got",
        ),
        (
            "[source]\nat_arcsec = [1, 2]",
            r"at_arcsec, near_arcsec, far_arcsec, .* must be lists of one length",
        ),
    ],
)
def test_lists_that_belong_together(read, text, message):
    with pytest.raises(InputError, match=message):
        read(text, BolognaPopulation())


def test_every_default_is_within_the_ranges(read):
    # Writing it out and reading it back holds each number against them.
    for base in (SkyPopulation(), BolognaPopulation()):
        assert read(population_toml(base), base) == base


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"axis_ratio_min": 1.0},
            "axis ratios above axis_ratio_min 1, got none of 10,000 drawn: lower it",
        ),
        ({"mag_range": (1.0, 2.0)}, r"galaxies in mag_range \(1.0, 2.0\), got none of 80,000 drawn: widen it"),
    ],
)
def test_what_is_never_drawn_is_told(changes, message):

    early_types = dataclasses.replace(SkyPopulation().early_types, **changes)
    with pytest.raises(InputError, match=message):
        draw_early_type(early_types, rng=np.random.default_rng(0))
