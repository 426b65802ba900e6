"""Candidates in scenes, each of which takes one place; behind them who lost a place to a flag."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lensdetect import flags
from lensdetect.search import Cut
from lensdetect.search.candidates import rank_scores
from lensdetect.search.listing import list_candidates
from lensdetect.search.scenes import number_scenes, rows_of_scenes

ARCSEC = 1 / 3600
TRAIL, DUPLICATE, EDGE = (flags.bits(name) for name in ("trail", "duplicate", "edge"))
COLUMNS = ["row", "id", "ra_deg", "dec_deg", "tile", "logit", "probability", "flags", "reason"]


def scores(path, rows):
    """Scores of a tile: ``(id, arcsec along the equator, logit, flags)``."""
    ids, places, logits, bits = zip(*rows, strict=True)
    table = pd.DataFrame(
        {
            "row": [int(one[1:]) for one in ids], "id": ids, "ra_deg": 10.0 + np.array(places, float) * ARCSEC,
            "dec_deg": 0.0, "tile": path.stem, "logit": np.array(logits, np.float32),
            "probability": 1 / (1 + np.exp(-np.array(logits, np.float32))), "flags": np.array(bits, np.int64),
            "reason": "",
        }
    )  # fmt: skip
    table.to_parquet(path)
    return path


def listed(paths, *, seen=100, **how):
    cut = Cut(**how)
    wide = cut if cut.top is None else dataclasses.replace(cut, top=seen)
    return list_candidates(rank_scores(paths, wide, columns=COLUMNS), cut)


def places(*arcsec):
    return pd.DataFrame({"ra_deg": 10.0 + np.array(arcsec, float) * ARCSEC, "dec_deg": 0.0})


def test_a_scene_is_no_wider_than_its_radius_and_neighbours_make_no_chain():
    assert number_scenes(places(0, 5, 10, 15), within_arcsec=6.0).tolist() == [1, 1, 2, 2]
    # of two scenes the nearer, not the better
    assert number_scenes(places(0, 8, 5), within_arcsec=6.0).tolist() == [1, 2, 2]
    assert number_scenes(places(), within_arcsec=6.0).tolist() == []


def test_scenes_of_the_first_rows_do_not_depend_on_what_is_behind_them(rng):
    many = places(*rng.uniform(0, 300, 200))
    whole = number_scenes(many, within_arcsec=6.0)
    assert number_scenes(many.head(60), within_arcsec=6.0).tolist() == whole[:60].tolist()
    assert whole.dtype == np.int64 and rows_of_scenes(whole, 5) == int(np.argmax(whole == 6))
    assert rows_of_scenes(whole, None) == rows_of_scenes(whole, 1000) == 200


def test_a_scene_across_two_tiles_takes_one_place_and_keeps_its_members(tmp_path):
    one = scores(tmp_path / "one.parquet", [("a0", 0, 9, 0), ("a1", 100, 5, 0), ("a2", 200, 1, 0)])
    two = scores(tmp_path / "two.parquet", [("b3", 4, 8, 0), ("b4", 104, 2, 0), ("b5", 300, 4, 0)])
    table, enough = listed([one, two], top=2)
    assert enough and table["id"].tolist() == ["a0", "b3", "a1"]  # the third scene begins with b5
    assert table["scene"].tolist() == [1, 1, 2] and table["rank"].tolist() == [1, 2, 3]
    assert listed([one, two], top=2, scene_arcsec=0.0)[0]["id"].tolist() == ["a0", "b3"]


def test_more_objects_are_asked_for_until_their_scenes_are_enough(tmp_path):
    path = scores(tmp_path / "t.parquet", [(f"a{n}", 0.5 * n, 9 - n, 0) for n in range(6)] + [("a6", 99, 1, 0)])
    assert not listed([path], seen=6, top=2, merge_arcsec=0.0)[1]
    table, enough = listed([path], seen=12, top=2, merge_arcsec=0.0)
    assert enough and table["scene"].tolist() == [1] * 6 + [2]


def test_near_misses_come_after_the_candidates_with_what_cost_them_their_place(tmp_path):
    rows = [("a0", 0, 9, TRAIL | EDGE), ("a1", 100, 8, 0), ("a2", 200, 7, EDGE), ("a3", 300, 6, TRAIL)]
    path = scores(tmp_path / "t.parquet", [*rows, ("a4", 400, 5, 0)])
    table, enough = listed([path], top=2)
    assert enough and table["id"].tolist() == ["a1", "a2", "a0"]  # a3 is below the last candidate
    assert table["near_miss"].tolist() == [False, False, True] and table["rank"].tolist() == [1, 2, 3]
    assert table["reason"].tolist() == ["", "", "near miss: trail"]
    # where all that have no flag find a place, all others would have found one
    assert listed([path], top=9)[0]["id"].tolist() == ["a1", "a2", "a4", "a0", "a3"]


def test_there_are_no_more_scenes_of_near_misses_than_of_candidates(tmp_path):
    flagged = [(f"a{n}", 50 * n, 50 - n, TRAIL) for n in range(1, 9)]
    path = scores(tmp_path / "t.parquet", [("a0", 0, 9, 0), *flagged, ("a9", 3, 60, TRAIL)])
    table, enough = listed([path], top=2)
    # one lies in the scene of the candidate, and takes no place
    assert enough and table["id"].tolist() == ["a0", "a9", "a1", "a2"]
    assert dict(zip(table["id"], table["scene"], strict=True)) == {"a0": 1, "a9": 1, "a1": 2, "a2": 3}
    assert not listed([path], seen=2, top=2)[1]


def test_a_second_entry_of_a_candidate_is_no_near_miss(tmp_path):
    first, second = [("a0", 0, 9, 0), ("a2", 100, -5, 0)], [("a1", 0.4, 9, DUPLICATE), ("a3", 100.3, 8, DUPLICATE)]
    table, _ = listed([scores(tmp_path / "t.parquet", [*first, *second, ("a4", 200, 0, 0)])], top=2)
    assert table["id"].tolist() == ["a0", "a4", "a3"] and table["merged"].tolist() == [1, 0, 0]
    assert table["reason"].iloc[-1] == "near miss: duplicate"  # the first entry has no place, so this one is shown


def test_a_threshold_takes_near_misses_above_it(tmp_path):
    rows = [("a0", 0, 3, TRAIL), ("a1", 50, 1, 0), ("a2", 99, -1, TRAIL), ("a3", 150, -2, 0)]
    path = scores(tmp_path / "t.parquet", rows)
    table, enough = listed([path], top=None, threshold=0.6)
    assert enough and table["id"].tolist() == ["a1", "a0"] and table["near_miss"].tolist() == [False, True]


def test_flags_that_are_not_rejected_make_no_near_miss(tmp_path):
    path = scores(tmp_path / "t.parquet", [("a0", 0, 3, TRAIL), ("a1", 50, np.nan, TRAIL)])
    table, _ = listed([path], rejected=())
    assert table["id"].tolist() == ["a0"] and not table["near_miss"].any()


@pytest.mark.parametrize("rejected", [(), ("trail",)])
def test_nothing_to_list_is_an_empty_table_with_all_columns(tmp_path, rejected):
    path = scores(tmp_path / "t.parquet", [("a0", 0, np.nan, 0)])
    table, enough = listed([path], rejected=rejected)
    assert enough and list(table) == ["rank", *COLUMNS, "merged", "near_miss", "scene"] and not len(table)
    assert (table["near_miss"].dtype, table["scene"].dtype) == (bool, np.int64)
