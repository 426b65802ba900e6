"""One seed, one order, one set of views: the same batches whatever Keras runs on.

Each backend needs a process of its own; TensorFlow's batches are those of this one.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lensdetect.data.keras_batches import NumberedBatches
from lensdetect.data.pipeline import evaluation_batches, training_batches
from lensdetect.network import Augmentation

BANDS = ("u", "g", "r", "i")
ROWS = np.arange(2, 23)
AUGMENTATION = Augmentation(max_shift_pix=2, band_sets=((("g", "r", "i"), 0.3), (("r",), 0.2)))
#: Two epochs of four batches and a bit, from the second epoch on.
NUM = 9


class Noise:
    """Stamps of noise with a bad pixel."""

    shape = (7, 7, 4)

    def __init__(self):
        self.truth = pd.DataFrame({"is_lens": np.arange(23) % 3 == 0})
        self._pixels = np.random.default_rng(5).normal(0, 1e-11, (23, *self.shape)).astype(np.float32)
        self._pixels[:, 2, 3, 1] = np.nan

    def read(self, rows):
        return self._pixels[rows]


def first_batches() -> dict[str, np.ndarray]:
    """Batches of the backend at hand: plain, augmented, and of an evaluation."""
    arguments = {"bands": BANDS, "batch_size": 5, "seed": 3, "first_epoch": 1}
    absent = np.asarray([True, False, False, True])
    streams = {
        "plain": training_batches(Noise(), ROWS, **arguments),
        "views": training_batches(Noise(), ROWS, augmentation=AUGMENTATION, **arguments),
        "ordered": evaluation_batches(Noise(), ROWS[::-1], batch_size=8, absent=absent),
    }
    found = {}
    for name, batches in streams.items():
        for number, batch in zip(range(NUM), batches, strict=False):
            for part, values in zip(("cutouts", "is_lens"), batch, strict=True):
                found[f"{name} {number} {part}"] = np.asarray(values)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_batches_are_those_of_tensorflow(backend, tmp_path, patience_s):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    code = "import sys, numpy, test_backends; numpy.savez(sys.argv[1], **test_backends.first_batches())"
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(Path(__file__).parent)}
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "found.npz"], env=environment, check=True, timeout=patience_s
    )
    expected = first_batches()
    with np.load(tmp_path / "found.npz") as found:
        assert set(found.files) == set(expected)
        for name, values in expected.items():
            # A view takes pixels as they are: not even a rounding may differ.
            np.testing.assert_array_equal(found[name], values, err_msg=name)
    assert len(expected) == 2 * (NUM + NUM + 3)


def test_batches_are_made_ahead_and_given_in_order():
    made = []
    batches = NumberedBatches(lambda number: made.append(number) or number, first=10, count=None)
    assert [batches[index] for index in range(4)] == [10, 11, 12, 13]
    # As Keras does once it has looked at the first batch.
    assert [batches[index] for index in range(3)] == [10, 11, 12]
    assert batches.num_batches is None and batches.waited_s > 0
    # A few ahead, however many there are: memory does not grow.
    assert max(made) <= 13 + 3


def test_batches_end():
    batches = NumberedBatches(lambda number: number, first=0, count=3)
    assert (list(batches), batches.num_batches) == ([0, 1, 2], 3)


def test_error_of_a_batch_comes_out():
    def fail(number):
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        NumberedBatches(fail, first=0, count=None)[0]


def test_stamps_in_the_memory_of_the_device(monkeypatch):
    from lensdetect.data import resident

    stamps = Noise()
    stamps.manifest, stamps.sha256 = {}, lambda: "0"
    assert resident.near_device(stamps) is stamps
    monkeypatch.setattr(resident.keras.config, "backend", lambda: "jax")
    monkeypatch.setattr(resident, "_CHUNK", 10)
    size = 23 * 7 * 7 * 4 * 4
    for room, fits in ((2 * size, False), (3 * size, True)):
        monkeypatch.setattr(resident, "free_memory", lambda room=room: room)
        near = resident.near_device(stamps)
        assert (near is not stamps) == fits
    np.testing.assert_array_equal(np.asarray(near.read(ROWS[::-1])), stamps.read(ROWS[::-1]))
