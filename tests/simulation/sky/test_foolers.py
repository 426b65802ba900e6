import dataclasses
import math
from collections import Counter

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.simulation.conditions import typical_conditions
from lensdetect.simulation.render import expose, observe
from lensdetect.simulation.scene import SCENE_BANDS, RingLight, Scene, SersicLight
from lensdetect.simulation.sky.deflectors import EarlyType
from lensdetect.simulation.sky.foolers import KINDS, PLAIN_KIND, FoolerRates, draw_fooler, draw_kind
from lensdetect.survey import get_survey

KIDS = get_survey("kids")
G, R = SCENE_BANDS.index("g"), SCENE_BANDS.index("r")
RED = (23.6, 21.5, 20.0, 19.4, 19.0, 18.8)
CENTRE = EarlyType(
    redshift=0.35, velocity_dispersion_km_s=230.0, mags=RED, radius_arcsec=1.0, axis_ratio=0.8, angle_rad=0.3,
    light=(SersicLight(0.1, -0.1, 1.0, 4.0, 0.8, 0.3, RED),), x_arcsec=0.1, y_arcsec=-0.1,
)  # fmt: skip


def foolers(kind, count=60):
    return [draw_fooler(kind, CENTRE, survey=KIDS, rng=np.random.default_rng([3, n])) for n in range(count)]


def g_r(parts):
    """Colour of everything together."""
    g, r = (sum(10.0 ** (-0.4 * part.mags[band]) for part in parts) for band in (G, R))
    return -2.5 * math.log10(g / r)


def total_mag(parts):
    return -2.5 * math.log10(sum(10.0 ** (-0.4 * part.mags[R]) for part in parts))


def away(part):
    return math.hypot(part.x_arcsec - CENTRE.x_arcsec, part.y_arcsec - CENTRE.y_arcsec)


def picture(fooler, *, size=101):
    scene = Scene(fooler.kind, math.nan, (), (0.0, 0.0), fooler.light, stars=fooler.stars, glitches=fooler.glitches)
    conditions = typical_conditions(KIDS)
    exposure = expose(scene, KIDS, conditions=conditions, size=size)
    return exposure.foreground, observe(
        scene, exposure, survey=KIDS, conditions=conditions, rng=np.random.default_rng(0)
    )


# rates


def test_kinds_come_at_their_rates():
    rates, rng = FoolerRates(), np.random.default_rng(1)
    counts = Counter(draw_kind(rates, rng=rng) for _ in range(10_000))
    expected = dataclasses.asdict(rates)
    expected[PLAIN_KIND] = 1.0 - sum(expected.values())
    assert set(counts) == set(KINDS) == set(expected)
    for kind, share in expected.items():
        assert counts[kind] / 10_000 == pytest.approx(share, abs=0.012)


def test_rates_of_the_user_are_kept():
    none = dict.fromkeys(dataclasses.asdict(FoolerRates()), 0.0)
    rng = np.random.default_rng(1)
    assert {draw_kind(FoolerRates(**none), rng=rng) for _ in range(50)} == {PLAIN_KIND}
    assert {draw_kind(FoolerRates(**none | {"pair": 1.0}), rng=rng) for _ in range(50)} == {"pair"}


@pytest.mark.parametrize("share", [-0.1, 1.2, math.nan])
def test_a_share_is_between_0_and_1(share):
    with pytest.raises(InputError, match="the share of kind ring must be between 0 and 1, got"):
        FoolerRates(ring=share)


def test_shares_sum_to_at_most_1():
    with pytest.raises(InputError, match="must sum to at most 1, got 1.46: lower some; what is left of 1 are plain"):
        FoolerRates(spiral=0.9)


def test_an_unknown_kind_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="unknown kind of scene without a source 'spirals': did you mean spiral"):
        draw_fooler("spirals", CENTRE, survey=KIDS, rng=np.random.default_rng(0))


# every kind


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_seen_and_is_the_same_for_the_same_seed(kind):
    first, again = foolers(kind, 3), foolers(kind, 3)
    for one, other in zip(first, again, strict=True):
        assert one == other
        assert one.kind == kind
        clean, pixels = picture(one, size=61)
        assert np.isfinite(pixels).all()
        # well above the noise in r
        assert np.sqrt(np.sum((clean[..., 2] / KIDS.bands[2].noise_sigma) ** 2)) > 20.0


