"""What would be a candidate is looked at for glitches; nothing passes for clean that was not looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lensdetect.flags import bits
from lensdetect.search import Cut, examination

UNEXAMINED, TRAIL = bits("unexamined"), bits("trail")
ONLY = {"rejected": ("trail",), "merge_arcsec": 0.0, "scene_arcsec": 0.0}


@pytest.fixture
def looked_at(monkeypatch) -> list[int]:
    """Calls the brightest of each cutouts looked at a trail; how many were looked at, call by call."""
    counts = []

    def brightest(pixels, survey, **options):
        counts.append(len(pixels))
        return (pixels[:, 16, 16, 2] > 70 * 2.4e-12) * TRAIL

    monkeypatch.setattr(examination, "flag_quality", brightest)
    return counts


def test_candidates_are_looked_at_and_others_move_up(search, all_scores, looked_at):
    found = search(cut=Cut(top=5, **ONLY))
    scores = all_scores(found).sort_values("logit", ascending=False, ignore_index=True)
    bad, left = scores["flags"] & TRAIL != 0, scores["flags"] & UNEXAMINED != 0
    assert 3 < bad.sum() < sum(looked_at) == (~left).sum() < 40
    # the best without a glitch, each of them looked at; whoever was not looked at is below them
    is_near = found.candidates["near_miss"]
    candidates, near = found.candidates[~is_near], found.candidates[is_near]
    assert candidates["id"].tolist() == scores.loc[~bad, "id"].head(5).tolist()
    assert not (candidates["flags"] & (UNEXAMINED | TRAIL)).any()
    assert scores.loc[left, "logit"].max() <= candidates["logit"].min()
    assert found.numbers["objects looked at for glitches"] == sum(looked_at)
    # who has a glitch stands behind them, with it
    assert near["id"].tolist() == scores.loc[bad, "id"].head(5).tolist()
    assert near["rank"].tolist() == list(range(6, 11)) and set(near["reason"]) == {"near miss: trail"}
    assert found.numbers["near misses, which a flag cost their place"] == 5
    assert f"{near['id'].iloc[0]}  " in found.text() and "near miss: trail" in found.text()


def test_a_known_lens_that_has_a_flag_is_named_with_it(search, all_scores, looked_at, tmp_path):
    first = search(cut=Cut(top=5, **ONLY))
    listed, scores = first.candidates.set_index("id"), all_scores(first).set_index("id")
    beyond = scores[(scores["flags"] & TRAIL != 0) & ~scores.index.isin(listed.index)]
    near, clean = listed[listed["near_miss"]].index, listed[~listed["near_miss"]].index
    lenses = scores.loc[[name for name in [*near, *beyond.index, *clean] if is_alone(scores, name)]]
    lenses[["ra_deg", "dec_deg"]].rename_axis("name").to_csv(tmp_path / "mine.csv")
    found = search(cut=Cut(top=5, **ONLY), known=tmp_path / "mine.csv")
    known = pd.read_csv(found.folder / "known.csv").set_index("name")
    for name in lenses.index:
        fate, why, flags = known.loc[name, ["fate", "why", "flags"]]
        if name in clean:
            assert fate == "found" and not flags & TRAIL
            continue
        assert fate == "flag" and flags & TRAIL
        rank = f"near miss: trail (rank {listed.loc[name, 'rank']}, " if name in near else "missed for its flags: trail"
        assert why.startswith(rank)
    assert {"found", "flag"} == set(known["fate"]) and set(lenses.index) & set(beyond.index)


def is_alone(scores: pd.DataFrame, name: str) -> bool:
    """Whether nothing else is so near that it could be taken for the lens."""
    away = np.hypot(
        *(scores[["ra_deg", "dec_deg"]] - scores.loc[name, ["ra_deg", "dec_deg"]].astype(float)).to_numpy().T
    )
    return np.count_nonzero(away * 3600 < 6.0) == 1


def test_more_candidates_need_no_new_scoring_and_nobody_is_looked_at_twice(search, looked_at):
    search(cut=Cut(top=3, **ONLY))
    before = sum(looked_at)
    again = search(cut=Cut(top=8, **ONLY))
    assert again.numbers["objects scored in this run"] == 0
    assert before < sum(looked_at) == again.numbers["objects looked at for glitches"] <= 40


def test_a_threshold_has_all_above_it_looked_at(search, all_scores, looked_at):
    found = search(cut=Cut(top=None, threshold=0.9, **ONLY))
    scores = all_scores(found)
    assert ((scores["probability"] < 0.9) == (scores["flags"] & UNEXAMINED != 0)).all()


def test_all_can_be_looked_at(search, all_scores, looked_at, tmp_path):
    everyone = all_scores(search(examine_all=True))
    assert sum(looked_at) == 40 and not (everyone["flags"] & UNEXAMINED).any()
    candidates = all_scores(search(cut=Cut(top=40, **ONLY), output=tmp_path / "other"))
    pd.testing.assert_series_equal(candidates["flags"], everyone["flags"])


def test_a_tile_that_cannot_be_looked_at_is_told(search, all_scores, sky, looked_at, monkeypatch):
    def fail(job, tile):
        if tile.name == sky.name(1):
            raise OSError("disk on fire")
        return open_for(job, tile)

    open_for = examination.open_for
    monkeypatch.setattr(examination, "open_for", fail)
    found = search(cut=Cut(top=40, **ONLY))
    assert not found.ok and len(found.notes) == 1
    assert f"candidates of tile {sky.name(1)} were not looked at for glitches" in found.notes[0]
    left = found.candidates["flags"] & UNEXAMINED != 0
    assert left.any() and set(found.candidates.loc[left, "tile"]) == {sky.name(1)}


def test_few_passes_are_enough_where_nearly_all_is_a_glitch(search, monkeypatch):
    passes = []
    rank = examination.rank_scores
    monkeypatch.setattr(examination, "rank_scores", lambda *args, **how: passes.append(1) or rank(*args, **how))
    monkeypatch.setattr(examination, "flag_quality", lambda pixels, *_, **__: np.full(len(pixels), TRAIL))
    (listed,) = search(cut=Cut(top=1, **ONLY)).candidates.itertuples()
    assert listed.near_miss and len(passes) <= 7
