from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.rounds import SearchedSky, choose_next
from lensdetect.rounds.choosing import parse_wishes

from .round_sky import RULE


def scores_of(sky) -> pd.DataFrame:
    return pd.read_parquet(next((sky.found / "scores").glob("*.parquet"))).set_index("id")


def sides_of(sky, ids) -> set[str]:
    place = sky.objects.set_index("id").loc[ids]
    return {*RULE.sides(place["ra"].to_numpy(), place["dec"].to_numpy(), reach_arcsec=33 * 0.2)}


def next_of(sky, output, **more):
    how = {"count": 12, "model": sky.detector, "held_out": RULE}
    return choose_next(more.pop("search", sky.searched), output, **(how | more))


def test_the_best_that_may_be_learned_from_and_are_not_graded(graded_sky, tmp_path):
    first = next_of(graded_sky, tmp_path / "next.csv")
    ids = first.table["id"].tolist()
    assert len(ids) == 12 and sides_of(graded_sky, ids) == {"learn"}
    logit = scores_of(graded_sky)["logit"]
    place = graded_sky.objects
    may = RULE.sides(place["ra"].to_numpy(), place["dec"].to_numpy(), reach_arcsec=33 * 0.2) == "learn"
    assert ids == logit[place["id"][may]].sort_values(ascending=False).index[:12].tolist()
    again = next_of(graded_sky, tmp_path / "again.csv", graded=ids)
    assert not {*again.table["id"]} & {*ids} and again.table["logit"].max() <= first.table["logit"].min()


def test_the_table_has_its_cutouts_beside_it(graded_sky, tmp_path):
    found = next_of(graded_sky, tmp_path / "next.csv", count=3)
    table = pd.read_csv(tmp_path / "next.csv")
    assert list(table) == ["id", "file", "ra_deg", "dec_deg", "tile", "logit", "probability", "why"]
    assert table["id"].tolist() == found.table["id"].tolist() and not len(found.missing)
    tile = fits.getdata(graded_sky.tiles / "field_r_sci.fits")
    for row in table.itertuples():
        with fits.open(tmp_path / row.file) as file:
            planes, header = file[0].data, file[0].header
        assert planes.shape == (4, 101, 101) and header["BAND3"] == "r" and header["OBJECT"] == row.id
        number = int(row.id.split()[1])
        y, x = 40 * np.array(divmod(number, 12)) + 20
        np.testing.assert_array_equal(planes[2, 45:56, 45:56], tile[y - 5 : y + 6, x - 5 : x + 6])


def test_what_is_held_out_is_chosen_for_measuring_alone(graded_sky, tmp_path):
    found = next_of(graded_sky, tmp_path / "measure.csv", measure=True, wishes=parse_wishes("score,random"))
    assert sides_of(graded_sky, found.table["id"].tolist()) == {"held out"}


def test_a_mix_of_ways(graded_sky, tmp_path):
    wishes = parse_wishes("score:0.5,disagreement:0.25,novelty:0.25")
    graded = graded_sky.objects["id"].iloc[:30].tolist()
    found = next_of(graded_sky, tmp_path / "next.csv", wishes=wishes, graded=graded)
    assert found.table["why"].value_counts().to_dict() == {"score": 6, "disagreement": 3, "novelty": 3}
    assert not found.table["id"].duplicated().any() and not {*found.table["id"]} & {*graded}


def test_more_like_this_one(graded_sky, tmp_path):
    example = graded_sky.objects["id"].iloc[5]
    found = next_of(graded_sky, tmp_path / "alike.csv", like=example, graded=[example])
    assert len(found.table) == 12 and set(found.table["why"]) == {"like"} and example not in set(found.table["id"])
    with pytest.raises(InputError, match="must be an object of the search with pixels, got 'nobody'"):
        next_of(graded_sky, tmp_path / "alike.csv", like="nobody")


def test_nothing_is_left(graded_sky, tmp_path):
    with pytest.raises(InputError, match="got none that is scored, not graded and not held out"):
        next_of(graded_sky, tmp_path / "next.csv", graded=graded_sky.objects["id"])
    assert not (tmp_path / "next.csv").exists()


def test_objects_without_pixels_are_told(graded_sky, tmp_path):
    found = shutil.copytree(graded_sky.found, tmp_path / "found")
    manifest = json.loads((found / "search.json").read_text())
    (found / "search.json").write_text(json.dumps(manifest | {"tiles": [str(tmp_path / "gone")]}))
    result = next_of(graded_sky, tmp_path / "next.csv", search=SearchedSky(found), count=3)
    # the cutouts of the search are smaller than what people are shown
    assert not len(result.table) and len(result.missing) == 3
    assert result.missing["reason"].str.contains("tiles must be FITS images").all()


def test_a_detector_that_has_gone_is_asked_for(graded_sky, tmp_path):
    with pytest.raises(InputError, match="by which was searched, must be found, .* name its folder with --model"):
        next_of(graded_sky, tmp_path / "next.csv", model=None)
    with pytest.raises(InputError, match="is written as a table NAME.csv"):
        next_of(graded_sky, tmp_path / "next")


def test_a_large_search_is_gone_through_piece_by_piece(graded_sky, tmp_path, monkeypatch):
    whole = next_of(graded_sky, tmp_path / "whole.csv", count=5)
    monkeypatch.setattr("lensdetect.search.scores._ROWS", 10)
    pieces = next_of(graded_sky, tmp_path / "pieces.csv", count=5)
    pd.testing.assert_frame_equal(pieces.table.drop(columns="file"), whole.table.drop(columns="file"))
