"""A search that goes on ends as an undisturbed one, and keeps no score that follows from what is there no more."""

from __future__ import annotations

import dataclasses
import os
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from lensdetect.artifact import find_detector, load_card
from lensdetect.artifact.card import CARD_FILE
from lensdetect.artifact.factory import ScorerFactory
from lensdetect.errors import ArtifactError, InputError
from lensdetect.flags import bits
from lensdetect.images import index_tiles
from lensdetect.runs import lock
from lensdetect.search import Cut, committee_of, examination, slices
from lensdetect.search.slices import Job, slices_of

ANY = Cut(rejected=(), merge_arcsec=0.0)
TRAIL = bits("trail")


def every_file(folder) -> dict[str, bytes]:
    """What a search left, but for what it knows of files by their times, and the report, which tells its own time."""
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    untold = ("headers.json", "keys.json", "report.html")
    return {name: path.read_bytes() for name, path in paths.items() if name not in untold}


def scored(found) -> int:
    return found.numbers["objects scored in this run"]


_HOW = ["full disk", "kill before", "kill after"]


@pytest.mark.parametrize("how", [pytest.param("full disk", marks=pytest.mark.slow), "kill before"])
def test_a_search_of_a_tile_stopped_at_any_write_ends_as_if_undisturbed(search, sky, stopped_at, how, glitches):
    assert_ends_as_if_undisturbed(partial(search, tiles=sky.folder / f"{sky.name(1)}*"), stopped_at, how, least=10)


@pytest.mark.slow
@pytest.mark.parametrize("how", _HOW)
def test_a_search_stopped_at_any_write_ends_as_if_undisturbed(search, stopped_at, how, glitches):
    assert_ends_as_if_undisturbed(partial(search, report=True, ordinary=4), stopped_at, how, least=20)


@pytest.fixture
def glitches(monkeypatch):
    """Calls the brightest a trail, so that others move up and are looked at in their turn."""

    def brightest(pixels, survey, *, noise_sigma):
        return (pixels[:, 16, 16, 2] > 70 * 2.4e-12) * TRAIL

    monkeypatch.setattr(examination, "flag_quality", brightest)


def assert_ends_as_if_undisturbed(search, stopped_at, how, *, least) -> None:
    """Stop it at each of its writes; what it left in the end is the same to the byte, tables of scores too."""
    run = partial(search, cut=Cut(top=5, rejected=("trail",), merge_arcsec=0.0))
    found = run()
    whole, number = every_file(found.folder), 0
    shutil.rmtree(found.folder)
    while stopped_at(run, number, how=how):
        again = run()
        assert every_file(again.folder) == whole and again.ok == found.ok, f"stopped at write {number}"
        shutil.rmtree(again.folder)
        number += 1
    assert number >= least


def test_what_was_looked_at_for_other_candidates_changes_no_flag(search, glitches):
    few, many = (Cut(top=top, rejected=("trail",), merge_arcsec=0.0) for top in (3, 20))
    wanted = search(cut=few)
    names = ["tiles.csv", "candidates.csv"]
    before = {name: (wanted.folder / name).read_bytes() for name in names}
    search(cut=many)
    again = search(cut=few)
    assert {name: (again.folder / name).read_bytes() for name in names} == before
    assert again.numbers["objects looked at for glitches"] == wanted.numbers["objects looked at for glitches"]


def test_a_second_search_at_the_same_time_is_told_who_is_at_work(search):
    found = search(cut=ANY)
    before = every_file(found.folder)
    with lock(found.folder), pytest.raises(InputError, match=f"one run at a time, and process {os.getpid()} on"):
        search(cut=ANY)
    assert every_file(found.folder) == before


def test_a_tile_that_was_replaced_with_its_size_and_time_kept_is_scored_again(search, all_scores, sky):
    first = all_scores(search(cut=ANY))
    path = sky.path(1)
    stat = path.stat()
    with fits.open(path, mode="update") as units:
        units[0].data *= 0.5
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size and path.stat().st_mtime_ns == stat.st_mtime_ns
    again = search(cut=ANY)
    here = first["tile"] == sky.name(1)
    assert scored(again) == here.sum() > 0
    np.testing.assert_allclose(all_scores(again)["logit"][here], 0.5 * first["logit"][here], rtol=1e-4)


def test_a_tile_that_was_only_touched_is_not(search, sky):
    search(cut=ANY)
    os.utime(sky.path(1), (0, 0))
    assert scored(search(cut=ANY)) == 0


