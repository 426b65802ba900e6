"""Catalogues of what was graded, and grades from elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

from lensdetect.data import read_truth
from lensdetect.errors import InputError
from lensdetect.inspection import combine, read_merged, sort_out, write_catalogues
from lensdetect.inspection.catalogues import MEANINGS, Rule, training_truth
from lensdetect.inspection.subjects import TOLD

EMPTY_LOG = pd.DataFrame({"id": [], "grader": [], "grade": [], "undone": []})


def subjects_of(*names, **columns) -> pd.DataFrame:
    """Objects of a search in the order of their rank."""
    numbers = np.arange(1, len(names) + 1)
    table = pd.DataFrame(
        {
            "id": names,
            "collection": "objects",
            "member": [f"{number:05d}_{name}.fits" for number, name in zip(numbers, names, strict=True)],
            "planted": "",
            "truth": np.nan,
            "rank": numbers.astype(float),
            "ra_deg": 180.0 + numbers / 100,
            "dec_deg": -0.5,
            "tile": "KIDS_180",
            "logit": 3.0 - numbers,
            "probability": 0.9 / numbers,
            "flags": 0.0,
            "reason": "",
            "near_miss": False,
            "scene": numbers.astype(float),
            "known_lens": "",
            "known_grade": "",
        }
    )
    return table.assign(**columns)


@pytest.fixture
def log() -> pd.DataFrame:
    rows = [
        ("sure", "ann", 5.0, "", "blue arc"), ("sure", "bob", 3.0, "", ""),
        ("none", "ann", 0.0, "ring", ""), ("none", "bob", 0.0, "ring", "a ring; no bulge"),
        ("unnamed", "ann", 0.0, "", ""), ("one", "ann", 1.0, "merger", ""), ("one", "bob", 0.0, "", ""),
        ("old", "ann", 3.0, "", ""), ("painted", "ann", 3.0, "", ""),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["id", "grader", "grade", "kind", "note"]).assign(
        truth=lambda table: table["id"].map({"old": 1.0, "painted": 1.0}),
        planted=lambda table: table["id"].map({"old": "known", "painted": "lens"}).fillna(""),
    )


@pytest.fixture
def subjects() -> pd.DataFrame:
    found = subjects_of("sure", "none", "one", "old", "unnamed", "painted", "ungraded")
    found.loc[found["id"] == "painted", ["collection", "member"]] = ["painted", "7"]
    found.loc[found["id"] == "old", ["planted", "truth", "known_lens"]] = ["known", 1.0, "J1201"]
    return found


def sorted_out(log, subjects, rule=None) -> pd.DataFrame:
    return sort_out(combine(log, prior=0.1), subjects, log, rule=rule or Rule())


def test_verdicts_by_the_published_rule(log, subjects):
    found = sorted_out(log, subjects).set_index("id")["verdict"].to_dict()
    assert found == {
        "sure": "lens", "none": "contaminant", "unnamed": "contaminant", "one": "undecided", "old": "known",
        "painted": "planted",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("least", "expected"),
    [(0.5, ["lens", "lens", "contaminant", "contaminant"]), (0.8, ["lens", "undecided", "undecided", "contaminant"])],
)
def test_verdicts_by_posterior(least, expected):
    table = pd.DataFrame({"posterior": [0.9, 0.5, 0.3, 0.1]})
    assert Rule("posterior", least).verdicts(table).tolist() == expected
    assert f"{least:g}" in Rule("posterior", least).text


@pytest.mark.parametrize(("name", "least", "said"), [("best", 0.5, "one of published"), ("posterior", 1.0, "got 1.0")])
def test_what_is_no_rule_is_refused(name, least, said):
    with pytest.raises(InputError, match=said):
        Rule(name, least)


def test_the_table_of_objects(log, subjects):
    found = sorted_out(log, subjects)
    assert found["posterior"].is_monotonic_decreasing and len(found) == 6
    row = found.set_index("id").loc["sure"]
    assert row["ra_deg"] == 180.01 and row["rank"] == 1 and row["product"] == pytest.approx(0.9 * 4 / 5)
    assert row["notes"] == "blue arc" and row["cutout"] == "00001_sure"
    # nothing is known of these columns
    assert not {"near_miss", "reason", "known_grade"} & set(found) and "known_lens" in found


def test_catalogues_on_disk(log, subjects, tmp_path):
    write_catalogues(sorted_out(log, subjects), tmp_path, rule=Rule())
    lenses = pd.read_parquet(tmp_path / "lenses.parquet")
    assert lenses["id"].tolist() == ["sure"] and not {"verdict", "truth", "planted", "cutout"} & set(lenses)
    contaminants = pd.read_csv(tmp_path / "contaminants.csv", keep_default_na=False)
    assert contaminants[["id", "kind"]].to_numpy().tolist() == [["none", "ring"], ["unnamed", ""]]
    assert len(pd.read_parquet(tmp_path / "objects.parquet")) == 6


def test_fits_has_units_descriptions_and_ucds(log, subjects, tmp_path):
    write_catalogues(sorted_out(log, subjects), tmp_path, rule=Rule())
    with fits.open(tmp_path / "lenses.fits") as hdus:
        header, columns = hdus["LENSES"].header, hdus["LENSES"].columns
        assert header["RADESYS"] == "ICRS" and "recognised (grade 1 or more)" in str(header["COMMENT"])
        for number, name in enumerate(columns.names, start=1):
            assert header[f"TUCD{number}"] == MEANINGS[name].ucd and header[f"TCOMM{number}"]
        assert columns["ra_deg"].unit == columns["dec_deg"].unit == "deg"
        assert hdus["LENSES"].data["id"].tolist() == ["sure"]


def test_every_ucd_is_of_the_standard():
    """Words of the UCD1+ vocabulary, those of a first word in front."""
    from astropy.io.votable.ucd import parse_ucd

    for name, meaning in MEANINGS.items():
        assert parse_ucd(meaning.ucd, check_controlled_vocabulary=True), name


def test_empty_catalogues_are_written(log, subjects, tmp_path):
    nothing = sorted_out(log[log["id"] == "one"], subjects)
    write_catalogues(nothing, tmp_path, rule=Rule())
    for name in ("lenses", "contaminants"):
        assert len(pd.read_parquet(tmp_path / f"{name}.parquet")) == 0
        assert len(Table.read(tmp_path / f"{name}.fits", hdu=1)) == 0


def test_objects_without_a_search_have_no_columns_of_one(log, tmp_path):
    bare = subjects_of("sure", "none", "one", "old", "unnamed", "painted")
    for name, kind in TOLD.items():
        bare[name] = np.nan if kind is float else "" if kind is str else False
    bare["member"] = bare["id"]
    found = sorted_out(log, bare)
    assert not {"ra_deg", "rank", "logit", "tile", "product", "scene"} & set(found)
    write_catalogues(found, tmp_path, rule=Rule())
    assert read_truth(tmp_path / "grades.csv")["id"].tolist() == ["none", "old", "painted", "sure", "unnamed"]


def test_truth_to_train_on(log, subjects, tmp_path):
    found = sorted_out(log, subjects)
    write_catalogues(found, tmp_path, rule=Rule())
    truth = read_truth(tmp_path / "grades.csv")
    # what is undecided or painted teaches nothing; a known lens does
    assert truth.set_index("id")["is_lens"].to_dict() == {
        "00001_sure": True, "00002_none": False, "00004_old": True, "00005_unnamed": False
    }  # fmt: skip
    assert truth["kind"].tolist() == ["lens", "ring", "lens", ""]
    assert training_truth(found)["object"].tolist() == ["sure", "none", "old", "unnamed"]


def test_names_that_are_markup_or_formulas_stay_text(tmp_path):
    names = ("<script>alert(1)</script>", "../../x", "=1+1", "caf\xe9")
    log = pd.DataFrame({"id": names, "grader": "ann", "grade": 5.0, "note": "=2"})
    write_catalogues(sorted_out(log, subjects_of(*names)), tmp_path, rule=Rule())
    assert sorted(pd.read_parquet(tmp_path / "lenses.parquet")["id"]) == sorted(names)
    assert "'=1+1" in set(pd.read_csv(tmp_path / "lenses.csv")["id"])
    with fits.open(tmp_path / "lenses.fits") as hdus:
        assert "caf\\xe9" in hdus[1].data["id"].tolist()


# --- grades of people who graded elsewhere


@pytest.fixture
def write(tmp_path):
    def run(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path

    return run


def test_merging(write):
    first = write(
        "ann.csv", "id,grader,grade,kind,note,graded_at\n1,ann,5,,,2026-11-26T20:00:00+01:00\n2,ann,X,ring,odd,\n"
    )
    second = write("bob.tsv", "object_id\tgrader\tgrade\n1\tbob\tb\n2\tbob\t\n")
    subjects = subjects_of("1", "2", planted=["", "dud"], truth=[np.nan, 0.0])
    found = read_merged([first, second], subjects=subjects, log=EMPTY_LOG)
    assert found["grade"].tolist()[:3] == [5.0, 0.0, 3.0] and np.isnan(found["grade"].iloc[3])
    assert found["graded_at"].tolist() == ["2026-11-26T19:00:00.000+00:00", "", "", ""]
    assert found["kind"].tolist() == ["", "ring", "", ""] and found["note"].iloc[1] == "odd"
    assert found["planted"].tolist() == ["", "dud", "", "dud"] and found["truth"].dropna().tolist() == [0.0, 0.0]
    assert combine(found).set_index("id")["num_grades"].to_dict() == {"1": 2, "2": 1}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("9,ann,5,,", r"id '9' in line 3 of .*ann.csv is none of what was graded"),
        ("2,,5,,", r"line 3 of .*ann.csv names no grader"),
        ("2,Ann,5,,", r"grader 'Ann' in line 3 of .*ann.csv is 'ann' elsewhere: one person needs one name"),
        ("2,ann,4,,", r"grade '4' in line 3 of .*ann.csv is none of 5, 3, 1, 0, A, B, C, X"),
        ("2,ann,good,,", r"grade 'good' in line 3"),
        ("2,ann,inf,,", r"grade 'inf' in line 3"),
        ("1,ann,5,,", r"'ann' grades '1' twice, in line 2 of .* and in line 3 of"),
        ("2,ann,5,-3,", r"seconds '-3' in line 3 .* is no number of seconds"),
        ("2,ann,5,,yesterday", r"graded_at 'yesterday' in line 3 .* is no time such as 2026"),
        ("2,ann", r"line 3 of .* must have 5 cells, as many as the header, got 2"),
    ],
)
def test_what_cannot_be_merged_is_told_with_its_line(write, line, said):
    file = write("ann.csv", f"id,grader,grade,seconds,graded_at\n1,ann,5,,\n{line}\n")
    with pytest.raises(InputError, match=said):
        read_merged([file], subjects=subjects_of("1", "2"), log=EMPTY_LOG)


def test_all_problems_are_counted(write):
    file = write("ann.csv", "id,grader,grade\n" + "".join(f"{number},ann,7\n" for number in range(1, 9)))
    with pytest.raises(InputError, match=r"8 are not: grade '7' in line 2 .*; and 3 more"):
        read_merged([file], subjects=subjects_of(*map(str, range(1, 9))), log=EMPTY_LOG)


def test_a_grade_that_is_in_the_log_already_is_told(write):
    file = write("ann.csv", "id,grader,grade\n1,ann,5\n")
    log = pd.DataFrame({"id": ["1"], "grader": ["ann"], "grade": [3.0], "undone": [False]})
    with pytest.raises(InputError, match="'ann' grades '1' twice, in the log and in line 2"):
        read_merged([file], subjects=subjects_of("1"), log=log)
    assert len(read_merged([file], subjects=subjects_of("1"), log=log.assign(undone=True))) == 1


def test_a_table_without_graders_is_refused(write):
    with pytest.raises(
        InputError, match="must have columns id, grader and grade, got id, grade: name one of them grader"
    ):
        read_merged([write("ann.csv", "id,grade\n1,5\n")], subjects=subjects_of("1"), log=EMPTY_LOG)
