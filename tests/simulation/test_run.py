"""Whole simulations: the same bytes always, resumed, refused, interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.runs import lock
from lensdetect.simulation import simulate
from lensdetect.stamps import TRUTH_COLUMNS, Shards
from lensdetect.survey import SURVEYS

BOLOGNA = SURVEYS["bologna"]
SMALL = {"count": 14, "seed": 9, "size": 21, "shard_size": 4}


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory):
    return simulate(BOLOGNA, tmp_path_factory.mktemp("one") / "stamps", workers=1, **SMALL)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_workers_write_the_same_bytes(one_worker, tmp_path):
    two = simulate(BOLOGNA, tmp_path / "two", workers=2, **SMALL)
    assert files_of(two) == files_of(one_worker)


def test_pixels_do_not_depend_on_the_shard_size(one_worker, tmp_path):
    whole = simulate(BOLOGNA, tmp_path / "whole", workers=1, **{**SMALL, "shard_size": 100})
    rows = np.arange(14)
    assert np.array_equal(Shards(whole).read(rows), Shards(one_worker).read(rows), equal_nan=True)


def test_other_seed_other_pixels(one_worker, tmp_path):
    other = simulate(BOLOGNA, tmp_path / "other", workers=1, **{**SMALL, "seed": 10, "count": 2})
    assert not np.array_equal(Shards(other).read([0]), Shards(one_worker).read([0]), equal_nan=True)


def test_shards_manifest_and_truth(one_worker):
    shards = Shards(one_worker)
    assert len(shards) == 14
    assert shards.shape == (21, 21, 4)
    assert list(shards.truth.columns) == list(TRUTH_COLUMNS)
    assert list(shards.truth["id"]) == [str(100000 + index) for index in range(14)]
    assert set(shards.truth["seed"]) == {9}
    manifest = shards.manifest
    assert manifest["complete"] is True
    assert (manifest["survey"], manifest["bands"]) == ("bologna", ["u", "g", "r", "i"])
    assert (manifest["count"], manifest["seed"], manifest["size"], manifest["shard_size"]) == (14, 9, 21, 4)
    assert manifest["population"]["lens_fraction"] == manifest["lens_fraction"] == 0.401


def test_resume_makes_only_what_is_missing(one_worker, tmp_path):
    wanted = files_of(one_worker)
    folder = simulate(BOLOGNA, tmp_path / "resumed", workers=1, **SMALL)
    (folder / "00001.parquet").unlink()  # a shard without truth does not exist
    kept = (folder / "00000.npy").stat().st_mtime_ns
    simulate(BOLOGNA, folder, workers=1, **SMALL)
    assert files_of(folder) == wanted
    assert (folder / "00000.npy").stat().st_mtime_ns == kept


def test_interrupt_leaves_whole_shards(one_worker, tmp_path, wait_for, patience_s):
    folder = tmp_path / "interrupted"
    code = (
        "from lensdetect.simulation import simulate; from lensdetect.survey import SURVEYS; "
        f"simulate(SURVEYS['bologna'], {str(folder)!r}, workers=1, **{ {**SMALL, 'count': 4000}!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    wait_for((folder / "00001.parquet").exists, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=patience_s) != 0
    found = Shards(folder)
    assert 8 <= len(found) < 4000
    assert found.manifest["complete"] is False
    assert not [path for path in folder.iterdir() if path.name.endswith(".partial")]
    assert np.array_equal(found.read(np.arange(8)), Shards(one_worker).read(np.arange(8)), equal_nan=True)


@pytest.mark.parametrize("how", ["full disk", "kill before", "kill after"])
@pytest.mark.parametrize("layout", ["shards", "challenge"])
def test_a_simulation_stopped_at_any_write_ends_as_if_undisturbed(tmp_path, stopped_at, layout, how):
    count, writes = {"shards": (2, 6), "challenge": (1, 8)}[layout]
    small = {"count": count, "seed": 9, "size": 11, "shard_size": 1, "layout": layout, "workers": 1}
    whole = every_file(simulate(BOLOGNA, tmp_path / "whole", **small))
    number = 0
    while stopped_at(partial(simulate, BOLOGNA, tmp_path / str(number), **small), number, how=how):
        assert every_file(simulate(BOLOGNA, tmp_path / str(number), **small)) == whole, f"stopped at write {number}"
        number += 1
    assert number == writes


def every_file(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_simulation_at_the_same_time_is_told_who_is_at_work(one_worker):
    before = files_of(one_worker)
    with lock(one_worker), pytest.raises(InputError, match="one run at a time, and process .* is at work there"):
        simulate(BOLOGNA, one_worker, workers=1, **SMALL)
    assert files_of(one_worker) == before


@pytest.mark.parametrize(
    "change, message",
    [
        ({"seed": 10}, "seed is 9 there and 10 here"),
        ({"count": 15}, "count is 14 there and 15 here"),
        ({"lens_fraction": 0.5}, "lens_fraction is 0.401 there and 0.5 here"),
    ],
)
def test_another_simulation_in_the_folder_is_refused(one_worker, change, message):
    before = files_of(one_worker)
    with pytest.raises(InputError, match=f"another simulation: {message}: choose another folder"):
        simulate(BOLOGNA, one_worker, workers=1, **{**SMALL, **change})
    assert files_of(one_worker) == before


@pytest.mark.parametrize(
    "change, message",
    [
        ({"count": 0}, "count must be a whole number of at least 1, got 0"),
        ({"count": 2.5}, "count must be a whole number of at least 1, got 2.5"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"workers": 0}, "workers must be a whole number of at least 1, got 0"),
        ({"size": 3}, "size must be a whole number of at least 11, got 3"),
        ({"shard_size": 0}, "shard_size must be a whole number of at least 1, got 0"),
        ({"lens_fraction": 1.2}, "lens_fraction must be from 0 to 1, got 1.2"),
        ({"layout": "challange"}, "unknown layout 'challange': did you mean challenge"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        simulate(BOLOGNA, tmp_path / "new", **{**SMALL, **change})
    assert not (tmp_path / "new").exists()


def test_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(
        InputError,
        match="must be empty or hold this simulation, got notes.txt and no manifest.json",
    ):
        simulate(BOLOGNA, tmp_path, **SMALL)


def test_unwritable_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match=r"must be writable to .*file.stamps, got Not a directory: choose another"):
        simulate(BOLOGNA, tmp_path / "file" / "stamps", **SMALL)


def test_damaged_manifest_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="manifest.json must be JSON .*: choose another folder, or remove"):
        simulate(BOLOGNA, tmp_path, **SMALL)


def test_importing_the_simulator_loads_no_tensorflow():
    code = (
        "import sys, json, lensdetect.simulation; "
        "print(json.dumps([name for name in ('tensorflow', 'keras', 'jax', 'matplotlib') if name in sys.modules]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(found) == []
