from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from lensdetect.figures.search import contact_sheet, score_histogram, sky_map
from lensdetect.search import Cut


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


def test_the_report_needs_nothing_beside_it(search):
    page = (search(report=True, cut=Cut(top=4, rejected=())).folder / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!data:)', page) and "<script" not in page


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


def test_sky_map_runs_on_past_the_meridian():
    tiles = [[(ra % 360, -1), ((ra + 1) % 360, -1), ((ra + 1) % 360, 0), (ra % 360, 0)] for ra in (358.5, 359.5, 0.5)]
    axes = sky_map(tiles, searched=[True] * 3, candidates=([359.0, 1.0], [-0.5, -0.5])).axes[0]
    left, right = axes.get_xlim()
    assert left > right and left - right < 10
    x = axes.lines[0].get_xdata()
    assert abs(x[1] - x[0]) == pytest.approx(2.0)


def test_contact_sheet_has_all_pictures(rng):
    figure = contact_sheet(
        rng.normal(size=(7, 9, 9, 3)), list("abcdefg"), bands="gri", pixel_scale_arcsec=0.2, columns=3
    )
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == list("abcdefg")
    assert axes.images[0].get_array().shape == (3 * 12, 3 * 12, 3)
