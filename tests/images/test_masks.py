"""Bits of masks are used only where their meaning is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lensdetect.images.masks import mask_rule
from lensdetect.survey import SURVEYS, SurveyFiles

HSC, LEGACY, KIDS = SURVEYS["hsc"], SURVEYS["legacy"], SURVEYS["kids"]


def bad(rule, *values) -> list[bool]:
    return rule.bad(np.array(values)).tolist()


def test_bits_of_the_header_count_and_detected_is_harmless():
    rule = mask_rule((("SAT", 1), ("DETECTED", 5), ("NO_DATA", 8)), HSC, band="g")
    assert bad(rule, 2, 32, 256, 34, 0) == [True, False, True, True, False]


def test_a_ray_is_fatal_unless_it_was_interpolated():
    rule = mask_rule((("CR", 3), ("INTRP", 2)), HSC, band="g")
    assert bad(rule, 8, 4, 12) == [True, False, False]


def test_bits_of_another_number_in_the_header_outrank_the_row():
    assert bad(mask_rule((), KIDS, band="r"), 64, 8) == [True, False]
    assert bad(mask_rule((("BAD_PIXEL", 3),), KIDS, band="r"), 64, 8) == [False, True]


def test_saturation_in_one_band_is_none_in_another():
    rules = [mask_rule((), LEGACY, band=band) for band in "grz"]
    assert [bad(rule, 1 << 3)[0] for rule in rules] == [False, True, False]
    # MEDIUM, GALAXY and the rest of the brick are pixels like others; the light of a bright star is suspect
    assert bad(rules[0], 1 << 11, 1 << 12, 1, 2) == [False] * 4
    assert rules[0].suspect == 2


@pytest.mark.parametrize("bits", [(), (("WHATEVER", 4),)])
def test_what_nobody_knows_is_left_aside(bits):
    assert mask_rule(bits, HSC, band="g").known == 0


def test_a_row_may_name_bits_of_its_own():
    mine = dataclasses.replace(HSC, files=SurveyFiles(fatal=("WHATEVER",), harmless=("SAT",)))
    rule = mask_rule((("WHATEVER", 4), ("SAT", 1)), mine, band="g")
    assert bad(rule, 16, 2) == [True, False]
