"""The random sample of what is not listed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from lensdetect.flags import FLAGS
from lensdetect.images.matching import SkyTree
from lensdetect.search import Cut
from lensdetect.search.ordinary import draw_ordinary, row_noise
from lensdetect.search.scores import ScoreNote, write_scores

FEW = Cut(top=5, rejected=(), merge_arcsec=0.0)
COLUMNS = ["row", "id", "ra_deg", "dec_deg", "tile", "logit", "probability", "flags", "reason"]
NOBODY = pd.DataFrame({"ra_deg": [], "dec_deg": []}, dtype=float)


def scores(rows: np.ndarray, *, tile: str = "a") -> pd.DataFrame:
    """Objects half an arcminute from each other."""
    place = {"ra_deg": 10.0 + rows / 120.0, "dec_deg": np.zeros(len(rows)), "tile": tile}
    rest = {"logit": -5.0, "probability": 0.01, "flags": 0, "reason": ""}
    return pd.DataFrame({"row": rows, "id": [f"galaxy {row}" for row in rows], **place, **rest}, columns=COLUMNS)


def drawn(tmp_path, *tables: pd.DataFrame, count: int = 50, listed=NOBODY, lenses=NOBODY, cut=FEW) -> pd.DataFrame:
    paths = []
    for number, table in enumerate(tables):
        paths.append(tmp_path / f"{number}.parquet")
        write_scores(paths[-1], table, ScoreNote("key"))
    return draw_ordinary(paths, listed, lenses, cut=cut, count=count, columns=COLUMNS)


def test_draw_is_the_same_however_the_objects_lie_in_tiles(tmp_path, monkeypatch):
    rows = np.arange(3000)
    wanted = drawn(tmp_path, scores(rows))
    assert len(wanted) == 50 and wanted["draw"].tolist() == list(range(1, 51))
    monkeypatch.setattr("lensdetect.search.scores._ROWS", 170)  # read in small pieces
    halves = drawn(tmp_path, scores(rows[2000:]), scores(rows[:700]), scores(rows[700:2000]))
    pd.testing.assert_frame_equal(halves, wanted)
    pd.testing.assert_frame_equal(drawn(tmp_path, scores(rows), count=20), wanted.head(20))


def test_draw_is_even_over_the_catalogue(tmp_path):
    found = drawn(tmp_path, scores(np.arange(4000)), count=1000)
    # 100 expected of each tenth; hypergeometric, five sigma
    counts = np.histogram(found["row"], bins=10, range=(0, 4000))[0]
    assert np.abs(counts - 100).max() < 5 * np.sqrt(100 * 0.9 * 0.75)
    assert abs(np.corrcoef(found["row"].iloc[:-1], found["row"].iloc[1:])[0, 1]) < 0.16


def test_every_row_has_another_number_and_another_seed_others():
    noise = row_noise(np.arange(100_000), seed=1)
    assert len(np.unique(noise)) == 100_000
    assert abs(np.corrcoef(noise.astype(float), row_noise(np.arange(100_000), seed=2).astype(float))[0, 1]) < 0.016
    # the first number of the published generator from the state 0
    assert int(row_noise(np.array([1]), seed=0)[0]) == 0xE220A8397B1DCDAF


def test_what_is_listed_flagged_known_or_without_score_is_not_drawn(tmp_path):
    table = scores(np.arange(60))
    table.loc[:9, "flags"] = FLAGS["trail"].value
    table.loc[10:19, "logit"] = np.nan
    beside = table.iloc[20:30].assign(ra_deg=lambda rows: rows["ra_deg"] + 5.0 / 3600.0)
    known = table.iloc[30:40].assign(ra_deg=lambda rows: rows["ra_deg"] - 4.0 / 3600.0)
    found = drawn(tmp_path, table, listed=beside, lenses=known, cut=Cut(top=5))
    assert sorted(found["row"]) == list(range(40, 60))


def test_one_object_of_a_scene_is_drawn(tmp_path):
    table = scores(np.arange(60))
    table["ra_deg"] = 10.0 + (table["row"] // 2) / 120.0 + (table["row"] % 2) / 3600.0
    found = drawn(tmp_path, table, count=40)
    assert len(found) == 30 and sorted(found["row"] // 2) == list(range(30))


@pytest.mark.parametrize("count", [0, 40])
def test_nothing_to_draw_is_an_empty_table_with_all_columns(tmp_path, count):
    nothing = scores(np.arange(30)).assign(logit=np.nan)
    found = drawn(tmp_path, nothing, count=count)
    assert len(found) == 0 and list(found) == ["draw", *COLUMNS]


def test_search_keeps_them_with_cutouts(search, all_scores):
    found = search(report=True, cut=FEW, ordinary=12)
    table = pd.read_parquet(found.folder / "ordinary.parquet")
    pd.testing.assert_frame_equal(table, found.ordinary)
    assert len(table) == 12 == found.numbers["ordinary objects drawn, for grading to paint on"]
    # none of a candidate's scene
    apart = SkyTree(found.candidates["ra_deg"], found.candidates["dec_deg"])
    assert (apart.nearest(table["ra_deg"], table["dec_deg"], within_arcsec=6.0)[0] == -1).all()
    every = all_scores(found).set_index("row")
    assert (every.loc[table["row"], "logit"].to_numpy() == table["logit"].to_numpy()).all()
    files = sorted((found.folder / "ordinary").iterdir())
    assert len(files) == 12 == len(pd.read_csv(found.folder / "ordinary.csv"))
    with fits.open(files[3]) as units:
        assert units[0].data.shape == (4, 33, 33) and np.isfinite(units[0].data[:, 16, 16]).all()
        assert (units[0].header["OBJECT"], units[0].header["DRAW"]) == (table["id"][3], 4)
    with fits.open(found.folder / "ordinary.fits") as units:
        assert units["ORDINARY"].header["TTYPE1"] == "draw" and len(units["ORDINARY"].data) == 12


def test_search_in_other_processes_and_tiles_in_another_order_draw_the_same(search, sky, tmp_path):
    one = search(cut=FEW, ordinary=9)
    others = [path for path in sorted(sky.folder.iterdir(), reverse=True)]
    two = search(cut=FEW, ordinary=9, tiles=others, workers=2, output=tmp_path / "again")
    pd.testing.assert_frame_equal(one.ordinary, two.ordinary)


def test_search_that_lists_all_has_none_and_keeps_no_older_cutouts(search):
    found = search(report=True, cut=FEW, ordinary=3)
    assert len(list((found.folder / "ordinary").iterdir())) == 3
    found = search(report=True, cut=Cut(rejected=(), merge_arcsec=0.0))
    assert len(pd.read_parquet(found.folder / "ordinary.parquet")) == 0 and found.ok
    assert list((found.folder / "ordinary").iterdir()) == []
