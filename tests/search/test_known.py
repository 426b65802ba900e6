from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord

from lensdetect.errors import InputError
from lensdetect.search import known
from lensdetect.search.known import cross_match, known_lenses, merge_known, name_lists

ARCSEC = 1 / 3600


@pytest.fixture(autouse=True)
def no_lenscat(monkeypatch):
    """Whether it is installed makes no difference."""
    monkeypatch.setattr(known, "lenscat_file", lambda: None)


def test_five_lenses_are_shipped_with_the_positions_in_their_names():
    lenses = known_lenses()
    assert len(lenses) == 5
    for row in lenses.itertuples():
        text = row.name.split("J")[1]
        hours, degrees = text[:10], text[10:]
        ra_deg = 15 * (int(hours[:2]) + int(hours[2:4]) / 60 + float(hours[4:]) / 3600)
        dec_deg = int(degrees[1:3]) + int(degrees[3:5]) / 60 + float(degrees[5:]) / 3600
        assert row.ra_deg == pytest.approx(ra_deg, abs=1e-6)
        assert row.dec_deg == pytest.approx(dec_deg if degrees[0] == "+" else -dec_deg, abs=1e-6)


def test_the_nearest_is_named_with_its_distance():
    lenses = known_lenses()
    one = lenses.iloc[2]
    places = pd.DataFrame(
        {"ra_deg": [one.ra_deg, one.ra_deg, 12.0], "dec_deg": [one.dec_deg + 3 * ARCSEC, one.dec_deg + 6 * ARCSEC, 1.0]}
    )
    found = cross_match(places, lenses)
    assert found["known_lens"].tolist() == [one["name"], "", ""]
    np.testing.assert_allclose(found["separation_arcsec"], [3.0, np.nan, np.nan], atol=1e-6)
    assert found["known_grade"].tolist() == ["candidate", "", ""]


def test_a_match_across_the_meridian():
    lenses = pd.DataFrame({"name": ["w"], "ra_deg": [359.9999], "dec_deg": [0.0], "grade": ["A"], "list": ["mine"]})
    found = cross_match(pd.DataFrame({"ra_deg": [0.0001], "dec_deg": [0.0]}), lenses)
    assert found["separation_arcsec"].iloc[0] == pytest.approx(0.72, abs=1e-3)


def test_your_own_list_comes_first(tmp_path):
    one = known_lenses().iloc[0]
    (tmp_path / "mine.csv").write_text(f"Name,RA,Dec\nHorseshoe,{one.ra_deg},{one.dec_deg}\nlost,,\n")
    lenses = known_lenses(tmp_path / "mine.csv")
    assert lenses["name"].tolist()[:1] == ["Horseshoe"] and len(lenses) == 6
    assert merge_known(lenses)["name"].iloc[0] == "Horseshoe" and len(merge_known(lenses)) == 5
    (tmp_path / "mine.csv").write_text(f"Name,RA,Dec\nHorseshoe,{one.ra_deg},{one.dec_deg + ARCSEC}\n")
    found = cross_match(lenses[1:2], known_lenses(tmp_path / "mine.csv"))
    assert found["known_lens"].tolist() == ["Horseshoe"]  # not the nearest entry, which is the package's


def test_the_list_that_lenscat_brings_is_read(monkeypatch):
    monkeypatch.undo()
    if known.lenscat_file() is None:
        pytest.skip("lenscat is not installed")
    lenses = known_lenses()
    assert (lenses["list"] == "lenscat").sum() > 30_000 and lenses["ra_deg"].between(0, 360).all()


def test_the_catalogue_of_lenscat_is_read_by_its_columns(tmp_path, monkeypatch):
    path = tmp_path / "catalog.csv"
    path.write_text("name,RA [deg],DEC [deg],zlens,type,grading,ref\nX1,10.5,-3.25,-,galaxy,confident,there\n")
    monkeypatch.setattr(known, "lenscat_file", lambda: path)
    row = known_lenses().iloc[-1]
    assert (row["name"], row["ra_deg"], row["dec_deg"]) == ("X1", 10.5, -3.25)
    assert (row["grade"], row["list"]) == ("confident", "lenscat")
    assert name_lists(known_lenses()) == "attention talk (5), lenscat (1)"


def test_a_search_says_which_lists_it_was_compared_with_and_how_to_get_more(tmp_path):
    (tmp_path / "mine.csv").write_text("name,ra,dec\na,1,2\nb,3,4\n")
    said = name_lists(known_lenses(tmp_path / "mine.csv"))
    assert said == "mine.csv (2), attention talk (5); lenscat is not installed: pip install --no-deps lenscat"


def test_a_list_without_positions_is_refused(tmp_path):
    (tmp_path / "mine.csv").write_text("name,redshift\na,0.3\n")
    with pytest.raises(InputError, match=r"must have a column for ra_deg, got name, redshift: call it ra_deg"):
        known_lenses(tmp_path / "mine.csv")


def test_a_real_list_of_lensed_quasars(shared_data):
    lenses = known_lenses(shared_data / "lens_catalogues" / "he2024_kids_dr5_lensed_qso_table3.csv")
    assert len(lenses) == 272 + 5 and lenses["ra_deg"].between(0, 360).all()
    assert lenses["name"].iloc[0] == "J0001-3003"


@pytest.mark.parametrize("kind", ["degrees", "sexagesimal", "mixed"])
def test_lists_in_any_writing_are_the_same_lenses(tmp_path, kind):
    places = SkyCoord(np.linspace(179.9, 180.1, 12), np.linspace(-0.1, 0.1, 12), unit="deg")
    rows = {
        "degrees": [f"{place.ra.deg:.6f},{place.dec.deg:.6f}" for place in places],
        "sexagesimal": [place.to_string("hmsdms", sep=":", precision=3).replace(" ", ",") for place in places],
    }
    rows["mixed"] = [rows[("degrees", "sexagesimal")[number % 2]][number] for number in range(12)]
    lines = [f"Lens{number},{row},A" for number, row in enumerate(rows[kind])]
    (tmp_path / "mine.csv").write_text("\n".join(["name,ra,dec,grade", *lines, "lost,,,B", "odd,here,1,C"]) + "\n")
    notes = []
    lenses = known_lenses(tmp_path / "mine.csv", notes=notes)[:12]
    assert lenses["name"].tolist() == [f"Lens{number}" for number in range(12)]
    assert lenses["ra_deg"].to_numpy() == pytest.approx(places.ra.deg, abs=2e-6)
    assert lenses["dec_deg"].to_numpy() == pytest.approx(places.dec.deg, abs=2e-6)
    where = f"ra 'here' in line 15 of {tmp_path / 'mine.csv'}"
    assert notes == [
        f"known lenses of mine.csv without a position that can be used: 2; the first that is not empty: {where}"
    ]
