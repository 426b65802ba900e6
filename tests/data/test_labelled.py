"""Cutouts joined to truth, as training reads them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lensdetect.data import open_cutouts, read_truth, with_truth
from lensdetect.errors import InputError


def truth_of(ids):
    return pd.DataFrame({"id": [str(name) for name in ids], "is_lens": [int(name) % 2 == 0 for name in ids]})


def test_truth_goes_by_id_whatever_its_order(tmp_path, write_stamps, bologna):
    pixels = write_stamps(tmp_path, [1, 2, 3, 4])
    labelled = with_truth(open_cutouts(tmp_path, survey=bologna, size=11), truth_of([9, 4, 3, 2, 1]))
    assert labelled.truth["id"].tolist() == ["1", "2", "3", "4"]
    assert labelled.truth["is_lens"].tolist() == [False, True, False, True]
    assert len(labelled) == 4 and labelled.shape == (11, 11, 4)
    assert labelled.read(np.array([3, 0])).tobytes() == pixels[[3, 0]].tobytes()
    assert labelled.manifest == {
        "survey": "bologna",
        "bands": ["u", "g", "r", "i"],
        "pixel_scale_arcsec": 0.2,
        "seed": None,
    }


def test_refused_stamps_are_dropped_and_named(tmp_path, write_stamps, file_of, bologna):
    pixels = write_stamps(tmp_path, [1, 2, 3])
    file_of(tmp_path, "g", 2).write_bytes(b"no image")
    labelled = with_truth(open_cutouts(tmp_path, survey=bologna, size=11), truth_of([1, 2, 3]))
    assert labelled.truth["id"].tolist() == ["1", "3"] and len(labelled) == 2
    assert labelled.read([0, 1]).tobytes() == pixels[[0, 2]].tobytes()
    assert labelled.dropped["id"].tolist() == ["2"]
    assert "imageSDSS_G-2.fits: not a FITS file" in labelled.dropped["reason"].iloc[0]


def test_hash_follows_pixels_and_truth(tmp_path, write_stamps, file_of, bologna):
    write_stamps(tmp_path, [1, 2])

    def digest(truth):
        return with_truth(open_cutouts(tmp_path, survey=bologna, size=11), truth).sha256()

    first = digest(truth_of([1, 2]))
    assert first == digest(truth_of([2, 1])) and len(first) == 64
    assert first != digest(truth_of([1, 2]).assign(is_lens=True))
    data = bytearray(file_of(tmp_path, "g", 2).read_bytes())
    data[2880] ^= 1
    file_of(tmp_path, "g", 2).write_bytes(data)
    assert first != digest(truth_of([1, 2]))


def test_genuine_stamps_with_their_truth(shared_data, bologna):
    source = open_cutouts(shared_data / "bologna_ground", survey=bologna)
    labelled = with_truth(source, read_truth(shared_data / "bologna_ground" / "classifications.csv"))
    assert labelled.truth["id"][labelled.truth["is_lens"]].tolist() == ["100002", "100023", "100026"]


def test_stamps_without_truth_are_an_error(tmp_path, write_stamps, bologna):
    write_stamps(tmp_path, [1, 2, 3])
    source = open_cutouts(tmp_path, survey=bologna, size=11)
    with pytest.raises(InputError, match="each of 3 cutouts must have a row of truth, 2 have none, the first 1, 3"):
        with_truth(source, truth_of([2]))


def test_what_nobody_graded_can_be_left_out(tmp_path, write_stamps, file_of, bologna):
    pixels = write_stamps(tmp_path, [1, 2, 3, 4])
    file_of(tmp_path, "g", 4).write_bytes(b"no image")
    source = open_cutouts(tmp_path, survey=bologna, size=11)
    labelled = with_truth(source, truth_of([4, 2, 3]).assign(seed=[4, 2, 3]), partly=True)
    assert labelled.truth["id"].tolist() == ["2", "3"] and labelled.truth["is_lens"].tolist() == [True, False]
    assert labelled.truth["seed"].dtype == np.int64
    assert labelled.read([0, 1]).tobytes() == pixels[[1, 2]].tobytes()
    # a table of other images is still an error
    with pytest.raises(InputError, match="each of 4 cutouts must have a row of truth, 4 have none"):
        with_truth(source, truth_of([7, 8]), partly=True)


def test_ids_that_are_not_unique_are_an_error(tmp_path, write_stamps, bologna):
    for name in ("Data.0", "Data.1"):
        write_stamps(tmp_path / name, [1, 2])
    source = open_cutouts(tmp_path, survey=bologna, size=11)
    with pytest.raises(InputError, match="each cutout must have an id of its own to be given truth, got 1 twice"):
        with_truth(source, truth_of([1, 2]))


def test_nothing_left_to_train_on_is_an_error(tmp_path, write_stamps, bologna):
    write_stamps(tmp_path, [1, 2])
    source = open_cutouts(tmp_path, survey=bologna, size=9)
    with pytest.raises(InputError, match="all 2 cutouts are refused, the first because .*11 x 11 pixels"):
        with_truth(source, truth_of([1, 2]))
