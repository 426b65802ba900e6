from __future__ import annotations

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.rounds import HeldOut


@pytest.fixture
def positions(rng) -> tuple[np.ndarray, np.ndarray]:
    """All over the sky, evenly."""
    return rng.uniform(0, 360, 20_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000)))


def test_the_share_of_the_sky_is_what_was_asked_for(positions):
    assert HeldOut(0.2, 30.0).holds(*positions).mean() == pytest.approx(0.2, abs=0.012)
    assert HeldOut(0.5, 3.0).holds(*positions).mean() == pytest.approx(0.5, abs=0.012)


def test_a_position_is_on_the_same_side_in_whatever_order_and_turn(positions):
    rule, (ra_deg, dec_deg) = HeldOut(), positions
    first = rule.holds(ra_deg, dec_deg)
    np.testing.assert_array_equal(rule.holds(ra_deg[::-1], dec_deg[::-1])[::-1], first)
    # but for what a turn of 360 degrees rounds over a border
    assert (HeldOut().holds(ra_deg - 360.0, dec_deg) == first).mean() > 0.9999


def test_known_positions_stay_where_they_are_for_good():
    # what is held out of detectors that exist hangs on these
    found = HeldOut().holds(np.array([10.0, 150.1, 150.2, 214.5, 359.99]), np.array([0.5, 2.2, 2.3, 52.5, -30.0]))
    assert found.tolist() == [False, True, True, False, False]


def test_what_shares_pixels_with_the_held_out_is_at_the_border(rng):
    rule, reach = HeldOut(0.2, 3.0), 20.2
    ra_deg, dec_deg = rng.uniform(150, 150.5, 4000), rng.uniform(2, 2.5, 4000)
    side = rule.sides(ra_deg, dec_deg, reach_arcsec=reach)
    learn, held = side == "learn", side == "held out"
    assert set(side) == {"learn", "held out", "border"}
    np.testing.assert_array_equal(held, rule.holds(ra_deg, dec_deg))
    dx = (ra_deg[learn, None] - ra_deg[held]) * np.cos(np.radians(2.25)) * 3600
    dy = (dec_deg[learn, None] - dec_deg[held]) * 3600
    assert np.maximum(np.abs(dx), np.abs(dy)).min() > 0.99 * reach
    # the border is no more than it has to be
    assert 0.05 < np.mean(side == "border") < 0.35


def test_poles_and_the_turn_of_right_ascension_are_no_exceptions():
    rule = HeldOut(0.3, 3.0)
    side = rule.sides(np.array([0.0, 359.9999, 12.0, 200.0]), np.array([89.999, -90.0, 90.0, 0.0]), reach_arcsec=20.0)
    assert set(side) <= {"learn", "held out", "border"}


@pytest.mark.parametrize("numbers", [{"fraction": 0.0}, {"fraction": 0.99}, {"cell_arcmin": 0.0}])
def test_numbers_out_of_range(numbers):
    with pytest.raises(InputError, match="must be from"):
        HeldOut(**numbers)
