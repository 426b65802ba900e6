"""Shards on disk."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError
from lensdetect.stamps import TRUTH_COLUMNS, Shards, Stamp, is_shards, write_manifest, write_shard

MANIFEST = {"survey": "bologna", "bands": ["g", "r"], "pixel_scale_arcsec": 0.2, "seed": 7}


def make_stamp(number: int, *, size: int = 5) -> Stamp:
    truth = {
        "id": f"{number:06d}",
        "is_lens": number % 2 == 0,
        "has_source": True,
        "kind": "lens",
        "einstein_radius_arcsec": 1.5,
        "arc_pixel_count": number,
        "arc_flux_sigma": 2.5,
        "arc_snr": 10.0,
        "seed": 7,
    }
    return Stamp(np.full((size, size, 2), number, np.float32), truth)


@pytest.fixture
def folder(tmp_path):
    """Three shards of 4, 1 and 3 stamps, each filled with its number."""
    numbers = iter(range(8))
    for index, count in enumerate((4, 1, 3)):
        write_shard(tmp_path, index, [make_stamp(next(numbers)) for _ in range(count)])
    write_manifest(tmp_path, MANIFEST)
    return tmp_path


def test_what_was_written_is_read(folder):
    shards = Shards(folder)
    assert len(shards) == 8
    assert shards.shape == (5, 5, 2)
    assert shards.manifest == MANIFEST
    assert list(shards.truth.columns) == list(TRUTH_COLUMNS)
    assert shards.truth["id"].tolist() == [f"{number:06d}" for number in range(8)]
    assert shards.truth["is_lens"].dtype == bool
    assert shards.truth["is_lens"].tolist() == [True, False] * 4


@pytest.mark.parametrize("rows", [[7, 0, 4, 3, 0], [2], []])
def test_rows_come_in_the_order_asked_for(folder, rows):
    pixels = Shards(folder).read(np.array(rows, dtype=int))
    assert pixels.dtype == np.float32
    assert pixels.shape == (len(rows), 5, 5, 2)
    np.testing.assert_array_equal(pixels[:, 0, 0, 0], rows)


@pytest.mark.parametrize("row", [8, -1])
def test_rows_outside_are_refused(folder, row):
    with pytest.raises(IndexError):
        Shards(folder).read([row])


def test_a_shard_that_is_cut_while_it_is_open(folder):
    shards = Shards(folder)
    with open(folder / "00002.npy", "r+b") as file:
        file.truncate(200)
    with pytest.raises(InputError, match=r"00002.npy must be as it was opened, of 728 bytes, got 200: make the"):
        shards.read([0, 7])
    assert shards.read([0, 4])[:, 0, 0, 0].tolist() == [0, 4]


def test_a_mask_is_no_row_numbers(folder):
    with pytest.raises(InputError, match=r"row numbers, got a mask: use numpy.flatnonzero"):
        Shards(folder).read(np.ones(8, bool))


def test_masked_pixels_survive(tmp_path):
    stamp = make_stamp(1)
    stamp.pixels[2, 3, 1] = np.nan
    write_shard(tmp_path, 0, [stamp])
    write_manifest(tmp_path, MANIFEST)
    np.testing.assert_array_equal(Shards(tmp_path).read([0])[0], stamp.pixels)


def test_hash_tells_pixels_and_truth_apart(folder):
    before = Shards(folder).sha256()
    assert Shards(folder).sha256() == before
    write_shard(folder, 1, [make_stamp(9)])
    changed = Shards(folder).sha256()
    assert changed != before
    write_shard(folder, 1, [make_stamp(4)])
    assert Shards(folder).sha256() == before


def test_a_shard_without_truth_does_not_exist(folder):
    (folder / "00001.parquet").unlink()
    assert Shards(folder).read([4])[0, 0, 0, 0] == 5


def test_writing_again_never_leaves_old_truth_beside_new_pixels(folder):
    broken = Stamp(make_stamp(99).pixels, make_stamp(99).truth | {"seed": 2**70})
    with pytest.raises((OverflowError, ValueError)):
        write_shard(folder, 0, [broken] * 4)
    assert Shards(folder).read([0])[0, 0, 0, 0] == 0, "a shard that could not be made must not touch the old one"


def test_interrupted_between_pixels_and_truth(folder, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_parquet", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_shard(folder, 0, [make_stamp(50 + number) for number in range(4)])
    assert len(Shards(folder)) == 4, "the shard that was being replaced must count as missing"
    assert not list(folder.glob(".*"))


def test_folder_without_manifest(tmp_path):
    assert not is_shards(tmp_path)
    with pytest.raises(InputError, match=r"must be a folder with manifest.json, got .*lensdetect simulate"):
        Shards(tmp_path)


def test_manifest_that_is_no_json(folder):
    (folder / "manifest.json").write_text(json.dumps(MANIFEST)[:-5])
    with pytest.raises(InputError, match=r"manifest.json must be JSON .*, got .*: run the simulation again"):
        Shards(folder)


def test_folder_without_a_complete_shard(tmp_path):
    write_manifest(tmp_path, MANIFEST)
    with pytest.raises(InputError, match="holds no complete shard: run the simulation again to finish it"):
        Shards(tmp_path)


def test_pixels_and_truth_of_two_lengths(folder):
    np.save(folder / "00002.npy", np.zeros((2, 5, 5, 2), np.float32))
    with pytest.raises(InputError, match=r"00002.npy holds 2 stamps but its truth 3 rows: remove the shard"):
        Shards(folder)


def test_shards_of_two_shapes(folder):
    write_shard(folder, 3, [make_stamp(8, size=6)])
    with pytest.raises(InputError, match=r"one shape, got \(5, 5, 2\) in .* and \(6, 6, 2\) in .*00003.npy"):
        Shards(folder)


@pytest.mark.parametrize("name", ["00001.npy", "00001.parquet"])
def test_truncated_shard(folder, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        InputError, match=r"shard .*00001.npy: cut short, damaged or not a shard: .*: remove it and run"
    ):
        Shards(folder)


def test_truth_whose_pixels_are_gone(folder):
    (folder / "00000.npy").unlink()
    with pytest.raises(InputError, match=r"shard .*00000.npy: cannot be read: No such file"):
        Shards(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"survey": 7}, r"survey must be the name of a survey, got 7: run"),
        ({"bands": "gr"}, r"bands must be a list of different names, got 'gr': run"),
        ({"bands": ["g", "g"]}, r"bands must be a list of different names, got"),
        ({"bands": [["g"], {}]}, r"bands must be a list of different names, got"),
        ({"bands": ["g", "r", "i"]}, r"must hold numbers \(n, height, width, 3\), got float32 \(4, 5, 5, 2\)"),
        ({"pixel_scale_arcsec": "0.2"}, r"pixel_scale_arcsec must be a positive number, got '0.2'"),
        ({"pixel_scale_arcsec": float("nan")}, r"pixel_scale_arcsec must be a positive number, got nan"),
        ({"pixel_scale_arcsec": True}, r"pixel_scale_arcsec must be a positive number, got True"),
        ({"seed": [1]}, r"seed must be a whole number or null, got \[1\]"),
        ({"seed": float("inf")}, r"seed must be a whole number or null, got inf"),
    ],
)
def test_every_field_of_the_manifest_is_checked(folder, change, message):
    write_manifest(folder, MANIFEST | change)
    with pytest.raises(InputError, match=message):
        Shards(folder)


@pytest.mark.parametrize("name", MANIFEST)
def test_a_manifest_that_lacks_a_field(folder, name):
    write_manifest(folder, {key: value for key, value in MANIFEST.items() if key != name})
    with pytest.raises(InputError, match=f"{name} must be .*, got nothing: run the simulation again"):
        Shards(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "7", '"text"', "\x00", ""])
def test_a_manifest_that_is_something_else(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=r"manifest.json must (be JSON|hold names with values) as .*: run the sim"):
        Shards(folder)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("is_lens", [0.5] * 4, "column is_lens must be bool, got float64"),
        ("id", [1, 2, 3, 4], "column id must be str, got int64"),
        ("id", ["a", None, "b", "c"], "column id must be str, got"),
        ("arc_pixel_count", ["a"] * 4, "column arc_pixel_count must be int64, got"),
    ],
)
def test_truth_of_other_types_is_refused(folder, column, values, message):
    table = pd.read_parquet(folder / "00000.parquet")
    table[column] = values
    table.to_parquet(folder / "00000.parquet", index=False)
    with pytest.raises(InputError, match=message):
        Shards(folder)


def test_truth_without_a_column_is_refused(folder):
    pd.read_parquet(folder / "00000.parquet").drop(columns="id").to_parquet(folder / "00000.parquet", index=False)
    with pytest.raises(InputError, match="column id must be str, got nothing: remove the shard"):
        Shards(folder)