@pytest.mark.parametrize("kind", ["elliptical", "satellites", "chance_blue", "group", "pair"])
def test_kinds_around_an_early_type_keep_it(kind):
    assert all(fooler.light[: len(CENTRE.light)] == CENTRE.light for fooler in foolers(kind, 10))


@pytest.mark.parametrize("kind", ["spiral", "ring", "merger", "edge_on"])
def test_kinds_that_are_no_early_type_take_its_place(kind):
    for fooler in foolers(kind, 10):
        assert CENTRE.light[0] not in fooler.light
        assert away(fooler.light[0]) < 2.1


# one by one


def test_spirals_are_large_with_blue_arms_about_a_red_bulge():
    drawn = foolers("spiral")
    for fooler in drawn:
        bulge, arms = fooler.light[0], next(part for part in fooler.light if getattr(part, "arms", None))
        assert arms.arms.amplitude > 0.7 and arms.axis_ratio >= 0.3
        assert 1.0 < arms.radius_arcsec < 5.0
        assert 17.3 < total_mag(fooler.light) < 21.2
        # pitch angle between 12 and 32 degrees
        assert 12.0 <= math.degrees(math.atan(arms.arms.number / abs(arms.arms.winding))) <= 32.0
        assert bulge.radius_arcsec < 0.3 * arms.radius_arcsec
    redder = [g_r(fooler.light[:1]) - g_r(fooler.light[1:]) for fooler in drawn]
    assert np.mean(redder) > 0.2 and np.mean(np.array(redder) > 0.0) > 0.85


def test_knots_lie_on_the_crests_of_arms():
    factors = []
    for fooler in foolers("spiral", 20):
        arms = next(part for part in fooler.light if part.arms)
        flat = dataclasses.replace(arms, arms=None)
        for knot in (part for part in fooler.light if part.sersic_index == 0.8):
            scene = {"masses": (), "shear": (0.0, 0.0), "kind": "spiral", "einstein_radius_arcsec": math.nan}
            turn = {"x_arcsec": arms.x_arcsec - knot.x_arcsec, "y_arcsec": arms.y_arcsec - knot.y_arcsec}
            sharp = dataclasses.replace(typical_conditions(KIDS), psf_fwhm_arcsec=(0.1,) * 4)
            with_arms, without = (
                expose(Scene(light=(dataclasses.replace(part, **turn),), **scene), KIDS, conditions=sharp, size=3)
                for part in (arms, flat)
            )
            factors.append(with_arms.foreground[1, 1, 2] / without.foreground[1, 1, 2])
        if len(factors) > 40:
            break
    # on a crest the disc is 1.75 to 1.98 times as bright as without arms; between them it is dark
    assert np.mean(factors) > 1.4 and np.min(factors) > 0.5


def test_rings_are_of_the_size_of_einstein_rings_and_blue():
    drawn = foolers("ring")
    rings = [next(part for part in fooler.light if isinstance(part, RingLight)) for fooler in drawn]
    assert all(1.2 <= ring.radius_arcsec <= 4.0 for ring in rings)
    bluer = [g_r(fooler.light[:1]) - g_r([ring]) for fooler, ring in zip(drawn, rings, strict=True)]
    assert np.mean(bluer) > 0.4
    collisional = [len([part for part in fooler.light if isinstance(part, RingLight)]) == 2 for fooler in drawn]
    assert 0.25 < np.mean(collisional) < 0.65


def test_a_ring_is_brighter_than_the_gap_within_it():
    for fooler in foolers("ring", 12):
        ring = next(part for part in fooler.light if isinstance(part, RingLight))
        if ring.radius_arcsec < 2.0 or ring.axis_ratio < 0.8:
            continue
        clean, _ = picture(
            dataclasses.replace(fooler, light=tuple(p for p in fooler.light if isinstance(p, RingLight)))
        )
        axis = (np.arange(101) - 50) * 0.2
        radius = np.hypot(axis - ring.x_arcsec, (axis - ring.y_arcsec)[:, None])
        ridge = clean[..., 1][np.abs(radius - ring.radius_arcsec) < 0.3].mean()
        assert ridge > 3.0 * clean[..., 1][radius < 0.3 * ring.radius_arcsec].mean()


