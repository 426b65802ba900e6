"""The table of quality bits."""

from __future__ import annotations

import numpy as np
import pytest

from lensdetect.flags import FLAGS, REFUSED, bits, names


def test_each_flag_has_a_bit_of_its_own_and_its_name_as_key():
    assert len({flag.bit for flag in FLAGS.values()}) == len(FLAGS)
    assert all(key == flag.name and flag.meaning for key, flag in FLAGS.items())


def test_bits_are_stable():
    # They stand in result tables on people's disks: a bit is never given to another meaning.
    assert {name: flag.value for name, flag in FLAGS.items()} == {
        "masked": 1,
        "missing_band": 2,
        "identical_bands": 4,
        "cropped": 8,
        "padded": 16,
        "wrong_shape": 32,
        "unreadable": 64,
        "blank": 128,
        "edge": 256,
        "saturated": 512,
        "trail": 1024,
        "bad_column": 2048,
        "bad_background": 4096,
        "cosmic_ray": 8192,
        "duplicate": 16384,
        "star_like": 32768,
        "misaligned": 65536,
        "unexamined": 131072,
    }


@pytest.mark.parametrize("number_type", [int, np.int64])
def test_names_reads_what_bits_writes(number_type):
    value = number_type(bits("padded", "masked", "padded"))
    assert value == 17
    assert names(value) == ("masked", "padded")


def test_no_flag_is_zero():
    assert bits() == 0
    assert names(0) == ()


def test_refused_holds_exactly_what_cannot_be_scored():
    assert names(REFUSED) == ("wrong_shape", "unreadable", "blank")