def test_a_catalogue_that_was_replaced_with_its_size_and_time_kept_is_read_again(search, all_scores, sky):
    search(cut=ANY)
    stat, text = sky.catalogue.stat(), sky.catalogue.read_text()
    sky.catalogue.write_text(text.replace("galaxy 7,", "galaxy X,"))
    os.utime(sky.catalogue, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    scores = all_scores(search(cut=ANY))
    assert "galaxy X" in set(scores["id"]) and "galaxy 7" not in set(scores["id"]) and len(scores) == 40


@pytest.fixture
def key(sky, committee, tmp_path):
    """Key of the scores of a tile, with something changed."""

    def make(*, digest: str = "a", job: dict | None = None, **changes) -> str:
        tile = index_tiles(sky.folder, sky.survey).tiles[0]
        whole = Job(**{"survey": sky.survey, "folder": tmp_path, "committee": committee()} | (job or {}))
        return slices_of(whole, dataclasses.replace(tile, **changes), objects=3, digest=digest)[0].key

    return make


def test_scores_are_kept_by_all_that_they_follow_from(key, committee):
    member = committee().members[0]
    other_members = (dataclasses.replace(member, digest="other weights"), dataclasses.replace(member, views=8))
    others = [
        key(zero_point_offset_mag={"r": 0.3}),
        key(missing_bands=("u",)),
        key(pixel_scale_arcsec=0.3),
        key(problem="no WCS"),
        key(digest="b"),
        key(job={"code": "0.0.0+other"}),
        key(job={"prior": 0.01}),
        key(job={"examine_all": True}),
        *(key(job={"committee": dataclasses.replace(committee(), members=(one,))}) for one in other_members),
    ]
    assert key() == key() and len({key(), *others}) == len(others) + 1


def test_scores_of_other_code_are_made_again_and_not_relabelled(search, monkeypatch):
    first = search(cut=ANY)
    before = (first.folder / "search.json").read_text()
    monkeypatch.setattr(slices, "code_key", lambda *rooms: "9.9.9+of-tomorrow")
    again = search(cut=ANY)
    assert scored(again) == 40 and "9.9.9+of-tomorrow" in (again.folder / "search.json").read_text() != before
    assert scored(search(cut=ANY)) == 0


def test_a_worker_with_other_code_scores_nothing(search, monkeypatch):
    monkeypatch.setattr("lensdetect.search.scan.search_code", lambda: "0.0.1+old")
    found = search(cut=ANY)
    problems = found.tiles["problem"]
    assert not found.ok and problems.str.contains("must be done by one version of lensdetect, got 0.0.1.old").all()
    monkeypatch.undo()
    assert scored(search(cut=ANY)) == 40


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9, 0.999])
def test_damaged_scores_are_made_again(search, all_scores, sky, place):
    found = search(cut=ANY)
    before, path = every_file(found.folder), found.folder / "scores" / f"{sky.name(1)}.parquet"
    content = bytearray(path.read_bytes())
    middle = int(place * len(content))
    content[middle : middle + 50] = bytes(255 - byte for byte in content[middle : middle + 50])
    path.write_bytes(content)
    again = search(cut=ANY)
    assert scored(again) == len(pd.read_parquet(path)) and every_file(again.folder) == before


@pytest.mark.parametrize("name", ["spread.json", "outside.parquet", None])
def test_damaged_lists_of_objects_are_made_again(search, sky, name):
    found = search(cut=ANY)
    before, path = every_file(found.folder), found.folder / "objects" / (name or f"{sky.name(1)}.arrows")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    again = search(cut=ANY)
    assert scored(again) == 0 and every_file(again.folder) == before


def test_a_manifest_that_is_empty_names_the_way_out(search):
    found = search(cut=ANY)
    (found.folder / "search.json").write_text("")
    with pytest.raises(InputError, match="search.json must be JSON .*: choose another folder, or remove"):
        search(cut=ANY)


def test_a_detector_that_was_tampered_with_ends_a_search_before_it_begins(sky, tmp_path):
    folder = tmp_path / "arcformer_small_subtracted-ground" / "1"
    shutil.copytree(find_detector("arcformer_small_subtracted-ground"), folder)
    with open(folder / "saved_model.pb", "r+b") as file:
        file.write(b"x")
    with pytest.raises(ArtifactError, match="saved_model.pb is changed"):
        committee_of([folder], sky.survey)


def test_a_detector_that_was_replaced_under_its_path_is_not_taken_for_the_other(tmp_path, monkeypatch):
    folder = tmp_path / "arcformer_small_subtracted-ground" / "1"
    shutil.copytree(find_detector("arcformer_small_subtracted-ground"), folder)
    card = load_card(folder)
    before, after = card, dataclasses.replace(card, licence="other")
    (folder / CARD_FILE).write_text(after.to_json())
    monkeypatch.setattr("lensdetect.artifact.scorer.load_detector", lambda folder, **options: None)
    meant, there = (
        ScorerFactory((str(folder),), card.band_names, (0.0,) * 4, 0.2, digests=(one.digest,))
        for one in (before, after)
    )
    # a process keeps what it has loaded by the factory, which is another one now
    monkeypatch.setattr(ScorerFactory, "_bound", lambda self, scorer: scorer)
    assert meant != there and callable(there())
    with pytest.raises(ArtifactError, match="must hold the detector with which this began, and holds another now"):
        meant()
