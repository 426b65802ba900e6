from __future__ import annotations

import errno
import json

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from lensdetect import flags
from lensdetect.errors import InputError
from lensdetect.search import Cut, run
from lensdetect.search import scan as scanning

ANY = Cut(rejected=(), merge_arcsec=0.0)


def test_a_search_scores_each_object_once_and_ranks_by_logit(search, all_scores, sky):
    found = search(cut=ANY)
    scores = all_scores(found)
    assert found.ok
    assert scores["row"].tolist() == list(range(40)) and scores["id"].tolist() == sky.objects["ID"].tolist()
    assert scores["logit"].notna().all() and (scores["reason"] == "").all()
    assert np.corrcoef(scores["logit"], sky.objects["peak"])[0, 1] > 0.95
    best = found.candidates
    assert best["rank"].tolist() == list(range(1, 41)) and best["logit"].is_monotonic_decreasing
    assert best["id"].iloc[0] == sky.objects.loc[sky.objects["peak"].idxmax(), "ID"]
    np.testing.assert_allclose(best["probability"], 1 / (1 + np.exp(-0.1 * best["logit"])), rtol=1e-5)


def test_results_are_on_disk_in_all_forms(search):
    found = search(report=True, cut=Cut(top=5, rejected=()))
    csv, parquet = pd.read_csv(found.folder / "candidates.csv"), pd.read_parquet(found.folder / "candidates.parquet")
    assert len(csv) == len(parquet) == 5 and parquet.columns.tolist() == csv.columns.tolist()
    with fits.open(found.folder / "candidates.fits") as units:
        table = units["CANDIDATES"]
        np.testing.assert_array_equal(table.data["ra_deg"], parquet["ra_deg"])
        place = table.columns.names.index("ra_deg") + 1
        assert table.header[f"TUNIT{place}"] == "deg" and table.header[f"TUCD{place}"] == "pos.eq.ra;meta.main"
    assert len(list((found.folder / "cutouts").glob("*.fits"))) == 5
    assert (found.folder / "report.html").read_text().count("data:image/png;base64,") == 2
    assert len(list((found.folder / "report").glob("*.js"))) == 5


def test_cutouts_have_the_object_in_the_middle_of_their_sky(search, sky):
    from astropy.wcs import WCS

    found = search(report=True, cut=Cut(top=8, rejected=()))
    for path, row in zip(sorted((found.folder / "cutouts").iterdir()), found.candidates.itertuples(), strict=True):
        with fits.open(path) as units:
            image, header = units[0].data, units[0].header
        assert image.shape == (4, 33, 33) and header["OBJECT"] == row.id and header["BAND3"] == "r"
        x, y = WCS(header, naxis=2).wcs_world2pix(row.ra_deg, row.dec_deg, 0)
        assert abs(x - 16) <= 0.5001 and abs(y - 16) <= 0.5001
        brightest = np.unravel_index(np.nanargmax(image[2, 14:19, 14:19]), (5, 5))
        assert np.hypot(brightest[0] + 14 - y, brightest[1] + 14 - x) < 2.0


def test_a_second_run_scores_nothing_and_says_the_same(search, all_scores):
    first, second = search(cut=ANY), search(cut=ANY)
    assert (first.numbers["objects scored in this run"], second.numbers["objects scored in this run"]) == (40, 0)
    pd.testing.assert_frame_equal(first.candidates, second.candidates)


def test_what_is_lost_is_scored_again_and_what_is_left_over_is_removed(search, all_scores, sky):
    first = search(cut=ANY)
    before = all_scores(first)
    lost = first.folder / "scores" / f"{sky.name(1)}.parquet"
    lost.unlink()
    (first.folder / "scores" / "gone.parquet").write_bytes(b"of a tile that is there no more")
    (first.folder / "scores" / f".{sky.name(1)}.parquet.1.partial").write_bytes(b"of a process that was killed")
    second = search(cut=ANY)
    assert second.numbers["objects scored in this run"] == len(pd.read_parquet(lost))
    pd.testing.assert_frame_equal(all_scores(second), before)
    assert len(list((first.folder / "scores").iterdir())) == 3


