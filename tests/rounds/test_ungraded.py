from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from lensdetect.artifact import load_card
from lensdetect.errors import InputError
from lensdetect.rounds import SearchedSky, labels_of
from lensdetect.rounds.prepared import prepare
from lensdetect.rounds.ungraded import check_rare, ungraded_labels

from .round_sky import RULE


@pytest.fixture
def rare(graded_sky, tmp_path):
    """The search, which was told that one object in 200 is a lens."""
    return search_with(graded_sky, tmp_path, prior=0.005)


def search_with(graded_sky, tmp_path, **told):
    found = shutil.copytree(graded_sky.found, tmp_path / "found")
    manifest = json.loads((found / "search.json").read_text())
    (found / "search.json").write_text(json.dumps(manifest | told))
    return SearchedSky(found)


def prepared_of(graded_sky, sky, folder, **more):
    folder.mkdir()
    card, grades = load_card(graded_sky.detector), graded_sky.grades.iloc[:60]
    return prepare(folder, labels_of(grades), sky, card, held_out=RULE, **more), {*grades["id"]}


def drawn(sky, count, *, without=(), seed=1):
    return ungraded_labels(sky, count, without=without, held_out=RULE, reach_arcsec=33 * 0.2, seed=seed)


def test_they_are_none_of_the_graded_nor_of_what_is_held_out(graded_sky, rare, tmp_path):
    done, graded = prepared_of(graded_sky, rare, tmp_path / "round", ungraded=10)
    stamps, labels = done.graded
    more = labels[labels["kind"] == "ungraded"]
    assert len(more) == 10 and not graded & {*more["id"]} and not more["is_lens"].any()
    np.testing.assert_allclose(more["weight"], 1 - 2 * 0.005)
    place = graded_sky.objects.set_index("id").loc[more["id"]]
    assert not RULE.holds(place["ra"].to_numpy(), place["dec"].to_numpy()).any()
    assert np.isfinite(stamps.read(np.arange(len(labels)))).all()
    assert "ungraded" not in set(done.held_out[1]["kind"])


def test_no_more_than_there_are(rare):
    everything = drawn(rare, 1000)
    assert 20 < len(everything) < 144 and not everything["id"].duplicated().any()
    assert len(drawn(rare, 1000, without=everything["id"])) == 0 and len(drawn(rare, 0)) == 0


def test_which_follows_from_the_seed(rare):
    first, again, other = (set(drawn(rare, 8, seed=seed)["id"]) for seed in (1, 1, 2))
    assert first == again and first != other


def test_a_known_lens_is_none_of_them(graded_sky, tmp_path):
    found = search_with(graded_sky, tmp_path, prior=0.005).folder
    candidates = pd.read_parquet(found / "candidates.parquet")
    before = set(drawn(SearchedSky(found), 1000)["id"])
    known = next(one for one in candidates["id"] if one in before)
    candidates["known_lens"] = np.where(candidates["id"] == known, "SL2S J1", "")
    candidates.to_parquet(found / "candidates.parquet")
    assert before - set(drawn(SearchedSky(found), 1000)["id"]) == {known}


def test_without_tiles_they_are_left_out_without_a_word_for_each(graded_sky, tmp_path):
    sky = search_with(graded_sky, tmp_path, prior=0.005, tiles=[str(tmp_path / "gone")])
    done, graded = prepared_of(graded_sky, sky, tmp_path / "round", ungraded=10)
    assert set(done.missing["id"]) <= graded
    assert (done.objects.loc[done.objects["kind"] == "ungraded", "reason"] != "").any()


def test_what_people_could_not_tell_is_none_of_them(graded_sky, rare, tmp_path):
    unsure = graded_sky.objects["id"].iloc[60:]
    done, _ = prepared_of(graded_sky, rare, tmp_path / "round", ungraded=10, graded=unsure)
    assert "ungraded" not in set(done.graded[1]["kind"])


def test_only_where_lenses_are_rare(graded_sky, rare, tmp_path):
    check_rare(rare)
    for number, (prior, told) in enumerate([(0.3, "0.3"), (None, "nothing")]):
        with pytest.raises(InputError, match=f"at most 0.01 of all are lenses .* this one was told {told}: leave"):
            check_rare(search_with(graded_sky, tmp_path / str(number), prior=prior))
