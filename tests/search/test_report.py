from __future__ import annotations

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from lensdetect.errors import InputError
from lensdetect.figures.search import score_histogram, sky_map
from lensdetect.images.tiles import Tile
from lensdetect.search import Cut
from lensdetect.search.report import report_html
from lensdetect.search.report_cards import csv_cells
from lensdetect.search.report_pictures import Pictures, sky_axes

from .report_files import findings, table, write


@pytest.fixture
def lenses(sky, tmp_path):
    """A list of known lenses in the sky: each will have become something else."""
    objects = sky.objects.sort_values("peak", ascending=False)
    names = ["brightest", "faintest"]
    rows = objects.iloc[[0, -1]][["RAJ2000", "DECJ2000"]].assign(name=names)
    blank = pd.DataFrame({"RAJ2000": [180.0, 77.0], "DECJ2000": [0.0079, 5.0], "name": ["<unlisted>", "elsewhere"]})
    table = pd.concat([rows, blank]).rename(columns={"RAJ2000": "ra", "DECJ2000": "dec"})
    path = tmp_path / "lenses.csv"
    table.to_csv(path, index=False)
    return path


def test_the_report_says_what_became_of_known_lenses(search, lenses):
    found = search(report=True, known=lenses, cut=Cut(top=5, rejected=()))
    fate = found.known.set_index("name")
    assert set(fate.index) == {"brightest", "faintest", "<unlisted>"}
    assert fate.loc["brightest", ["fate", "rank"]].tolist() == ["found", 1]
    assert fate.loc["faintest", "fate"] == "score" and fate.loc["faintest", "rank"] > 30
    assert fate.loc["<unlisted>", "fate"] == "selection"
    page = (found.folder / "report.html").read_text()
    assert "Of 3 known lenses in the footprint 1 are found (completeness 0.33)" in page
    assert "&lt;unlisted&gt;" in page and "<unlisted>" not in page
    assert found.candidates["known_lens"].iloc[0] == "brightest"


def test_a_lens_that_is_flagged_or_masked_is_missed_for_that(search, lenses, sky):
    for tile in range(3):
        for band in "ugri":
            with fits.open(sky.path(tile, band), mode="update") as units:
                units[0].data[:, :] = np.nan if tile == 0 else units[0].data
    found = search(known=lenses, cut=Cut(top=5, rejected=("edge", "masked", "missing_band", "bad_background")))
    assert not set(found.known["fate"]) - {"found", "score", "flag", "no score", "selection"}
    masked = found.known[found.known["fate"] == "no score"]
    assert masked["why"].str.contains("no data in any band").all()


def test_the_report_asks_nothing_of_a_network(search):
    found = search(report=True, cut=Cut(top=4, rejected=()))
    page = (found.folder / "report.html").read_text()
    assert not re.findall(r'src="(?!data:)', page) and not re.findall(r"@import|url\(", page)
    # links are followed by people
    assert all(tag.startswith(("#", "https://")) for tag in re.findall(r'href="([^"]*)', page))
    assert "default-src 'none'" in page and "unsafe" not in page
    assert len(list((found.folder / "report").glob("*.js"))) == 4


def test_a_resumed_search_writes_report_and_pictures_anew(search):
    first = search(report=True, cut=Cut(top=6, rejected=()))
    names = {path.name for path in (first.folder / "report").iterdir()}
    second = search(report=True, cut=Cut(top=2, rejected=()))
    left = {path.name for path in (second.folder / "report").iterdir()}
    assert len(names) == 6 and len(left) == 2 and left < names
    page = (second.folder / "report.html").read_text()
    assert all(name.removesuffix(".js") in page for name in left)


@pytest.mark.parametrize("how", ["full disk", "kill before", "kill after"])
def test_report_and_pictures_go_together_wherever_a_run_ends(tmp_path, stopped_at, how):
    write(tmp_path, table(3), seed=1)

    def whole() -> bool:
        page = (tmp_path / "report.html").read_text()
        keys = re.findall(r'"key": "(\w+)"', page)
        return len(keys) > 2 and all((tmp_path / "report" / f"{key}.js").is_file() for key in keys)

    number = 0
    while stopped_at(lambda: write(tmp_path, table(4), seed=2), number, how=how):
        assert whole()
        number += 1
    assert number == 5 and whole() and len(list((tmp_path / "report").glob("*.js"))) == 4