def test_another_cut_takes_no_new_scores(search):
    search(cut=ANY)
    found = search(cut=Cut(top=3, rejected=()))
    assert len(found.candidates) == 3 and found.numbers["objects scored in this run"] == 0


def test_a_folder_belongs_to_one_search(search, tmp_path):
    search()
    with pytest.raises(InputError, match=r"holds another search: prior is None there and 0.01 here"):
        search(prior=0.01)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("")
    with pytest.raises(InputError, match="must be empty or hold this search"):
        search(output=tmp_path / "other")


def test_a_prior_lowers_probabilities_and_leaves_the_order(search, tmp_path):
    plain, rare = search(cut=ANY), search(cut=ANY, prior=1e-3, output=tmp_path / "rare")
    assert plain.candidates["id"].tolist() == rare.candidates["id"].tolist()
    odds = rare.candidates["probability"] / (1 - rare.candidates["probability"])
    before = plain.candidates["probability"] / (1 - plain.candidates["probability"])
    np.testing.assert_allclose(odds / before, 1e-3 / 0.999, rtol=2e-3)


def test_a_committee_votes_with_the_mean_of_calibrated_logits(search, all_scores, committee):
    scores = all_scores(search(committee=committee(members=2), cut=ANY))
    np.testing.assert_allclose(scores["logit_member1"], 2 * scores["logit_member0"], rtol=1e-5)
    np.testing.assert_allclose(scores["logit"], 0.05 * (scores["logit_member0"] + scores["logit_member1"]), rtol=1e-5)


def test_objects_without_a_tile_or_a_position_are_listed(search, sky):
    more = pd.DataFrame({"ID": ["far", "nowhere"], "RAJ2000": [10.0, np.nan], "DECJ2000": [-30.0, 0.0]})
    pd.concat([pd.read_csv(sky.catalogue), more]).to_csv(sky.catalogue, index=False)
    found = search()
    listed = pd.read_parquet(found.folder / "objects" / "outside.parquet").set_index("id")["reason"]
    assert listed.to_dict() == {"far": "outside every tile", "nowhere": "no position"}
    assert found.numbers["objects scored"] == 40 and not found.ok
    assert "objects without a position that can be used: 1, listed in objects/outside.parquet" in found.text()


def test_a_truncated_tile_is_reported_and_tried_again_when_mended(search, all_scores, sky):
    path = sky.path(2, "g")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    found = search()
    row = found.tiles.set_index("tile").loc[sky.name(2)]
    assert not found.ok and "cut short" in row["problem"]
    assert (found.tiles["problem"] != "").sum() == 1 and found.tiles["scored"].sum() == (40 - row["refused"])
    path.write_bytes(whole)
    mended = search()
    assert mended.ok and all_scores(mended)["logit"].notna().all() and len(all_scores(mended)) == 40


def test_a_tile_without_a_band_is_scored_and_reported(search, all_scores, sky):
    sky.path(1, "u").unlink()
    found = search()
    scores = all_scores(found)
    row = found.tiles.set_index("tile").loc[sky.name(1)]
    assert not found.ok and row["missing_bands"] == "u" and "no image in u" in row["problem"]
    in_tile = scores["tile"] == sky.name(1)
    flagged = (scores["flags"] & flags.bits("missing_band")) != 0
    assert scores["logit"].notna().all() and (flagged == in_tile).all() and in_tile.any()


def test_a_band_that_no_tile_has_is_no_failure(search, sky):
    for tile in range(3):
        sky.path(tile, "u").unlink()
    found = search()
    assert found.ok and found.tiles["missing_bands"].tolist() == ["u"] * 3


def test_a_nonsense_wcs_is_reported(search, sky):
    for band in "ugri":
        with fits.open(sky.path(0, band), mode="update") as units:
            units[0].header["CDELT1"] = units[0].header["CDELT2"] = 0.0
    found = search()
    problems = found.tiles.set_index("tile")["problem"]
    assert not found.ok and problems[sky.name(0)] != "" and (problems != "").sum() == 1
    assert found.numbers["objects scored"] + found.numbers["objects outside every tile"] == 40


def test_units_of_another_survey_stop_that_tile(search, sky):
    for band in "ugri":
        with fits.open(sky.path(0, band), mode="update") as units:
            units[0].data *= 1e6
    found = search()
    row = found.tiles.set_index("tile").loc[sky.name(0)]
    assert "background rms" in row["problem"] and row["scored"] == 0 and row["refused"] > 0
    assert found.tiles["scored"].sum() > 0


