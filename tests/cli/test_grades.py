"""lensdetect grades: from grades to catalogues."""

from __future__ import annotations

import io
import json
import re
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from lensdetect.data import open_cutouts, read_truth, with_truth
from lensdetect.inspection.ledger import Entry, append
from lensdetect.inspection.sources import open_source
from lensdetect.inspection.store import Store, Subject
from lensdetect.inspection.tokens import add_grader, grader_of
from lensdetect.search.outputs import write_objects
from lensdetect.search.pictures import cutout_name
from lensdetect.survey import get_survey

IDS = ("KiDS 12", "<b>ring</b>", "merger/3", "faint", "known")
#: Of each object what two people say.
GRADES = {
    "KiDS 12": (5.0, 3.0),
    "<b>ring</b>": (0.0, 0.0),
    "merger/3": (0.0, 0.0),
    "faint": (1.0, 0.0),
    "known": (3.0, 5.0),
}
KINDS = {"<b>ring</b>": "ring", "merger/3": "merger"}


@pytest.fixture
def found(tmp_path) -> Path:
    """Folder of a search with five candidates, one of them a known lens."""
    folder, numbers = tmp_path / "found", np.arange(len(IDS))
    table = pd.DataFrame(
        {
            "rank": numbers + 1, "row": numbers, "id": IDS, "ra_deg": 180.0 + numbers, "dec_deg": 0.5, "tile": "T1",
            "logit": 3.0 - numbers, "probability": 0.9 - 0.1 * numbers, "flags": 0, "reason": "", "merged": 0,
            "known_lens": ["", "", "", "", "J1204"], "separation_arcsec": [*[np.nan] * 4, 0.5],
            "known_grade": ["", "", "", "", "confirmed"], "known_list": ["", "", "", "", "mine"],
        }
    )  # fmt: skip
    (folder / "cutouts").mkdir(parents=True)
    write_objects(table, folder, name="candidates")
    said = {"survey": "kids", "bands": ["u", "g", "r", "i"], "pixel_scale_arcsec": 0.2}
    (folder / "search.json").write_text(json.dumps(said))
    sigma = np.array([band.noise_sigma for band in get_survey("kids").bands])[:, None, None]
    for row in table.itertuples(index=False):
        buffer = io.BytesIO()
        pixels = np.random.default_rng(row.rank).normal(size=(4, 31, 31)) * sigma
        fits.PrimaryHDU(pixels.astype(np.float32)).writeto(buffer)
        (folder / "cutouts" / cutout_name(row.rank, row.id)).write_bytes(buffer.getvalue())
    return folder


@pytest.fixture
def graded(found) -> Path:
    """The same, graded by two people, with a painted lens that both have seen."""
    with Store(found) as store:
        painted = Subject("planted 1", "painted", "1", planted="lens", truth=1.0)
        store.add_subjects([*open_source(found).subjects, painted])
        numbers = {one.id: one.number for one in store.subjects()}
        for place, name in enumerate(("Ann", "Bob")):
            grader = grader_of(store, add_grader(store, name)).number
            said = {**{one: grades[place] for one, grades in GRADES.items()}, "planted 1": 3.0}
            entries = [
                Entry(str(uuid.uuid4()), numbers[one], 0, grade, kind=KINDS.get(one, ""), seconds=2.0)
                for one, grade in said.items()
            ]
            assert not append(store, grader, entries).refused
    return found


def test_catalogues_of_a_search(lensdetect, graded, tmp_path):
    done = lensdetect("grades", graded, "--output", tmp_path / "out")
    assert done.code == 0, done.err
    assert "12 grades of 6 objects by 2 graders" in done.out
    assert "lens: 1, contaminant: 2, undecided: 1, known: 1, planted: 1" in done.out
    lenses = pd.read_parquet(tmp_path / "out" / "lenses.parquet")
    assert lenses["id"].tolist() == ["KiDS 12"] and lenses["ra_deg"].tolist() == [180.0]
    contaminants = pd.read_parquet(tmp_path / "out" / "contaminants.parquet")
    assert contaminants["kind"].tolist() == ["merger", "ring"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *(f"{name}.{form}" for name in ("lenses", "contaminants", "objects") for form in ("csv", "fits", "parquet")),
        "agreement.html", "graders.csv", "pairs.csv", "tables.csv", "grades.csv",
    }  # fmt: skip


def test_the_truth_fits_the_cutouts(lensdetect, graded, tmp_path):
    assert lensdetect("grades", graded, "--output", tmp_path / "out").code == 0
    source = open_cutouts(graded / "cutouts", survey=get_survey("kids"), size=31)
    stamps = with_truth(source, read_truth(tmp_path / "out" / "grades.csv"), partly=True)
    assert stamps.truth["is_lens"].tolist() == [True, False, False, True]