@pytest.mark.parametrize(
    ("counts", "cut", "why"),
    [
        ((0, 0, 0), Cut(), "No object of the catalogue lies in a tile that could be searched."),
        ((7, 0, 0), Cut(), "None of 7 objects has a score; what went wrong is told below."),
        ((7, 5, 0), Cut(), "All 5 objects with a score have a flag with which an object is no candidate."),
        (
            (7, 5, 3),
            Cut(threshold=0.9),
            "None of 3 objects that could be candidates has a probability of at least 0.9.",
        ),
    ],
)
def test_an_empty_report_says_why(tmp_path, counts, cut, why):
    none = dataclasses.replace(findings(tmp_path, table(0)), cut=cut)
    none.ranked.objects, none.ranked.scored, none.ranked.eligible = counts
    assert why in report_html(none, Pictures(tmp_path, []))


def test_cells_are_those_of_the_csv_file_whatever_an_id_holds():
    rows = table(3).assign(id=["x" * 300_000, 'a "b",\r\nc', "=1+1"])
    columns, cells = csv_cells(rows)
    assert columns == list(rows) and [row[2] for row in cells] == ["x" * 300_000, 'a "b",\r\nc', "'=1+1"]


def test_a_report_of_very_many_shows_the_first_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("lensdetect.search.report_cards.MOST_CARDS", 4)
    monkeypatch.setattr("lensdetect.search.report_cards.MOST_NEAR", 1)
    page = report_html(findings(tmp_path, table()), Pictures(tmp_path, []))
    assert re.findall(r'class="rank">(\d+)<', page) == ["1", "2", "3", "4", "11"]
    assert "7 more are in candidates.csv" in page


def test_a_tile_that_is_gone_is_told_on_its_cards(search, sky, monkeypatch):
    search(cut=Cut(top=40, rejected=()))
    monkeypatch.undo()

    def gone(tile, *args, **kwargs):
        raise InputError(f"{tile.name} is gone")

    monkeypatch.setattr("lensdetect.search.pictures.open_tile", gone)
    found = search(report=True, cut=Cut(top=40, rejected=()))
    page = (found.folder / "report.html").read_text()
    assert page.count("No picture: ") == 40 and f"No picture: {sky.name(0)} is gone" in page
    assert f"cutouts of tile {sky.name(1)}: {sky.name(1)} is gone" in page and not found.ok


def test_directions_are_those_of_the_sky():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [359.9999, 60.0], [50.0, 50.0]
    turn = np.radians(30.0)
    wcs.wcs.cd = np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * 0.2 / 3600
    tile = Tile("turned", {}, wcs_header=wcs.to_header_string())
    (found,) = sky_axes(tile, np.array([359.9999]), np.array([60.0]))
    np.testing.assert_allclose(found, [-np.cos(turn), np.sin(turn), np.sin(turn), np.cos(turn)], atol=1e-3)


def test_the_report_lists_tiles_that_failed(search, sky):
    sky.path(0, "g").write_bytes(sky.path(0, "g").read_bytes()[:5000])
    found = search(report=True)
    page = (found.folder / "report.html").read_text()
    assert "What went wrong" in page and sky.name(0) in page and "cut short" in page


def test_histogram_without_scores_says_so():
    axes = score_histogram(np.zeros(3), np.arange(4.0)).axes[0]
    assert axes.texts[0].get_text() == "no object has a score"


@pytest.mark.parametrize("known", [[], [-9.0, 12.0, float("nan")]])
def test_every_known_lens_is_in_the_histogram(known):
    axes = score_histogram([0, 3, 1], [0.0, 1.0, 2.0, 3.0], known_logits=known).axes[0]
    low, high = axes.get_xlim()
    assert low < min([1.0, *known[:2]]) and high > max([3.0, *known[:2]])


def test_sky_map_without_tiles_says_so():
    axes = sky_map([], searched=[], candidates=([], [])).axes[0]
    assert axes.texts[0].get_text() == "no tile has a place on the sky"


def test_sky_map_runs_on_past_the_meridian():
    tiles = [[(ra % 360, -1), ((ra + 1) % 360, -1), ((ra + 1) % 360, 0), (ra % 360, 0)] for ra in (358.5, 359.5, 0.5)]
    axes = sky_map(tiles, searched=[True] * 3, candidates=([359.0, 1.0], [-0.5, -0.5])).axes[0]
    left, right = axes.get_xlim()
    assert left > right and left - right < 10
    x = axes.lines[0].get_xdata()
    assert abs(x[1] - x[0]) == pytest.approx(2.0)
