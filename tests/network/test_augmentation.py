"""Augmentation against numpy's own turns, flips and slices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.network import Augmentation, augment

BANDS = ("u", "g", "r", "i")
STILL = Augmentation(dihedral=False, max_shift_pix=0)
JUST_BELOW_1 = np.nextafter(np.float32(1), np.float32(0))


def run(cutouts, uniform, augmentation, bands=BANDS) -> np.ndarray:
    return np.asarray(augment(cutouts, np.asarray(uniform, np.float32), augmentation=augmentation, bands=bands))


@pytest.fixture
def cutout(rng) -> np.ndarray:
    """One cutout in which every value is another."""
    return rng.permutation(9 * 9 * 4).reshape(1, 9, 9, 4).astype(np.float32)


def views(image: np.ndarray) -> list[np.ndarray]:
    return [np.rot90(mirrored, turns) for mirrored in (image, image[::-1]) for turns in range(4)]


def test_reaches_each_of_the_eight_views_once(cutout):
    uniform = np.zeros((8, 4))
    uniform[:, 0] = (np.arange(8) + 0.5) / 8
    found = run(np.repeat(cutout, 8, axis=0), uniform, Augmentation(dihedral=True, max_shift_pix=0))
    matches = [[np.array_equal(image, view) for view in views(cutout[0])] for image in found]
    assert np.sum(matches, axis=0).tolist() == [1] * 8
    assert np.sum(matches, axis=1).tolist() == [1] * 8


def test_nothing_happens_where_nothing_may(cutout, rng):
    np.testing.assert_array_equal(run(cutout, rng.random((1, 4)), STILL), cutout)


@pytest.mark.parametrize(("down", "right"), list(itertools.product((-2, 0, 1), (-1, 0, 2))))
def test_shift_is_by_whole_pixels_and_uncovers_nan(cutout, down, right):
    uniform = [[0, (down + 2 + 0.5) / 5, (right + 2 + 0.5) / 5, 0]]
    found = run(cutout, uniform, Augmentation(dihedral=False, max_shift_pix=2))[0]
    padded = np.pad(cutout[0], ((2, 2), (2, 2), (0, 0)), constant_values=np.nan)
    np.testing.assert_array_equal(found, padded[2 + down : 11 + down, 2 + right : 11 + right])


def test_whole_range_of_shifts_is_reached(cutout):
    steps = np.concatenate([np.linspace(0, JUST_BELOW_1, 2000, dtype=np.float32), [JUST_BELOW_1]])
    uniform = np.zeros((len(steps), 4), np.float32)
    uniform[:, 1] = steps
    found = run(np.repeat(cutout, len(steps), axis=0), uniform, Augmentation(dihedral=False, max_shift_pix=3))
    # The number of uncovered rows, at the top or at the bottom, tells the shift.
    bad = np.isnan(found[:, :, 4, 0])
    shift = np.where(bad[:, 0], -1, 1) * bad.sum(axis=1)
    assert sorted(set(shift.tolist())) == [-3, -2, -1, 0, 1, 2, 3]
    assert np.bincount(shift + 3).min() > 2000 / 7 - 2


@pytest.mark.parametrize("edge", [0.0, JUST_BELOW_1])
def test_ends_of_the_uniform_numbers(cutout, edge):
    found = run(cutout, np.full((1, 4), edge), Augmentation(max_shift_pix=4, band_sets=((("r",), 0.5),)))
    bad = np.isnan(found)
    assert np.isin(found[~bad], cutout).all()
    assert (~bad[..., 2]).sum() == 5 * 5


def test_every_value_is_one_of_the_input(rng):
    cutouts = np.arange(50 * 9 * 9 * 4, dtype=np.float32).reshape(50, 9, 9, 4)
    uniform = rng.random((50, 4), np.float32)
    found = run(cutouts, uniform, Augmentation(max_shift_pix=3, band_sets=((("g", "r"), 0.5),)))
    for before, after in zip(cutouts, found, strict=True):
        values = after[~np.isnan(after)]
        assert np.isin(values, before).all()
        assert len(np.unique(values)) == len(values)
    # The bands of a pixel stay together.
    both = ~np.isnan(found[..., 1:3]).any(axis=-1)
    np.testing.assert_array_equal((found[..., 2] - found[..., 1])[both], 1)


def test_bad_pixels_stay_bad(cutout):
    cutout[0, 2, 3, 1] = np.nan
    found = run(cutout, [[0.99, 0, 0, 0]], Augmentation(max_shift_pix=0))
    assert np.isnan(found).sum() == 1
    assert np.isnan(found[..., 1]).sum() == 1


def test_band_sets_are_kept_as_often_as_said(rng):
    num = 4000
    augmentation = Augmentation(False, 0, band_sets=((("g", "r", "i"), 0.2), (("r",), 0.15)))
    found = run(np.ones((num, 1, 1, 4)), rng.random((num, 4), np.float32), augmentation)
    kept = ["".join(np.asarray(BANDS)[~np.isnan(pixel)]) for pixel in found[:, 0, 0]]
    frequency = {names: kept.count(names) / num for names in set(kept)}
    assert set(frequency) == {"ugri", "gri", "r"}
    # Four standard deviations of a binomial.
    assert frequency["gri"] == pytest.approx(0.2, abs=0.026)
    assert frequency["r"] == pytest.approx(0.15, abs=0.023)


def test_same_numbers_give_the_same_views(rng):
    cutouts, uniform = rng.random((6, 9, 9, 4), np.float32), rng.random((6, 4), np.float32)
    augmentation = Augmentation(max_shift_pix=2, band_sets=((("r",), 0.5),))
    first = run(cutouts, uniform, augmentation)
    np.testing.assert_array_equal(run(cutouts, uniform, augmentation), first)
    # What happens to one does not depend on its neighbours.
    np.testing.assert_array_equal(run(cutouts[2:3], uniform[2:3], augmentation)[0], first[2])


@pytest.mark.parametrize("sets", [((("r",), 0.7), (("g",), 0.2), (("i",), 0.1)), ((("r",), 1 / 3),) * 3])
def test_probabilities_may_sum_to_one(sets, rng):
    found = run(np.ones((200, 1, 1, 4)), rng.random((200, 4), np.float32), Augmentation(False, 0, sets))
    assert np.isnan(found).sum() == 3 * 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"band_sets": ((("r",), 0.7), (("g",), 0.4))}, r"sum to at most 1, got \[0.7, 0.4\]"),
        ({"band_sets": ((("r",), -0.1),)}, r"must be >= 0 .* got \[-0.1\]"),
        ({"band_sets": ((("r",), float("nan")),)}, r"must be >= 0 .* got \[nan\]"),
        ({"band_sets": (((), 0.1),)}, "must keep a band, got one that keeps none"),
        ({"max_shift_pix": -1}, "whole number from 0 to 10000, got -1"),
        ({"max_shift_pix": 5.05}, "whole number from 0 to 10000, got 5.05"),
    ],
)
def test_bad_numbers(arguments, message):
    with pytest.raises(InputError, match=message):
        Augmentation(**arguments)


def test_band_sets_must_name_bands_of_the_cutouts(cutout):
    with pytest.raises(InputError, match=r"bands of the stamps \(u, g, r, i\), got y, z beside them"):
        run(cutout, np.zeros((1, 4)), Augmentation(band_sets=((("z", "r", "y"), 0.1),)))


def test_cutouts_must_be_square(rng):
    with pytest.raises(InputError, match="square to be turned, got 9 x 8 pixels"):
        run(rng.random((1, 9, 8, 4)), np.zeros((1, 4)), Augmentation())