def test_names_are_text_in_the_report(lensdetect, graded, tmp_path):
    merge = tmp_path / "eve.csv"
    merge.write_text(
        'id,grader,grade,kind\n"KiDS 12",<script>alert(1)</script>,3,\nfaint,<script>alert(1)</script>,0,<i>\n'
    )
    done = lensdetect("grades", graded, "--merge", merge, "--output", tmp_path / "out")
    assert done.code == 0, done.err
    page = (tmp_path / "out" / "agreement.html").read_text()
    assert "<script" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert re.search(r"1\.00 \(0\.\d\d to 1\.00\) of 2", page), "both lenses of known truth were recognised"


def test_the_report_tells_what_it_follows_from(lensdetect, graded, tmp_path):
    assert lensdetect("grades", graded, "--prior", "0.02", "--output", tmp_path / "out").code == 0
    page = (tmp_path / "out" / "agreement.html").read_text()
    assert "0.02, as stated" in page and "two or more graders" in page
    assert "Cohen" in page and "Krippendorff" in page
    assert lensdetect("grades", graded, "--output", tmp_path / "out").code == 0
    assert "estimated from the grades" in (tmp_path / "out" / "agreement.html").read_text()


def test_by_posterior(lensdetect, graded, tmp_path):
    done = lensdetect(
        "grades", graded, "--rule", "posterior", "--least", "0.9", "--prior", "0.001", "--output", tmp_path / "out"
    )
    assert done.code == 0 and "a lens has a posterior of 0.9 or more" in done.out
    assert "lens: 0, contaminant: 4" in done.out


def test_the_same_grades_give_the_same_files(lensdetect, graded, tmp_path):
    for name in ("one", "two"):
        assert lensdetect("grades", graded, "--output", tmp_path / name).code == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_grades_from_elsewhere_alone(lensdetect, found, tmp_path):
    (tmp_path / "ann.csv").write_text("id,grader,grade\nKiDS 12,ann,A\nfaint,ann,X\n")
    (tmp_path / "bob.csv").write_text("id,grader,grade\nKiDS 12,bob,B\nfaint,bob,0\n")
    done = lensdetect(
        "grades", found, "--merge", tmp_path / "ann.csv", tmp_path / "bob.csv", "--output", tmp_path / "out"
    )
    assert done.code == 0, done.err
    assert "4 grades of 2 objects by 2 graders" in done.out and "lens: 1, contaminant: 1" in done.out
    assert not (found / "grades.sqlite").exists()


def test_what_cannot_be_merged_writes_nothing(lensdetect, graded, tmp_path):
    (tmp_path / "ann.csv").write_text("id,grader,grade\nKiDS 12,cem,5\nelsewhere,cem,5\n")
    done = lensdetect("grades", graded, "--merge", tmp_path / "ann.csv", "--output", tmp_path / "out")
    assert done.code == 2 and "id 'elsewhere' in line 3 of" in done.err and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--least", "0.9"], "--least is for the rule posterior"),
        (["--prior", "0"], "must be between 0 and 1, got 0"),
        (["--rule", "best"], "invalid choice: 'best'"),
        (["--database", "mysql://x/y"], "must begin with sqlite:// or postgresql://"),
    ],
)
def test_options_that_cannot_be(lensdetect, graded, tmp_path, options, said):
    done = lensdetect("grades", graded, *options, "--output", tmp_path / "out")
    assert done.code == 2 and said in done.err


def test_a_search_that_nobody_graded(lensdetect, found, tmp_path):
    done = lensdetect("grades", found, "--output", tmp_path / "out")
    assert done.code == 2 and "there must be grades in" in done.err and "lensdetect grade" in done.err
    with Store(found) as store:
        store.add_subjects(open_source(found).subjects)
    done = lensdetect("grades", found, "--output", tmp_path / "out")
    assert done.code == 2 and "there must be grades to combine, got none" in done.err


def test_a_file_in_the_way(lensdetect, graded, tmp_path):
    (tmp_path / "out").write_text("mine")
    done = lensdetect("grades", graded, "--output", tmp_path / "out")
    assert done.code == 2 and "must be a folder to write to, got a file" in done.err
    assert (tmp_path / "out").read_text() == "mine"


def test_by_url(lensdetect, graded, tmp_path):
    graded.joinpath("grades.sqlite").rename(tmp_path / "elsewhere.sqlite")
    done = lensdetect(
        "grades", graded, "--database", f"sqlite:///{tmp_path}/elsewhere.sqlite", "--output", tmp_path / "out"
    )
    assert done.code == 0 and "lens: 1" in done.out
