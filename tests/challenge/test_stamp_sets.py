from __future__ import annotations

import shutil

import numpy as np
import pytest

from lensdetect.challenge.stamp_sets import Selection, StampSet, open_split
from lensdetect.errors import InputError
from lensdetect.simulation import simulate
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The layout of the challenge with its truth, in a folder around it."""
    root = tmp_path_factory.mktemp("archive") / "GroundBasedTraining"
    options = {"workers": 1, "size": 33, "lens_fraction": 0.5, "layout": "challenge", "progress": False}
    simulate(SURVEYS["bologna"], root / "Data.0", count=8, seed=1, **options)
    return root


@pytest.fixture
def stamps(training_stamps):
    return Shards(training_stamps)


def test_archive_finds_its_truth_and_pixels(archive):
    place = StampSet(str(archive), size=33)
    stamps, survey = place.open()
    assert survey.name == "bologna" and len(stamps.truth) == 8 and stamps.shape == (33, 33, 4)
    assert 0 < stamps.truth["is_lens"].sum() < 8 and not place.is_simulated


def test_archive_without_one_table_of_truth_says_so(archive, tmp_path):
    copied = shutil.copytree(archive, tmp_path / "copied")
    shutil.copy(copied / "Data.0" / "classifications.csv", copied / "ground_catalog.4.csv")
    with pytest.raises(InputError, match="must hold one table of truth .* say which with --truth"):
        StampSet(str(copied), size=33).open()
    truth = str(copied / "ground_catalog.4.csv")
    assert len(StampSet(str(copied), truth=truth, size=33).open()[0].truth) == 8
    with pytest.raises(InputError, match="must be a folder of simulated stamps or the challenge's archive"):
        StampSet(str(tmp_path / "nowhere")).open()


def test_selection_reads_some_stamps_in_some_bands(stamps):
    chosen = Selection(stamps, SURVEYS["bologna"], rows=np.array([7, 3, 9]), bands=("g", "i"))
    np.testing.assert_array_equal(chosen.read([2, 0]), stamps.read([9, 7])[..., [1, 3]])
    assert chosen.truth["id"].tolist() == ["7", "3", "9"] and chosen.shape == (33, 33, 2) and len(chosen) == 3
    assert chosen.survey.band_names == ("g", "i") == tuple(chosen.manifest["bands"])
    assert chosen.survey.reference_band == "g"
    others = [
        Selection(stamps, SURVEYS["bologna"], rows=np.array([7, 3]), bands=("g", "i")),
        Selection(stamps, SURVEYS["bologna"], rows=np.array([7, 3, 9]), bands=("g", "r")),
    ]
    assert len({chosen.sha256(), *(other.sha256() for other in others)}) == 3


def test_part_is_held_out_where_there_is_no_test_set(training_stamps):
    split = open_split(StampSet(str(training_stamps)), None, test_fraction=0.2, seed=1)
    assert len(split.test) == 30 and len(split.training) == 120
    assert not set(split.test.truth["id"]) & set(split.training.truth["id"])
    again = open_split(StampSet(str(training_stamps)), None, test_fraction=0.2, seed=1, bands=("r",))
    np.testing.assert_array_equal(again.test.rows, split.test.rows)


def test_undetected_sources_are_in_neither(tmp_path, training_stamps):
    folder = shutil.copytree(training_stamps, tmp_path / "stamps")
    stamps = Shards(folder)
    truth = stamps.truth.assign(has_source=True)
    truth.to_parquet(folder / "00000.parquet", index=False)
    split = open_split(StampSet(str(folder)), None, test_fraction=0.2, seed=1)
    assert split.training.truth["is_lens"].all() and len(split.training) + len(split.test) == 50


def test_training_stamps_are_no_test(training_stamps, test_stamps, archive, tmp_path):
    data = StampSet(str(training_stamps))
    with pytest.raises(InputError, match="must be others than the training stamps: simulate them with another seed"):
        open_split(data, data, test_fraction=0.2, seed=1)
    copied = shutil.copytree(training_stamps, tmp_path / "copy")
    with pytest.raises(InputError, match="must be others than the training stamps"):
        open_split(data, StampSet(str(copied)), test_fraction=0.2, seed=1)
    small = tmp_path / "small"
    simulate(SURVEYS["bologna"], small, count=4, seed=8, size=21, workers=1, progress=False)
    with pytest.raises(InputError, match=r"must be alike, got bologna \(33, 33, 4\) and bologna \(21, 21, 4\)"):
        open_split(data, StampSet(str(small)), test_fraction=0.2, seed=1)