def test_mergers_have_nuclei_that_can_be_told_apart_and_tails_that_begin_at_them():
    for fooler in foolers("merger"):
        tails = [part for part in fooler.light if isinstance(part, RingLight)]
        bodies = [part for part in fooler.light if isinstance(part, SersicLight)]
        assert 1 <= len(tails) <= 2 and 3 <= len(bodies) <= 4
        apart = math.hypot(bodies[0].x_arcsec - bodies[1].x_arcsec, bodies[0].y_arcsec - bodies[1].y_arcsec)
        assert 0.9 <= apart <= 3.2
        for tail, nucleus in zip(tails, bodies, strict=False):
            ends = [tail.middle_rad + side * tail.extent_rad for side in (-0.5, 0.5)]
            gaps = [
                math.hypot(
                    tail.x_arcsec + tail.radius_arcsec * math.cos(end) - nucleus.x_arcsec,
                    tail.y_arcsec + tail.radius_arcsec * math.sin(end) - nucleus.y_arcsec,
                )
                for end in ends
            ]
            assert min(gaps) == pytest.approx(0.0, abs=1e-6)


def test_edge_on_discs_are_thin():
    for fooler in foolers("edge_on"):
        bulge, disc = fooler.light
        assert 0.1 <= disc.axis_ratio <= 0.24
        assert 1.2 <= disc.radius_arcsec / math.sqrt(disc.axis_ratio) <= 4.5
        assert bulge.angle_rad == disc.angle_rad


def test_satellites_are_small_red_and_along_an_arc():
    drawn = foolers("satellites")
    for fooler in drawn:
        satellites = fooler.light[1:]
        assert 2 <= len(satellites) <= 4
        distances = [away(part) for part in satellites]
        assert max(distances) / min(distances) < 1.9
        assert all(part.mags[R] > CENTRE.mags[R] + 1.0 for part in satellites)
    assert np.mean([g_r(fooler.light[1:]) for fooler in drawn]) == pytest.approx(g_r(CENTRE.light), abs=0.12)


def test_chance_neighbours_are_blue_and_1_to_4_arcsec_away():
    drawn = foolers("chance_blue")
    neighbours = [part for fooler in drawn for part in fooler.light[1:]]
    assert all(1.0 <= away(part) <= 4.0 for part in neighbours)
    assert np.mean([g_r([part]) for part in neighbours]) < g_r(CENTRE.light) - 0.5
    # by chance: uniform over the area, half of them within the middle of the area
    assert np.median([away(part) ** 2 for part in neighbours]) == pytest.approx(8.5, abs=2.5)


def test_groups_are_of_one_red_sequence():
    for fooler in foolers("group"):
        members = fooler.light[1:]
        assert 2 <= len(members) <= 7
        assert all(member.mags[R] > CENTRE.light[0].mags[R] for member in members)
        assert all(abs(g_r([member]) - g_r(CENTRE.light)) < 0.35 for member in members)
        assert all(2.0 <= away(member) <= 12.0 for member in members)


def test_bright_stars_come_with_halos_and_the_brightest_saturate():
    drawn = foolers("star")
    for fooler in drawn:
        (star,) = fooler.stars
        names = [glitch.name for glitch in fooler.glitches]
        assert names == (["star_halo", "saturated_core"] if star.mags[R] < 16.0 else ["star_halo"])
    assert 0.3 < np.mean([bool(fooler.light) for fooler in drawn]) < 0.7


def test_points_of_a_pair_are_on_either_side():
    for fooler in foolers("pair"):
        first, second = ((s.x_arcsec - CENTRE.x_arcsec, s.y_arcsec - CENTRE.y_arcsec) for s in fooler.stars)
        assert all(0.8 <= away(star) <= 2.5 for star in fooler.stars)
        assert np.dot(first, second) < 0.3 * away(fooler.stars[0]) * away(fooler.stars[1])