def test_a_full_disk_costs_the_tile_that_it_hits(search, all_scores, sky, monkeypatch):
    def write(path, table, note):
        if path.stem == sky.name(1):
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(path, table, note)

    original = scanning.write_scores
    monkeypatch.setattr(scanning, "write_scores", write)
    found = search()
    row = found.tiles.set_index("tile").loc[sky.name(1)]
    assert not found.ok and "No space left on device" in row["problem"] and row["scored"] == 0
    monkeypatch.undo()
    again = search()
    assert again.ok and len(all_scores(again)) == 40


def test_results_that_cannot_be_written_are_one_error(search, monkeypatch):
    def write(path, write):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run, "write_whole", write)
    with pytest.raises(InputError, match="results must be writable to .* No space left on device: make room"):
        search()


def test_duplicates_in_the_catalogue_are_flagged_and_no_candidates(search, all_scores, sky):
    table = pd.read_csv(sky.catalogue)
    twin = table.iloc[[7]].assign(ID="twin")
    pd.concat([table, twin]).to_csv(sky.catalogue, index=False)
    found = search(cut=Cut(rejected=("duplicate",)))
    scores = all_scores(found).set_index("id")
    assert scores.loc["twin", "flags"] & flags.bits("duplicate")
    assert "twin" not in set(found.candidates["id"]) and "galaxy 7" in set(found.candidates["id"])


def test_the_manifest_tells_what_was_searched(search, sky):
    found = search(select="MAG_AUTO < 21")
    said = json.loads((found.folder / "search.json").read_text())
    assert said["select"] == "MAG_AUTO < 21" and said["catalogue"] == [str(sky.catalogue)]


def test_an_empty_selection_leaves_empty_tables(search):
    found = search(select="MAG_AUTO < 1")
    assert len(found.candidates) == 0 and found.ok
    assert len(pd.read_csv(found.folder / "candidates.csv")) == 0


def test_a_catalogue_beside_the_tiles_is_told_with_both_ranges(search, sky, tmp_path):
    turned = sky.objects.assign(RAJ2000=sky.objects["RAJ2000"] / 15.0)
    turned.to_csv(tmp_path / "hours.csv", index=False)
    found = search(catalogue=tmp_path / "hours.csv")
    assert not found.ok
    assert "0 of 40 objects lie in any tile: they have right ascensions 11.99" in found.text()
    assert "the tiles 179.99" in found.text() and "see that its positions are in the unit that it tells" in found.text()


def test_foreign_text_ends_no_search(search, sky, tmp_path):
    bad = ["tab\tx", "line\nbreak", "\x00\x1b[2J", "KiDS_é", "=cmd|' /C calc'!A0", "星"]
    sky.objects.assign(ID=bad + sky.objects["ID"].tolist()[6:]).drop(columns="peak").to_parquet(tmp_path / "c.parquet")
    for number, path in enumerate(sorted(sky.folder.iterdir())):
        # two tiles whose names are no ASCII, the second not UTF-8 either
        name = path.name.replace("KiDS", "KiDS_é" if number < 4 else "KiDS_\udce9" if number < 8 else "KiDS")
        path.rename(path.with_name(name))
    found = search(catalogue=tmp_path / "c.parquet", report=True, cut=ANY)
    names = pd.read_parquet(found.folder / "candidates.parquet")["id"]
    assert set(bad) <= set(names)
    assert "'=cmd|" in (found.folder / "candidates.csv").read_text()
    assert found.text(rows=40).replace("\n", "").isprintable()
    with fits.open(found.folder / "candidates.fits") as units:
        assert "tab\\tx" in units["CANDIDATES"].data["id"] and "KiDS_\\xe9" in units["CANDIDATES"].data["id"]
    assert len(list((found.folder / "cutouts").glob("*.fits"))) == len(names) and found.ok
    assert sum("KiDS_" in tile and not tile.isascii() for tile in found.tiles["tile"]) == 1
    assert sum("KiDS_\\udce9" in tile for tile in found.tiles["tile"]) == 1
