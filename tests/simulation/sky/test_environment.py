import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.simulation.render.deflection import trace_rays
from lensdetect.simulation.scene import IsothermalMass
from lensdetect.simulation.sky.deflectors import draw_early_type
from lensdetect.simulation.sky.environment import (
    caustic_centre_arcsec,
    draw_mass,
    draw_shear,
    draw_surroundings,
    enclosed_einstein_radius_arcsec,
    shift_source,
)
from lensdetect.simulation.sky.parameters import EarlyTypePopulation, LensEnvironment, SkySourcePopulation
from lensdetect.simulation.sky.sources import draw_source
from lensdetect.survey import get_survey

KIDS = get_survey("kids")


def draw(environment, seed=1, *, own_radius_arcsec=1.2, in_group=False):
    rng = np.random.default_rng(seed)
    galaxy = draw_early_type(EarlyTypePopulation(), rng=rng)
    mass = draw_mass(environment, galaxy, einstein_radius_arcsec=1.2, rng=rng)
    about = draw_surroundings(
        *(environment, galaxy),
        mass=mass,
        own_radius_arcsec=own_radius_arcsec,
        in_group=in_group,
        survey=KIDS,
        rng=rng,
    )
    return galaxy, mass, about


def test_a_galaxy_alone_keeps_its_einstein_radius():
    galaxy, mass, about = draw(LensEnvironment(group_share=0.0, satellites_share=0.0, chance_blue_share=0.0))
    assert about.masses == (mass,)
    assert about.einstein_radius_arcsec == 1.2
    assert about.light == galaxy.light


def test_members_of_a_group_have_light_and_mass():
    galaxy, mass, about = draw(LensEnvironment(group_share=1.0, satellites_share=0.0, chance_blue_share=0.0))
    assert len(about.masses) == len(about.light) - len(galaxy.light) + 1 > 1
    assert about.einstein_radius_arcsec > 1.2
    member, light = about.masses[1], about.light[len(galaxy.light)]
    assert (member.x_arcsec, member.y_arcsec) == (light.x_arcsec, light.y_arcsec)
    fainter = light.mags[2] - galaxy.mags[2]
    assert member.einstein_radius_arcsec == pytest.approx(1.2 * 10.0 ** (-0.2 * max(fainter, 0.0)))


def test_the_mass_of_a_halo_holds_that_of_its_members():
    none = LensEnvironment(group_share=0.0, satellites_share=0.0, chance_blue_share=0.0)
    galaxy, mass, about = draw(none, own_radius_arcsec=0.6, in_group=True)
    assert len(about.masses) > 1 and about.masses[0].einstein_radius_arcsec < mass.einstein_radius_arcsec
    assert about.einstein_radius_arcsec == pytest.approx(mass.einstein_radius_arcsec, rel=0.15)
    fainter = about.light[len(galaxy.light)].mags[2] - galaxy.mags[2]
    assert about.masses[1].einstein_radius_arcsec == pytest.approx(0.6 * 10.0 ** (-0.2 * max(fainter, 0.0)))


def test_companions_that_fool_have_no_mass():
    _, mass, about = draw(LensEnvironment(group_share=0.0, satellites_share=0.0, chance_blue_share=1.0))
    assert len(about.light) > 1
    assert about.masses == (mass,)


def test_masses_in_one_place_add_up():
    pair = IsothermalMass(0.1, 0.2, 1.0), IsothermalMass(0.1, 0.2, 0.4)
    assert enclosed_einstein_radius_arcsec(pair) == pytest.approx(1.4, abs=1e-3)


def test_a_far_mass_adds_little():
    pair = IsothermalMass(0.0, 0.0, 1.0), IsothermalMass(30.0, 0.0, 1.0)
    assert enclosed_einstein_radius_arcsec(pair) == pytest.approx(1.0, abs=0.03)


def test_the_centre_of_the_caustic_is_where_the_others_deflect_it_to():
    masses = IsothermalMass(0.0, 0.0, 1.0), IsothermalMass(4.0, 0.0, 0.5)
    # a sphere deflects by its Einstein radius, towards itself
    assert caustic_centre_arcsec(masses) == pytest.approx((0.5, 0.0), abs=1e-9)


def test_a_shifted_source_stays_behind_the_galaxy_in_a_group():
    masses = IsothermalMass(0.0, 0.0, 1.0), IsothermalMass(4.0, 0.0, 0.5)
    source = draw_source(
        SkySourcePopulation(), (0.0, 0.0), mag=22.0, redshift=1.5, quasar=True, rng=np.random.default_rng(0)
    )
    [point] = shift_source(source, masses).points
    angle = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    beta_x, beta_y = trace_rays(np.cos(angle), np.sin(angle), masses=masses, shear=(0.0, 0.0))
    # the Einstein ring of the galaxy comes back to it, but for the tide of its neighbour
    assert np.hypot(beta_x - point.x_arcsec, beta_y - point.y_arcsec).max() < 0.2


def test_shear_has_the_stated_median():
    rng = np.random.default_rng(4)
    sizes = [np.hypot(*draw_shear(LensEnvironment(), rng=rng)) for _ in range(2000)]
    assert np.median(sizes) == pytest.approx(0.05, rel=0.05)


def test_shares_above_one_are_refused():
    with pytest.raises(InputError, match=r"must sum to 0 to 1, got 1\.3: lower some"):
        LensEnvironment(group_share=0.9, satellites_share=0.2, chance_blue_share=0.2)
