"""Batches of the pipeline: which stamps, in which order, as what."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from lensdetect.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
from lensdetect.errors import InputError
from lensdetect.network import Augmentation

BANDS = ("u", "g", "r", "i")
NUM = 23
BATCH = 5
STEPS = 4


class Numbered:
    """Stamps whose pixels say which row, band and pixel they are."""

    shape = (6, 6, 4)

    def __init__(self):
        self.truth = pd.DataFrame({"is_lens": np.arange(NUM) % 3 == 0})
        self.asked: list[np.ndarray] = []

    def read(self, rows):
        self.asked.append(rows)
        pixel = np.arange(6 * 6 * 4, dtype=np.float32).reshape(self.shape)
        return np.asarray(rows, np.float32)[:, None, None, None] * 1000 + pixel


@pytest.fixture
def stamps() -> Numbered:
    return Numbered()


def rows_of(cutouts) -> list[int]:
    return (np.asarray(cutouts)[:, 0, 0, 0] // 1000).astype(int).tolist()


def take(stamps, epochs: int, *, rows=None, **changes) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    """Batches by epoch."""
    arguments = {"bands": BANDS, "batch_size": BATCH, "seed": 1} | changes
    rows = np.arange(NUM) if rows is None else rows
    batches = list(training_batches(stamps, rows, **arguments).take(epochs * STEPS).as_numpy_iterator())
    return [batches[start : start + STEPS] for start in range(0, len(batches), STEPS)]


def order(epoch) -> list[int]:
    return [row for cutouts, _ in epoch for row in rows_of(cutouts)]


def test_batch_has_cutouts_and_their_labels(stamps):
    (epoch,) = take(stamps, 1)
    for cutouts, is_lens in epoch:
        assert (cutouts.dtype, cutouts.shape) == (np.float32, (BATCH, 6, 6, 4))
        assert (is_lens.dtype, is_lens.shape) == (np.float32, (BATCH, 1))
        assert is_lens[:, 0].tolist() == [float(row % 3 == 0) for row in rows_of(cutouts)]
        np.testing.assert_array_equal(cutouts, stamps.read(rows_of(cutouts)))


def test_static_shapes_let_keras_compile_once(stamps):
    batches = training_batches(stamps, np.arange(NUM), bands=BANDS, batch_size=BATCH, seed=1)
    assert [tuple(spec.shape) for spec in batches.element_spec] == [(BATCH, 6, 6, 4), (BATCH, 1)]


def test_each_row_at_most_once_an_epoch(stamps):
    epochs = [order(epoch) for epoch in take(stamps, 30)]
    for rows in epochs:
        assert len(rows) == len(set(rows)) == STEPS * BATCH
    # The rows that an incomplete batch leaves out are others each time.
    assert {row for rows in epochs for row in rows} == set(range(NUM))
    assert len({tuple(sorted(rows)) for rows in epochs}) > 20


def test_epochs_and_seeds_differ_in_order(stamps):
    first, second = (order(epoch) for epoch in take(stamps, 2))
    assert first != second
    assert order(take(stamps, 1, seed=2)[0]) != first
    assert first != sorted(first)


@pytest.mark.parametrize("augmentation", [None, Augmentation(max_shift_pix=2, band_sets=((("r",), 0.5),))])
def test_same_seed_same_batches(stamps, augmentation):
    first, second = (take(Numbered(), 2, augmentation=augmentation) for _ in range(2))
    for one, other in zip(itertools.chain(*first), itertools.chain(*second), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_goes_on_at_an_epoch_as_if_it_had_never_stopped(stamps):
    augmentation = Augmentation(max_shift_pix=2, band_sets=((("r",), 0.5),))
    whole = take(stamps, 5, augmentation=augmentation)
    rest = take(stamps, 2, augmentation=augmentation, first_epoch=3)
    for one, other in zip(itertools.chain(*whole[3:]), itertools.chain(*rest), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_takes_the_given_rows_alone(stamps):
    rows = np.asarray([1, 2, 3, 5, 8, 13, 21])
    batches = training_batches(stamps, rows, bands=BANDS, batch_size=7, seed=1).take(2)
    for cutouts, _ in batches:
        assert sorted(rows_of(cutouts)) == rows.tolist()


def test_augments_each_epoch_anew(stamps):
    augmentation = Augmentation(max_shift_pix=2)
    seen = {}
    for epoch in take(stamps, 6, augmentation=augmentation):
        for cutouts, _ in epoch:
            for cutout in cutouts:
                row = int(np.nanmin(cutout) // 1000)
                seen.setdefault(row, []).append(cutout.tobytes())
    assert all(len(set(views)) > len(views) // 2 for views in seen.values())


def test_reads_a_batch_at_a_time(stamps):
    take(stamps, 1)
    assert {len(rows) for rows in stamps.asked} == {BATCH}
    # Reading ahead is bounded: memory does not grow with the number of stamps.
    assert len(stamps.asked) <= STEPS + 6


def test_too_few_rows(stamps):
    with pytest.raises(InputError, match="at least one batch of 5 stamps, got 4: simulate more"):
        training_batches(stamps, np.arange(4), bands=BANDS, batch_size=5, seed=1)


def test_band_set_of_another_survey(stamps):
    with pytest.raises(InputError, match=r"must name bands of the stamps \(u, g, r, i\), got z"):
        take(stamps, 1, augmentation=Augmentation(band_sets=((("z",), 0.1),)))


@pytest.mark.parametrize(("num", "steps"), [(5, 1), (9, 1), (10, 2), (23, 4)])
def test_steps_are_whole_batches(num, steps):
    assert steps_per_epoch(num, BATCH) == steps


def test_evaluation_keeps_the_order_and_the_last_stamps(stamps):
    rows = np.asarray([20, 3, 3, 17, 0, 22, 5])
    batches = list(evaluation_batches(stamps, rows, batch_size=3).as_numpy_iterator())
    assert [len(cutouts) for cutouts, _ in batches] == [3, 3, 1]
    assert [row for cutouts, _ in batches for row in rows_of(cutouts)] == rows.tolist()
    assert [float(value) for _, is_lens in batches for value in is_lens[:, 0]] == [row % 3 == 0 for row in rows]
    # As often as one likes: it is validated every epoch.
    again = list(evaluation_batches(stamps, rows, batch_size=3).as_numpy_iterator())
    assert [len(cutouts) for cutouts, _ in again] == [3, 3, 1]


def test_absent_bands_are_planes_of_nan(stamps):
    absent = np.asarray([True, False, True, False])
    ((cutouts, _),) = evaluation_batches(stamps, np.arange(4), batch_size=4, absent=absent).as_numpy_iterator()
    assert np.isnan(cutouts[..., absent]).all()
    np.testing.assert_array_equal(cutouts[..., ~absent], stamps.read(np.arange(4))[..., ~absent])
