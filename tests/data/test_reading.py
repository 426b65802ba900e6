"""Many inputs as one: order, batches, and what is wrong with a path."""

from __future__ import annotations

import gc
import threading

import numpy as np
import psutil
import pytest
from astropy.io import fits

from lensdetect import flags
from lensdetect.data import CutoutBatch, open_cutouts
from lensdetect.errors import InputError


@pytest.fixture
def mixed(tmp_path, rng, write_stamps):
    """Challenge stamps, FITS cubes and an array, with their pixels in order."""
    pixels = [write_stamps(tmp_path / "set", range(23))]
    (tmp_path / "cubes").mkdir()
    for name in ("b", "a"):
        cube = rng.normal(size=(4, 11, 11)).astype(np.float32)
        fits.PrimaryHDU(cube).writeto(tmp_path / "cubes" / f"{name}.fits")
        pixels.insert(1, np.moveaxis(cube, 0, -1)[None])
    pixels.append(rng.normal(size=(9, 11, 11, 4)).astype(np.float32))
    np.save(tmp_path / "c.npy", pixels[-1])
    return [tmp_path / "set", tmp_path / "cubes", tmp_path / "c.npy"], np.concatenate(pixels)


@pytest.mark.parametrize("batch_size", [1, 7, 34, 100])
@pytest.mark.parametrize("num_workers", [1, 3])
def test_batches_hold_every_object_once_in_order(mixed, bologna, batch_size, num_workers):
    paths, pixels = mixed
    source = open_cutouts(paths, survey=bologna, size=11)
    batches = list(source.batches(batch_size, num_workers=num_workers))
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert np.concatenate([batch.pixels for batch in batches]).tobytes() == pixels.tobytes()
    assert [name for batch in batches for name in batch.ids] == source.ids
    assert [path for batch in batches for path in batch.paths] == source.paths
    assert source.ids[22:26] == ["22", "a", "b", "c-0"] and len(source) == 34


def test_rows_may_come_in_any_order_and_more_than_once(mixed, bologna, rng):
    paths, pixels = mixed
    source = open_cutouts(paths, survey=bologna, size=11)
    rows = rng.integers(0, len(source), 60)
    batch = source.read(rows)
    assert isinstance(batch, CutoutBatch) and batch.pixels.dtype == np.float32
    assert batch.pixels.tobytes() == pixels[rows].tobytes()
    assert batch.ids == [source.ids[row] for row in rows]
    assert source.read([]).pixels.shape == (0, 11, 11, 4)
    with pytest.raises(InputError, match="rows must be from 0 to 33, got 0 to 34"):
        source.read([0, 34])


def test_leaving_early_ends_the_threads(mixed, bologna):
    paths, _ = mixed
    batches = open_cutouts(paths, survey=bologna, size=11).batches(2)
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("cutouts")]


def test_flags_stay_with_their_objects(tmp_path, write_stamps, file_of, bologna):
    write_stamps(tmp_path, range(40))
    for stamp in (3, 8, 39):
        file_of(tmp_path, "g", stamp).write_bytes(b"")
    file_of(tmp_path, "u", 15).unlink()
    source = open_cutouts(tmp_path, survey=bologna, size=11)
    batches = list(source.batches(16))
    wrong = {name: flags.names(value) for batch in batches for name, value in zip(batch.ids, batch.flags, strict=True)}
    assert {name: found for name, found in wrong.items() if found} == {
        "3": ("unreadable",),
        "8": ("unreadable",),
        "15": ("missing_band",),
        "39": ("unreadable",),
    }
    assert batches[0].refused.nonzero()[0].tolist() == [3, 8] and batches[0].reasons[4] == ""


def test_file_that_vanishes_is_a_flagged_row(tmp_path, write_stamps, file_of, bologna):
    write_stamps(tmp_path, [1, 2])
    source = open_cutouts(tmp_path, survey=bologna, size=11)
    file_of(tmp_path, "r", 2).unlink()
    batch = source.read([0, 1])
    assert batch.refused.tolist() == [False, True]
    assert "imageSDSS_R-2.fits: cannot be read: No such file" in batch.reasons[1]


def test_paths_that_hold_nothing_are_errors(tmp_path, bologna):
    with pytest.raises(InputError, match="gone does not exist: give FITS files"):
        open_cutouts(tmp_path / "gone", survey=bologna)
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(InputError, match="holds no images: give FITS files"):
        open_cutouts(tmp_path, survey=bologna)
    with pytest.raises(InputError, match="notes.txt begins with b'nothing', which is no kind of image file"):
        open_cutouts(tmp_path / "notes.txt", survey=bologna)
    with pytest.raises(InputError, match="one path or more must be given, got none"):
        open_cutouts([], survey=bologna)


def test_the_same_input_twice_is_an_error(tmp_path, rng, bologna):
    np.save(tmp_path / "a.npy", rng.normal(size=(2, 11, 11, 4)))
    with pytest.raises(InputError, match="each input must be given once, got .*a.npy twice"):
        open_cutouts([tmp_path / "a.npy", tmp_path], survey=bologna)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bands": ("g", "y")}, "unknown band of survey bologna 'y'"),
        ({"bands": ("g", "g")}, "bands must be one or more, each named once, got g, g"),
        ({"bands": ()}, "bands must be one or more, each named once, got none"),
        ({"fit": "stretch"}, "unknown way to fit images 'stretch'"),
        ({"size": 0}, "the cutout size must be a whole number of pixels from 1 on, got 0"),
    ],
)
def test_wrong_wishes_are_errors(tmp_path, bologna, options, message):
    with pytest.raises(InputError, match=message):
        open_cutouts(tmp_path, survey=bologna, **options)


def test_memory_does_not_grow_with_the_number_of_objects(tmp_path, bologna):
    # 200 MB on disk; a map of the file that stays open, or batches read too far
    # ahead, would show.
    np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.float32, (1250, 101, 101, 4))
    source = open_cutouts(tmp_path / "a.npy", survey=bologna)
    process = psutil.Process()
    list(open_cutouts(tmp_path / "a.npy", survey=bologna).read(np.arange(64)).pixels[:1])
    gc.collect()
    before = process.memory_info().rss
    highest = max(process.memory_info().rss for _ in source.batches(64, num_workers=1))
    assert highest - before < 80e6
